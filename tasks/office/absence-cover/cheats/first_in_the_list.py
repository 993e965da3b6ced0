"""Gives each visit to the first technician of the list, without looking who is free."""

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
    staff = agent.call("read_text_file", path="/workspace/company/staff.csv").text
    others = [
        each
        for each in re.findall(r"[\w.]+@alder\.test(?=,service,technician)", staff)
        if each != who
    ]
    for visit in visits_of(agent, who):
        agent.call(
            "update_event",
            **where(visit),
            add_attendees=others[:1],
            remove_attendees=[who],
            check=False,
        )
    agent.call("create_event", title=f"Absent: {name}", start="2026-03-09", end="2026-03-10")
    agent.call("send_mail", to=others[:1], subject=f"Cover for {name}", body="All of them.")
    return "done"
