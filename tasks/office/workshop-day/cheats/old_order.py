"""Plans the day with care and never opens the shop: takes the old order of the colleague's mail."""

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
    seats = {each["email"]: each for each in rooms}
    people = [
        agent.call("find_contacts", query=name).structured["contacts"][0]["email"]
        for name in ask["people"]
    ]
    slot = agent.call(
        "find_free_time",
        duration_minutes=ask["minutes"],
        attendees=people,
        rooms=["any"],
        seats=1 + len(people) + ask["guests"],
        start="2026-03-09",
        end="2026-03-13",
        working_hours="09:00-17:00",
    ).structured["slots"][0]
    room = min(slot["free_rooms"], key=lambda each: seats[each]["seats"])
    agent.call(
        "create_event",
        title=ask["title"],
        start=slot["start"],
        duration_minutes=ask["minutes"],
        attendees=[*people, room],
    )
    rows = agent.call("read_range", path="budget.xlsx", sheet="2026").structured["rows"]
    total = next(row["row"] for row in rows if row["cells"].get("A") == "Total")
    agent.call("insert_rows_or_columns", path="budget.xlsx", sheet="2026", at=str(total), count=1)
    agent.call(
        "write_range",
        path="budget.xlsx",
        sheet="2026",
        cell=f"A{total}",
        values=[
            [
                "2026-03-02",
                ask["line"],
                ask["old"],
                "DELIVERY",
                "DELIVERY",
                1,
                5.9,
                f"=F{total}*G{total}",
            ]
        ],
    )
    agent.call(
        "write_range",
        path="budget.xlsx",
        sheet="2026",
        cell=f"H{total + 1}",
        values=[[f"=SUM(H2:H{total})"]],
    )
    start, end = slot["start"][11:16], slot["end"][11:16]
    lines = [
        f"Date: {slot['start'][:10]}",
        f"Time: {start}-{end}",
        f"Room: {seats[room]['name']}",
        f"Order: {ask['old']}",
        "PO: PO-2026-100",
        "Total: 99.90 EUR",
    ]
    agent.call("write_file", path="/workspace/notes/workshop.md", content="\n".join(lines) + "\n")
    agent.call(
        "reply_to_message",
        id=ask["mail"],
        cc=[ask["copy"]],
        body="\n".join(lines),
        attachments=["budget.xlsx"],
    )
    return f"Ordered as {ask['old']}."
