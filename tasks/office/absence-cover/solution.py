"""Covers the absence as mails, handbook and calendars ask: looks first, does, then checks."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


MONTH = "2026-03"
DAYS = range(9, 21)
#: A visit, when it is now, and who does it.
Covered = tuple[dict[str, Any], datetime, str]


def solve(agent: Agent) -> str:
    desk = Desk(agent)
    mail = desk.read_mails()
    most, margin = desk.rules()
    staff = desk.staff()
    absent = next(who for who, each in staff.items() if each["name"] == mail["absent"])
    visits = desk.visits()
    busy = desk.busy(list(staff))
    plan = Plan(staff, busy, visits, most, timedelta(minutes=margin))
    result = plan.cover(absent, mail["first"], mail["last"], mail["excluded"])
    desk.enter_absence(mail)
    for visit, start, who in result:
        desk.change(visit, start, who, absent)
    desk.write(mail, staff, result, absent)
    desk.verify(result)
    return f"{len(result)} visits of {mail['absent']} are seen to."


def at(text: str) -> datetime:
    """A local time without its offset."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def match(pattern: str, text: str) -> re.Match[str]:
    """The first place that the pattern fits."""
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in: {text}")
    return found


class Desk:
    def __init__(self, agent: Agent) -> None:
        self.agent = agent

    def read_mails(self) -> dict[str, Any]:
        agent = self.agent
        absent = match(
            r"March 2026; all times are Madrid times\. (.+?), a technician",
            " ".join(agent.instruction.split()),
        )[1]
        agent.call("list_mail_folders")
        listed = agent.call("list_messages", folder="INBOX").structured["messages"]
        mails = [agent.call("read_message", id=each["id"]).structured for each in reversed(listed)]
        newest = [each for each in mails if absent in each["from"]][-1]
        days = [int(day) for day in re.findall(r"(\d+) March", newest["text"])]
        lead = next(
            each
            for each in mails
            if "Marta Kovac" in each["from"] and "Training" in each["subject"]
        )
        excluded = match(r"Ines, (\w+ \w+) has a lot", " ".join(lead["text"].split()))[1]
        return {
            "absent": absent,
            "id": newest["id"],
            "excluded": excluded,
            "first": date(2026, 3, days[0]),
            "last": date(2026, 3, days[-1]),
        }

    def rules(self) -> tuple[int, int]:
        agent = self.agent
        agent.call("list_corpora")
        found = agent.call("search_documents", query="cover absent technicians").structured
        texts = [
            agent.call("fetch_document", id=each["id"]).structured["text"]
            for each in found["results"]
            if each["fields"]["status"] == "in force"
        ]
        text = next(each for each in texts if "at most" in each)
        words = {"two": 2, "three": 3, "four": 4, "five": 5}
        most = match(r"at most \**(\w+) visits", text)[1]
        return words[most], int(match(r"\**(\d+) minutes", text)[1])

    def staff(self) -> dict[str, dict[str, Any]]:
        text = self.agent.call("read_text_file", path="/workspace/company/staff.csv").text
        rows = csv.DictReader(io.StringIO(text))
        return {
            row["address"]: {"name": row["name"], "skills": row["skills"].split()}
            for row in rows
            if row["role"] == "technician"
        }

    def visits(self) -> list[dict[str, Any]]:
        """All visits of two weeks, each with its technician."""
        found: list[dict[str, Any]] = []
        offset = 0
        while True:
            page = self.agent.call(
                "list_events",
                start=f"{MONTH}-09",
                end=f"{MONTH}-20",
                query="Visit",
                limit=50,
                offset=offset,
            ).structured
            found += page["events"]
            offset += len(page["events"])
            if offset >= page["total"] or not page["events"]:
                break
        visits = []
        for each in found:
            if not each["title"].startswith("Visit: "):
                continue
            where = {"occurrence": each["occurrence"]} if each.get("occurrence") else {}
            whole = self.agent.call("get_event", event_id=each["event_id"], **where).structured
            whole = whole.get("event", whole)
            guests = [one["email"] for one in whole["attendees"] if one["email"] != ME]
            visits.append(
                {
                    "id": each["event_id"],
                    "customer": each["title"].removeprefix("Visit: "),
                    "start": at(each["start"]),
                    "end": at(each["end"]),
                    "who": guests[0],
                    "skill": match(r"Skill: (\w+)", whole["description"])[1],
                    **where,
                }
            )
        return visits

    def busy(self, people: list[str]) -> dict[str, list[tuple[datetime, datetime]]]:
        result = self.agent.call(
            "check_availability", people=people, start=f"{MONTH}-09", end=f"{MONTH}-20"
        ).structured
        return {
            each["email"]: [(at(one["start"]), at(one["end"])) for one in each["busy"]]
            for each in result["availability"]
        }

    def enter_absence(self, mail: dict[str, Any]) -> None:
        self.agent.call(
            "create_event",
            title=f"Absent: {mail['absent']}",
            start=f"{mail['first']}",
            end=f"{mail['last']}",
        )

    def change(self, visit: dict[str, Any], start: datetime, who: str, absent: str) -> None:
        where: dict[str, Any] = {"event_id": visit["id"]}
        if "occurrence" in visit:
            where |= {"scope": "this", "occurrence": visit["occurrence"]}
        if who == absent:
            self.agent.call("update_event", **where, start=f"{start:%Y-%m-%dT%H:%M}")
        else:
            self.agent.call("update_event", **where, add_attendees=[who], remove_attendees=[absent])

    def write(
        self,
        mail: dict[str, Any],
        staff: dict[str, dict[str, Any]],
        result: list[Covered],
        absent: str,
    ) -> None:
        def line(visit: dict[str, Any], start: datetime) -> str:
            return f"{start:%Y-%m-%d %H:%M} {visit['customer']}"

        lines = [f"{line(visit, start)}: {staff[who]['name']}" for visit, start, who in result]
        self.agent.call(
            "reply_to_message",
            id=mail["id"],
            cc=["marta.kovac@alder.test"],
            body="\n".join(["All is seen to:", "", *lines, "", "Ines"]),
        )
        for taker in sorted({who for _, _, who in result} - {absent}):
            own = [line(visit, start) for visit, start, who in result if who == taker]
            self.agent.call(
                "send_mail",
                to=[taker],
                subject=f"Cover for {mail['absent']}",
                body="\n".join(["Please take over:", "", *own, "", "Ines"]),
            )

    def verify(self, result: list[Covered]) -> None:
        for visit, start, _ in result:
            self.agent.call(
                "list_events",
                start=f"{start:%Y-%m-%d}",
                end=f"{start:%Y-%m-%d}",
                query=visit["customer"],
            )
        self.agent.call("list_messages", folder="Sent")


class Plan:
    """The rules. Busy times hold the visits too, merged with what else there is."""

    def __init__(
        self,
        staff: dict[str, dict[str, Any]],
        busy: dict[str, list[tuple[datetime, datetime]]],
        visits: list[dict[str, Any]],
        most: int,
        margin: timedelta,
    ) -> None:
        self.staff, self.busy, self.visits = staff, busy, visits
        self.most, self.margin = most, margin

    def cover(self, absent: str, first: date, last: date, excluded: str) -> list[Covered]:
        todo = [
            each
            for each in self.visits
            if each["who"] == absent and first <= each["start"].date() <= last
        ]
        todo.sort(key=lambda each: each["start"])
        done: dict[int, tuple[datetime, str]] = {}
        for at_, visit in enumerate(todo):
            able = [
                who
                for who, each in self.staff.items()
                if who != absent
                and each["name"] != excluded
                and visit["skill"] in each["skills"]
                and self.fits(who, visit["start"], visit["end"])
            ]
            if able:
                best = min(
                    able,
                    key=lambda who: (
                        self.count(who, visit["start"].date()),
                        self.staff[who]["name"],
                    ),
                )
                self.busy[best] = [*self.busy[best], (visit["start"], visit["end"])]
                visit["who"] = best
                done[at_] = (visit["start"], best)
        for at_, visit in enumerate(todo):
            if at_ not in done:
                start = self.first_time(absent, visit, last)
                end = start + (visit["end"] - visit["start"])
                self.busy[absent] = [*self.busy[absent], (start, end)]
                self.visits.append({**visit, "start": start, "end": end})
                done[at_] = (start, absent)
        return [(visit, *done[at_]) for at_, visit in enumerate(todo)]

    def first_time(self, who: str, visit: dict[str, Any], last: date) -> datetime:
        length = visit["end"] - visit["start"]
        day = last
        while True:
            day += timedelta(days=1)
            for hour in range(9, 17):
                start = datetime(day.year, day.month, day.day, hour)
                by = start.replace(hour=17)
                if (
                    day.weekday() < 5
                    and start + length <= by
                    and self.fits(who, start, start + length)
                ):
                    return start

    def fits(self, who: str, start: datetime, end: datetime) -> bool:
        free = all(
            until <= start - self.margin or since >= end + self.margin
            for since, until in self.busy[who]
        )
        return free and self.count(who, start.date()) < self.most

    def count(self, who: str, day: date) -> int:
        return sum(each["who"] == who and each["start"].date() == day for each in self.visits)


ME = "ines.duarte@alder.test"
