"""Invites all technicians to each visit, and writes to all of them."""

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
    everybody = re.findall(r"[\w.]+@alder\.test(?=,service,technician)", staff)
    others = [each for each in everybody if each != who]
    agent.call("check_availability", people=everybody, start="2026-03-09", end="2026-03-13")
    lines = []
    for visit in visits_of(agent, who):
        agent.call("update_event", **where(visit), add_attendees=others, check=False)
        lines.append(f"{visit['start'][:16].replace('T', ' ')} {visit['title'][7:]}")
    for each in others:
        agent.call("send_mail", to=[each], subject=f"Cover for {name}", body="\n".join(lines))
    return "done"
