"""A week of visits, an absence that is told twice, and a lead who takes somebody out."""

from __future__ import annotations

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloche.build import People
from rota import MADRID, MONDAY, NOW, ONCE, Rota, Span, Visit, moment

if TYPE_CHECKING:
    from cloche.run_generator import Variant


CUSTOMERS = [
    "Harbour Bank",
    "Lumen Clinic",
    "Foxglove Books",
    "City Archive",
    "Tern Logistics",
    "Bakery Orlov",
    "Hotel Meridian",
    "North Dental",
    "Casa Verde",
    "Pilot Cargo",
    "Quill Notaries",
    "Riverside School",
    "Saffron Foods",
    "Tower Gym",
    "Umbra Films",
    "Vista Optics",
    "Willow Nursery",
    "Yarrow Tea",
    "Zephyr Bikes",
    "Atlas Maps",
    "Beacon Law",
    "Cobalt Paints",
    "Delta Farms",
    "Ember Stoves",
    "Fjord Travel",
    "Granite Works",
    "Hazel Press",
    "Iris Gallery",
    "Jasper Bikes",
    "Kestrel Air",
    "Lotus Spa",
    "Maple Homes",
    "Nectar Bar",
    "Opal Theatre",
    "Pepper Grill",
    "Quartz Studio",
    "Rowan Vets",
    "Sable Couriers",
    "Thistle Inn",
    "Ursa Energy",
    "Velvet Hall",
    "Walnut Cafe",
    "Yonder Tours",
    "Zinc Foundry",
    "Amber Jewels",
    "Birch Pharmacy",
    "Cedar Schools",
    "Dune Surf",
]
TOWNS = ["Getafe", "Alcobendas", "Leganés", "Móstoles", "Coslada", "Pinto"]
SINGLE = ["Dentist", "Stock-taking", "Licence renewal", "Call with the maker", "Interview"]
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
WEEK = timedelta(weeks=1)
SPAN = (moment(-14, 0), moment(28, 0))
TRIES = 4000
#: A title, from when, to when, and what there is to it.
Single = tuple[str, datetime, datetime, str]


def generate(variant: Variant) -> dict[str, Any]:
    people = variant.people()
    skills = read_skills(variant.workspace / "company" / "staff.csv")
    fixed = {
        who: [
            (instant(each.start), instant(each.end))
            for each in variant.calendar(people[who]).events(*SPAN)
            if each.busy
        ]
        for who in skills
    }
    week = plan_week(variant.rng, people, skills, fixed)
    absent = people[week["absent"]]
    variant.variables["absent"] = absent.name
    uids = write_calendars(variant, people, week)
    ids = write_mails(variant, people, week)
    return {
        "absent": absent.email,
        "name": absent.name,
        "me": people.me.email,
        "lead": "marta.kovac@alder.test",
        "mail": ids[-1],
        "first": f"{week['days'][0]}",
        "last": f"{week['days'][-1]}",
        "visits": [
            {
                "uid": uids[visit],
                "customer": visit.customer,
                "weekly": visit.weekly,
                "was": visit.start.isoformat(),
                "start": now.start.isoformat(),
                "end": now.end.isoformat(),
                "who": now.who,
                "name": people[now.who].name,
                "covered": now.who != visit.who,
            }
            for visit, now in week["result"]
        ],
    }


def read_skills(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["address"]: row["skills"].split()
            for row in csv.DictReader(file)
            if row["role"] == "technician"
        }


def instant(moment: date) -> datetime:
    """The fixed ones have a time."""
    assert isinstance(moment, datetime)
    return moment


def plan_week(
    rng: random.Random,
    people: People,
    skills: dict[str, list[str]],
    fixed: dict[str, list[Span]],
) -> dict[str, Any]:
    """A week in which every short cut leads to another result than the rules do."""
    names = {who: people[who].name for who in skills}
    for _ in range(TRIES):
        absent, excluded, *_ = rng.sample(sorted(skills), len(skills))
        first, count = rng.choice([(0, 2), (1, 2), (1, 3), (2, 2)])
        days = [MONDAY + timedelta(days=first + at) for at in range(count)]
        told = [MONDAY + timedelta(days=first + rng.choice([0, 1]) + at) for at in range(count - 1)]
        visits = make_visits(rng, skills, absent, days)
        singles = {
            who: make_singles(
                rng, [*fixed[who], *((each.start, each.end) for each in visits if each.who == who)]
            )
            for who in skills
        }

        def result(
            days: list[date] = days,
            tentative: bool = True,
            excluded: str = excluded,
            limits: tuple[int, int] = NOW,
            absent: str = absent,
            visits: list[Visit] = visits,
            singles: dict[str, list[Single]] = singles,
        ) -> list[tuple[Visit, Visit]]:
            busy = {
                who: fixed[who]
                + [
                    (start, end)
                    for _, start, end, kind in singles[who]
                    if kind in ("", "tentative" if tentative else "")
                ]
                for who in skills
            }
            # A week later: what repeats is in the way of what is moved there.
            busy[absent] = busy[absent] + [
                (each.start + WEEK, each.end + WEEK) for each in visits if each.weekly
            ]
            return Rota(skills, names, busy, visits).cover(
                absent, days, excluded=[excluded], limits=limits
            )

        right = result()
        moved = [now for visit, now in right if now.who == visit.who]
        takers = {now.who for visit, now in right if now.who != visit.who}
        if not (
            4 <= len(right) <= 6
            and 1 <= len(moved) <= 2
            and len(takers) >= 2
            and not any(now.weekly for now in moved)
        ):
            continue
        short_cuts = [
            result(days=told),
            result(excluded=""),
            result(tentative=False),
            result(limits=ONCE),
            result(limits=(ONCE[0], NOW[1])),
        ]
        if all(other != right for other in short_cuts[:4]):
            return {
                "absent": absent,
                "excluded": excluded,
                "days": days,
                "told": told,
                "visits": visits,
                "singles": singles,
                "result": right,
            }
    raise AssertionError("no week of this seed has all the traps")


def make_visits(
    rng: random.Random, skills: dict[str, list[str]], absent: str, days: list[date]
) -> list[Visit]:
    customers = rng.sample(CUSTOMERS, len(CUSTOMERS))
    visits: list[Visit] = []
    for who in sorted(skills):
        for day in range(5):
            on = MONDAY + timedelta(days=day)
            busy = [2, 2, 3] if who == absent else [1, 2, 2]
            many = rng.choice(busy if on in days else [0, 1])
            for start in sorted(rng.sample(range(9 * 60, 17 * 60, 120), many)):
                skill = rng.choice(skills[who])
                visits.append(
                    Visit(
                        customers.pop(),
                        rng.choice(TOWNS),
                        skill,
                        who,
                        moment(day, start),
                        rng.choice([60, 60, 90]),
                    )
                )
    own = [at for at, each in enumerate(visits) if each.who == absent and each.day in days]
    weekly, cancelled, *_ = rng.sample(own, 2)
    change: dict[int, dict[str, bool]] = {weekly: {"weekly": True}, cancelled: {"cancelled": True}}
    return [Visit(**{**vars(each), **change.get(at, {})}) for at, each in enumerate(visits)]


def make_singles(rng: random.Random, taken: list[Span]) -> list[Single]:
    """(title, start, end, kind) that leave what is taken alone; "" and "tentative" take time."""
    found: list[Single] = []
    for kind in ("", "", "tentative", "tentative", rng.choice(["free", "cancelled"])):
        for _ in range(20):
            day, start = rng.randrange(5), rng.randrange(9 * 60, 16 * 60, 30)
            begins, ends = moment(day, start), moment(day, start + rng.choice([60, 90, 120]))
            if all(end <= begins or ends <= at for at, end in taken):
                found.append((rng.choice(SINGLE), begins, ends, kind))
                taken = [*taken, (begins, ends)]
                break
    return found


def write_calendars(variant: Variant, people: People, week: dict[str, Any]) -> dict[Visit, str]:
    uids: dict[Visit, str] = {}
    for visit in sorted(week["visits"], key=lambda each: (each.start, each.customer)):
        repeat = "FREQ=WEEKLY;COUNT=8" if visit.weekly else None
        back = timedelta(weeks=2 if visit.weekly else 0)
        uids[visit] = variant.meeting(
            people.me,
            [people[visit.who]],
            f"Visit: {visit.customer}",
            visit.start - back,
            visit.end - back,
            location=visit.town,
            description=f"Skill: {visit.skill}",
            repeat=repeat,
            status="cancelled" if visit.cancelled else "confirmed",
        )
    for who, entries in week["singles"].items():
        for title, start, end, kind in entries:
            status = kind if kind in ("tentative", "cancelled") else "confirmed"
            variant.calendar(people[who]).event(
                title, start, end, status=status, busy=kind != "free"
            )
    return uids


def write_mails(variant: Variant, people: People, week: dict[str, Any]) -> list[str]:
    absent, me, lead = people[week["absent"]], people.me, people["marta.kovac@alder.test"]
    excluded = people[week["excluded"]]
    other = next(
        each
        for each in people.persons
        if each.email not in (absent.email, excluded.email, me.email)
        and each.email in week["singles"]
    )

    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=MADRID)

    def span(days: list[date]) -> str:
        first, last = (
            f"{WEEKDAYS[each.weekday()]}, {each.day} March" for each in (days[0], days[-1])
        )
        return f"on {first}" if first == last else f"from {first}, to {last}"

    first = variant.mail.send(
        absent,
        [me],
        subject="Next week",
        at=at("2026-03-04T17:20"),
        body=f"""\
Hello Ines,

I have to go to a hearing and am away {span(week["told"])}. Could you see to my visits?

{absent.first}""",
    )
    variant.mail.send(
        lead,
        [me],
        subject=f"Training of {excluded.first}",
        cc=[excluded],
        at=at("2026-03-05T09:15"),
        body=f"""\
Ines, {excluded.name} has a lot to prepare for the training: no further visits for {excluded.first}
next week, please. Those that are planned stay.

Marta""",
    )
    second = variant.mail.send(
        absent,
        [me],
        subject="Re: Next week",
        answers=first,
        at=at("2026-03-05T18:02"),
        body=f"""\
Ines, the date of the hearing has changed: I am away {span(week["days"])}, both days included.

{absent.first}""",
    )
    variant.mail.send(
        other,
        [me],
        subject="Visits",
        at=at("2026-03-06T08:10"),
        body=f"""\
Hi Ines, I heard that {absent.first} is away. I could do with some more visits, just give me all of
them, or cancel them: the customers would not mind.

{other.first}""",
    )
    return [first, second]
