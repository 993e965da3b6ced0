"""Cancels every visit of the week and says that all is well."""

import re

ME = "ines.duarte@alder.test"


def absent_of(agent):
    text = " ".join(agent.instruction.split())
    name = re.search(r"Madrid times\. (.+?), a technician", text)[1]
    contact = agent.call("find_contacts", query=name).structured["contacts"][0]["email"]
    return name, contact


def visits_of(agent, who):
    found = agent.call("list_events", start="2026-03-09", end="2026-03-13", query=who,
                       limit=50).structured["events"]
    return [each for each in found if each["title"].startswith("Visit: ")]


def where(visit):
    if not visit.get("occurrence"):
        return {"event_id": visit["event_id"]}
    return {"event_id": visit["event_id"], "scope": "this", "occurrence": visit["occurrence"]}


def solve(agent):
    name, who = absent_of(agent)
    for visit in visits_of(agent, who):
        agent.call("cancel_event", **where(visit), check=False)
    newest = agent.call("search_mail", query=f"from:{who}").structured["messages"][0]["id"]
    agent.call("reply_to_message", id=newest, body="All is seen to.",
               cc=["marta.kovac@alder.test"])
    return "done"
