"""Reads the mails and books at once, in the first hours of the week, without asking who is free."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5}


def read(agent: Agent) -> dict[str, Any]:
    """What the mails ask for, corrections included."""
    boss = match(r"times\. (.+?) has written", " ".join(agent.instruction.split()))[1]
    found = agent.call("search_mail", query="subject:workshop").structured["messages"]
    mails = [agent.call("read_message", id=each["id"]).structured for each in reversed(found)]
    first, second = (" ".join(mail["text"].split()) for mail in mails if boss in mail["from"])
    names = match(r"Taking part: (.+?), and me\.", first)[1].split(", ")
    return {
        "title": match(r"`(Workshop: .+?)`", agent.instruction)[1],
        "people": [*names, boss, match(r"- (\w+ \w+) takes part too", second)[1]],
        "copy": match(r"Copy (\w+ \w+) instead", second)[1],
        "minutes": int(match(r"takes (\d+) minutes", first)[1]),
        "guests": NUMBERS[match(r"(\w+) guests will come", first)[1]],
        "line": match(r"It goes to .+? \((\S+?)\)", second)[1],
        "mail": next(mail["id"] for mail in mails if "takes part too" in mail["text"]),
        "old": match(r"SO-\d+", mails[-1]["text"])[0],
    }


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


def solve(agent: Agent) -> str:
    ask = read(agent)
    rooms = agent.call("list_people_and_rooms", kind="room").structured["people"]
    seats = 1 + len(ask["people"]) + ask["guests"]
    room = min((each for each in rooms if each["seats"] >= seats), key=lambda each: each["seats"])
    agent.call(
        "create_event",
        title=ask["title"],
        start="2026-03-09T09:00",
        duration_minutes=ask["minutes"],
        attendees=[*ask["people"], room["email"]],
    )
    end = 9 * 60 + ask["minutes"]
    lines = [
        "Date: 2026-03-09",
        f"Time: 09:00-{end // 60:02d}:{end % 60:02d}",
        f"Room: {room['name']}",
    ]
    agent.call("write_file", path="/workspace/notes/workshop.md", content="\n".join(lines) + "\n")
    agent.call(
        "reply_to_message",
        id=ask["mail"],
        cc=[ask["copy"]],
        body="\n".join(lines),
        attachments=["budget.xlsx"],
    )
    return "The workshop is booked."
