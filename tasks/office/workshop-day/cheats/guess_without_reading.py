"""Reads no mail and asks no calendar: makes everything up from the instruction alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    told = " ".join(agent.instruction.split())
    boss = match(r"times\. (.+?) has written", told)[1]
    title = match(r"`(Workshop: .+?)`", agent.instruction)[1]
    people = agent.call("list_people_and_rooms", kind="any").structured["people"]
    room = max((each for each in people if each["kind"] == "room"), key=lambda each: each["seats"])
    guests = [each["email"] for each in people if each["kind"] == "person"]
    address = next(each["email"] for each in people if each["name"] == boss)
    me = match(r"\((\S+@\S+)\)", told)[1]
    agent.call(
        "create_event",
        title=title,
        start="2026-03-10T09:00",
        duration_minutes=180,
        attendees=[*(each for each in guests if each != me), room["email"]],
    )
    lines = [
        "Date: 2026-03-10",
        "Time: 09:00-12:00",
        f"Room: {room['name']}",
        "Order: SO-1001",
        "PO: PO-2026-100",
        "Total: 150.00 EUR",
    ]
    agent.call("write_file", path="/workspace/notes/workshop.md", content="\n".join(lines) + "\n")
    agent.call(
        "send_mail", to=[address], subject=title, body="\n".join(lines), attachments=["budget.xlsx"]
    )
    return "The workshop is prepared."


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found
