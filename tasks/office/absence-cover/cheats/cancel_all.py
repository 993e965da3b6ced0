"""Cancels every visit of the week and says that all is well."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


ME = "ines.duarte@alder.test"


def absent_of(agent: Agent) -> tuple[str, str]:
    text = " ".join(agent.instruction.split())
    name = re.findall(r"Madrid times\. (.+?), a technician", text)[0]
    contact = agent.call("find_contacts", query=name).structured["contacts"][0]["email"]
    return name, contact


def visits_of(agent: Agent, who: str) -> list[dict[str, Any]]:
    found = agent.call(
        "list_events", start="2026-03-09", end="2026-03-13", query=who, limit=50
    ).structured["events"]
    return [each for each in found if each["title"].startswith("Visit: ")]


def where(visit: dict[str, Any]) -> dict[str, Any]:
    if not visit.get("occurrence"):
        return {"event_id": visit["event_id"]}
    return {"event_id": visit["event_id"], "scope": "this", "occurrence": visit["occurrence"]}


def solve(agent: Agent) -> str:
    _, who = absent_of(agent)
    for visit in visits_of(agent, who):
        agent.call("cancel_event", **where(visit), check=False)
    newest = agent.call("search_mail", query=f"from:{who}").structured["messages"][0]["id"]
    agent.call("reply_to_message", id=newest, body="All is seen to.", cc=["marta.kovac@alder.test"])
    return "done"
