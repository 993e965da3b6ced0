"""Calendars of all people and rooms, and the slot that they leave."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from cloche.build import CalendarFile, Person
from world import DAYS, FIRST, LAST, STEP, moment

SINGLE = ["Dentist", "Call with a supplier", "Interview", "Review of the draft", "Site visit"]
WEEKLY = ["Team meeting", "Planning", "Office hours", "Spanish class", "Stand-up of the project"]
ROOM_USE = ["Training", "Board", "Works council", "Product review", "Visitors"]

#: A day, a time, and a room.
Slot = tuple[int, int, Person]


@dataclass(frozen=True)
class Busy:
    """An entry of a calendar. A weekly one began two weeks before, and may differ this week."""

    title: str
    day: int
    start: int
    minutes: int
    weekly: bool = False
    #: "" or "dropped" or the (day, start) to which this week's occurrence has moved.
    exception: Literal["", "dropped"] | tuple[int, int] = ""
    #: "", "tentative", or what takes no time: "free", "cancelled".
    kind: str = ""

    def spans(self, *, heed_exceptions: bool = True) -> list[tuple[int, int, int]]:
        """When it takes its owner's time in this week, as (day, from, to)."""
        if self.kind in ("free", "cancelled"):
            return []
        moved = self.exception if heed_exceptions else ""
        if moved == "dropped":
            return []
        day, start = moved or (self.day, self.start)
        return [(day, start, start + self.minutes)]


def make_diary(rng: random.Random, room: bool = False) -> list[Busy]:
    titles = ROOM_USE if room else SINGLE
    entries = [single(rng, titles) for _ in range(rng.randint(4, 6) if room else rng.randint(2, 3))]
    weekly = Busy(rng.choice(ROOM_USE if room else WEEKLY), *place(rng), weekly=True)
    entries.append(weekly)
    if not room:
        entries.append(replace(single(rng, titles), kind=rng.choice(["tentative", "free"])))
        entries.append(replace(single(rng, titles), kind="cancelled"))
    return entries


def single(rng: random.Random, titles: list[str]) -> Busy:
    return Busy(rng.choice(titles), *place(rng))


def place(rng: random.Random) -> tuple[int, int, int]:
    return rng.randrange(DAYS), rng.randrange(FIRST, LAST - 60, 30), rng.choice([60, 60, 90, 120])


def first_slot(
    diaries: dict[str, list[Busy]],
    needed: list[Person],
    rooms: list[Person],
    seats: int,
    minutes: int,
    heed_exceptions: bool = True,
) -> Slot | None:
    """The first (day, start, room) in which all are free, the room being the smallest one."""
    taken = [
        span
        for who in needed
        for busy in diaries[who.email]
        for span in busy.spans(heed_exceptions=heed_exceptions)
    ]
    fitting = sorted((room for room in rooms if (room.seats or 0) >= seats), key=seats_of)
    for day in range(DAYS):
        for start in range(FIRST, LAST - minutes + 1, STEP):
            if not is_free(taken, day, start, minutes):
                continue
            for room in fitting:
                spans = [
                    s
                    for busy in diaries[room.email]
                    for s in busy.spans(heed_exceptions=heed_exceptions)
                ]
                if is_free(spans, day, start, minutes):
                    return day, start, room
    return None


def seats_of(room: Person) -> int:
    return room.seats or 0


def is_free(spans: list[tuple[int, int, int]], day: int, start: int, minutes: int) -> bool:
    return all(d != day or to <= start or at >= start + minutes for d, at, to in spans)


def write_diary(calendar: CalendarFile, entries: list[Busy]) -> None:
    """Puts the entries into their owner's calendar."""
    for busy in entries:
        start, end = span(busy, busy.day, busy.start)
        series: dict[str, Any] = {}
        if busy.weekly:
            series["repeat"] = "FREQ=WEEKLY;COUNT=12"
        if busy.exception == "dropped":
            series["without"] = [start]
        elif busy.exception:
            series["moved"] = {start: span(busy, *busy.exception)}
        back = timedelta(weeks=2 if busy.weekly else 0)
        status = busy.kind if busy.kind in ("tentative", "cancelled") else "confirmed"
        calendar.event(
            busy.title, start - back, end - back, **series, status=status, busy=busy.kind != "free"
        )


def span(busy: Busy, day: int, start: int) -> tuple[datetime, datetime]:
    return moment(day, start), moment(day, start + busy.minutes)
