"""Writes the mails and leaves the calendar as it is."""

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
    visits = visits_of(agent, who)
    lines = [f"{each['start'][:16].replace('T', ' ')} {each['title'][7:]}: Bea Castro"
             for each in visits]
    newest = agent.call("search_mail", query=f"from:{who}").structured["messages"][0]["id"]
    agent.call("reply_to_message", id=newest, cc=["marta.kovac@alder.test"],
               body="\n".join(lines))
    agent.call("send_mail", to=["bea.castro@alder.test"], subject=f"Cover for {name}",
               body="\n".join(line.partition(": ")[0] for line in lines))
    return "\n".join(lines)
