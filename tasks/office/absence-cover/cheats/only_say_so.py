"""Writes the mails and leaves the calendar as it is."""

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
    name, who = absent_of(agent)
    visits = visits_of(agent, who)
    lines = [
        f"{each['start'][:16].replace('T', ' ')} {each['title'][7:]}: Bea Castro" for each in visits
    ]
    newest = agent.call("search_mail", query=f"from:{who}").structured["messages"][0]["id"]
    agent.call("reply_to_message", id=newest, cc=["marta.kovac@alder.test"], body="\n".join(lines))
    agent.call(
        "send_mail",
        to=["bea.castro@alder.test"],
        subject=f"Cover for {name}",
        body="\n".join(line.partition(": ")[0] for line in lines),
    )
    return "\n".join(lines)
