"""Adds the mileage up as mails and handbook say, and writes the mails."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


ME = "ines.duarte@alder.test"
LIST = "mileage-2026-02.csv"


def solve(agent: Agent) -> str:
    staff = read_csv(agent, "company/staff.csv")
    names = {row["address"]: row["name"] for row in staff if row["role"] == "technician"}
    last, rate, up_to, beyond = rules(agent)
    mails = read_mails(agent)
    rows: list[tuple[str, int, int]] = []
    silent = []
    for who, name in sorted(names.items(), key=lambda each: each[1]):
        own = [
            each
            for each in mails
            if who in each["from"] and each["attachments"] and each["date"][:10] <= last
        ]
        if not own:
            silent.append(who)
            continue
        newest = max(own, key=lambda each: each["date"])
        path = f"inbox/{who.partition('@')[0]}.csv"
        agent.call("save_attachment", id=newest["id"], attachment="mileage.csv", path=path)
        lines = {(row["date"], row["customer"], row["km"]) for row in read_csv(agent, path)}
        km = sum(int(km) for day, _, km in lines if day.startswith("2026-02-"))
        rows.append((name, km, rate * min(km, up_to) + beyond * max(0, km - up_to)))
    rows.append(("Total", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    text = "".join(f"{name},{km},{euros(cents)}\n" for name, km, cents in rows)
    agent.call("write_file", path=f"/workspace/{LIST}", content=f"name,km,amount\n{text}")
    agent.call("read_text_file", path=f"/workspace/{LIST}")
    asked = next(
        each for each in mails if "Petra Vance" in each["from"] and each["date"] > "2026-03"
    )
    agent.call(
        "reply_to_message",
        id=asked["id"],
        attachments=[LIST],
        body=f"Here is the list.\n\nTotal: {euros(rows[-1][2])} EUR\n\nInes",
    )
    for who in silent:
        agent.call(
            "send_mail",
            to=[who],
            subject="Mileage of February",
            body="Your mileage of February did not come in time; it goes into next month.",
        )
    agent.call("list_messages", folder="Sent")
    agent.call("list_directory", path="/workspace")
    return f"{len(rows) - 1} technicians, {euros(rows[-1][2])} EUR."


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


def read_csv(agent: Agent, path: str) -> list[dict[str, str]]:
    text = agent.call("read_text_file", path=f"/workspace/{path}").text
    return list(csv.DictReader(io.StringIO(text)))


def rules(agent: Agent) -> tuple[str, int, int, int]:
    agent.call("list_corpora")
    found = agent.call("search_documents", query="mileage kilometre").structured["results"]
    chapters = [
        agent.call("fetch_document", id=each["id"]).structured
        for each in found
        if each["fields"]["status"] == "in force"
    ]
    text = next(" ".join(each["text"].split()) for each in chapters if "cents" in each["text"])
    day = match(r"by the (\d+)\w* of the next month", text)[1]
    rate, up_to, beyond = (
        int(each)
        for each in match(r"(\d+) cents .*? first (\d+) kilometres .*? (\d+) cents", text).groups()
    )
    return f"2026-03-{int(day):02d}", rate, up_to, beyond


def read_mails(agent: Agent) -> list[dict[str, Any]]:
    mails: list[dict[str, Any]] = []
    offset = 0
    agent.call("list_mail_folders")
    while True:
        page = agent.call("list_messages", folder="INBOX", limit=50, offset=offset).structured
        mails += [agent.call("read_message", id=each["id"]).structured for each in page["messages"]]
        offset += len(page["messages"])
        if not page["messages"] or page.get("next_offset") is None:
            return mails


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
