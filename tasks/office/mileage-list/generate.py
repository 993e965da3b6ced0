"""Mails with mileage: in time, corrected, late, of other months, with lines that stand twice."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cloche.build import Person

if TYPE_CHECKING:
    from cloche.run_generator import Variant


MADRID = ZoneInfo("Europe/Madrid")
CUSTOMERS = [
    "Harbour Bank",
    "Lumen Clinic",
    "City Archive",
    "Tern Logistics",
    "Hotel Meridian",
    "Casa Verde",
    "Pilot Cargo",
    "Riverside School",
    "Tower Gym",
    "Vista Optics",
]
#: Cents for a kilometre, up to so many kilometres a month, and beyond.
RATE, UP_TO, BEYOND = 38, 300, 30


def generate(variant: Variant) -> dict[str, Any]:
    people, rng = variant.people(), variant.rng
    staff = technicians(variant.workspace / "company" / "staff.csv")
    shuffled = rng.sample(staff, len(staff))
    corrected, late, late_again, silent, *_ = shuffled
    months: dict[str, int] = {}
    for who in staff:
        person, lines = people[who], make_lines(rng)
        first = at(4, rng.randint(9, 15)) if who != late else at(6, rng.randint(8, 12))
        if who == silent:
            send(variant, person, people.me, at(3, 11), None)
            continue
        if who == corrected:
            send(variant, person, people.me, at(2, rng.randint(8, 17)), make_lines(rng))
        send(variant, person, people.me, first, lines)
        if who == late_again:
            send(variant, person, people.me, at(6, 9), make_lines(rng), again=True)
        if who != late:
            months[who] = sum(
                km for _, _, km in {line for line in lines if line[0].startswith("2026-02-")}
            )
    asked = variant.mail.deliver(
        people.me,
        sender=people["petra.vance@alder.test"],
        subject="Mileage",
        at=at(9, 8),
        body="Ines, may I have the list of February? I would like to pay on Tuesday.\n\nPetra",
    )
    rows = [
        {"name": people[who].name, "km": km, "cents": cents(km)}
        for who, km in sorted(months.items(), key=lambda each: people[each[0]].name)
    ]
    return {
        "rows": rows,
        "km": sum(row["km"] for row in rows),
        "cents": sum(row["cents"] for row in rows),
        "mail": asked,
        "me": people.me.email,
        "asker": "petra.vance@alder.test",
        "remind": sorted([late, silent]),
    }


def technicians(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["address"] for row in csv.DictReader(file) if row["role"] == "technician"]


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=MADRID)


def cents(km: int) -> int:
    return RATE * min(km, UP_TO) + BEYOND * max(0, km - UP_TO)


def make_lines(rng: random.Random) -> list[tuple[str, str, int]]:
    """Some lines of January and March among those of February, and one that stands twice."""
    count = rng.randint(7, 14)
    days = sorted(date(2026, 2, 1) + timedelta(days=rng.randint(0, 27)) for _ in range(count))
    days = [date(2026, 1, rng.randint(26, 31)), *days, date(2026, 3, 1)]
    lines = [(day.isoformat(), rng.choice(CUSTOMERS), rng.randint(12, 68)) for day in days]
    lines.insert(rng.randint(2, count), lines[rng.randint(1, count)])
    # Twice to the same customer on one day, not equally far: no line that stands twice.
    again = lines[rng.randint(1, count)]
    lines.append((again[0], again[1], again[2] + rng.randint(1, 9)))
    return lines


def send(
    variant: Variant,
    who: Person,
    me: Person,
    when: datetime,
    lines: list[tuple[str, str, int]] | None,
    again: bool = False,
) -> None:
    if lines is None:
        body = "My mileage will follow, the book lies in the van."
        attached = None
    else:
        body = "Once more, I had forgotten a trip." if again else "Here is what I drove."
        text = "".join(f"{day},{customer},{km}\n" for day, customer, km in lines)
        attached = {"mileage.csv": f"date,customer,km\n{text}".encode()}
    variant.mail.send(
        who, [me], subject="Mileage", at=when, attached=attached, body=f"{body}\n\n{who.first}"
    )
