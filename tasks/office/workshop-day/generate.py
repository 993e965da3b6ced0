"""A week of calendars, a shop, a budget and the mails that ask for a workshop."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cloche.build import Person, save_json
from diaries import Busy, Slot, first_slot, make_diary, seats_of, write_diary
from ledger import Row, wish_list, write_budget
from market import BRANDS, CATEGORIES, KINDS, Wanted, best_product, make_products, old_order, site
from world import MADRID, MONDAY, moment

if TYPE_CHECKING:
    from cloche.run_generator import Variant


NAMES = [
    "Ana Ruiz",
    "Ben Ode",
    "Chi Lee",
    "Dora Maes",
    "Eli Novak",
    "Fay Ito",
    "Gus Lund",
    "Hana Sato",
    "Ivo Petrov",
    "Jun Park",
    "Kira Bos",
    "Leo Marin",
    "Mia Falk",
    "Nils Aho",
]
ROOM_NAMES = ["Alder", "Birch", "Cedar", "Elm", "Hazel", "Linden"]
TOPICS = ["Pricing", "Onboarding", "Signage", "Accessibility", "Catalogue", "Reading groups"]
BUDGETS = [("MK", "Marketing"), ("TR", "Training"), ("EV", "Events"), ("OF", "Office supplies")]
TRIES = 20_000
TODAY = "2026-03-02"
WORDS = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass
class Cast:
    """Who is in this variant."""

    me: Person
    boss: Person
    named: list[Person]
    added: Person
    old_copy: Person
    copy: Person
    colleague: Person
    others: list[Person]
    rooms: list[Person]
    guests: int

    @property
    def taking_part(self) -> list[Person]:
        return [self.boss, *self.named, self.added]

    @property
    def seats(self) -> int:
        return 1 + len(self.taking_part) + self.guests


def generate(variant: Variant) -> dict[str, Any]:
    rng = variant.rng
    cast = make_cast(rng)
    minutes = rng.choice([150, 180])
    diaries, slot = plan_week(rng, cast, minutes)
    topic = rng.choice(TOPICS)
    order = plan_order(rng, slot[0])
    old_number = rng.randint(1004, 1080)
    old_line, line = plan_lines(rng, order)

    variant.variables.update(
        me=cast.me.name, address=cast.me.email, boss=cast.boss.name, title=f"Workshop: {topic}"
    )
    variant.people(
        cast.me,
        [*cast.taking_part, cast.old_copy, cast.copy, cast.colleague, *cast.others, *cast.rooms],
    )
    for who, entries in diaries.items():
        write_diary(variant.calendar(who), entries)
    write_shop(rng, variant, cast, order, old_number)
    rows = write_workbook(rng, variant, order, line, old_line)
    ids = write_mails(variant, cast, topic, minutes, order, (old_line, line), old_number)
    day, start, room = slot
    begins, ends = moment(day, start), moment(day, start + minutes)
    return {
        "title": f"Workshop: {topic}",
        "me": cast.me.email,
        "boss": cast.boss.email,
        "copy": cast.copy.email,
        "people": sorted(each.email for each in cast.taking_part),
        "room": {"name": room.name, "email": room.email},
        "start": begins.isoformat(),
        "end": ends.isoformat(),
        "date": begins.date().isoformat(),
        "time": f"{begins:%H:%M}-{ends:%H:%M}",
        "lines": order["lines"],
        "delivery": order["delivery"],
        "earliest": order["earliest"],
        "total_cents": order["total_cents"],
        "po": line["po"],
        "line": line["code"],
        "rows": rows,
        "mails": ids,
        "left_out": order["left_out"],
    }


def make_cast(rng: random.Random) -> Cast:
    names = rng.sample(NAMES, len(NAMES))
    people = [Person(name, f"{name.lower().replace(' ', '.')}@example.test") for name in names]
    me, boss, added, old_copy, copy, colleague, *rest = people
    number = rng.choice([2, 3])
    guests = rng.choice([2, 3, 4])
    seats = 3 + number + guests
    sizes = [seats - 1, seats, seats + rng.choice([1, 2]), seats + rng.choice([4, 6]), 30]
    # By seats; some larger room comes before the third by name, so that a list begins with it.
    room_names = rng.sample(ROOM_NAMES, len(sizes))
    while room_names[2] < min(room_names[3:]):
        rng.shuffle(room_names)
    rooms = [
        Person(name, f"room.{name.lower()}@example.test", size)
        for name, size in zip(room_names, sizes)
    ]
    return Cast(
        me, boss, rest[:number], added, old_copy, copy, colleague, rest[number:], rooms, guests
    )


def plan_week(
    rng: random.Random, cast: Cast, minutes: int
) -> tuple[dict[Person, list[Busy]], Slot]:
    """Calendars in which every short cut leads to another slot or room than the right one."""
    needed = [cast.me, *cast.taking_part]
    everyone = [*needed, cast.old_copy, cast.copy, cast.colleague, *cast.others]
    for _ in range(TRIES):
        diaries: dict[Person, list[Busy]] = {}
        for who in [*everyone, *cast.rooms]:
            entries = make_diary(rng, room=bool(who.seats))
            diaries[who] = [with_exception(rng, busy) for busy in entries]
        by_email = {who.email: entries for who, entries in diaries.items()}

        def find(
            people: list[Person] = needed,
            rooms: list[Person] = cast.rooms,
            seats: int = cast.seats,
            heed_exceptions: bool = True,
            by_email: dict[str, list[Busy]] = by_email,
        ) -> Slot | None:
            return first_slot(by_email, people, rooms, seats, minutes, heed_exceptions)

        slot = find()
        if slot is None or slot[0] == 0:
            continue
        fitting = sorted((r for r in cast.rooms if seats_of(r) >= cast.seats), key=seats_of)
        free = [room for room in fitting if (found := find(rooms=[room])) and found[:2] == slot[:2]]
        short_cuts = [
            find([each for each in needed if each != cast.added]),
            find([each for each in needed if each != cast.me]),
            find(heed_exceptions=False),
        ]
        if (
            all(found is None or found[:2] != slot[:2] for found in short_cuts)
            and slot[2] != fitting[0]
            and len(free) > 1
            and slot[2] != min(free, key=lambda room: room.email)
            and find(seats=cast.seats - 1) != slot
        ):
            return diaries, slot
    raise AssertionError("no week of this seed has all the traps")


def with_exception(rng: random.Random, busy: Busy) -> Busy:
    if not busy.weekly or rng.random() < 0.3:
        return busy
    moved = (rng.randrange(5), rng.randrange(9 * 60, 15 * 60, 30))
    return replace(busy, exception=rng.choice(["dropped", moved]))


def plan_order(rng: random.Random, day: int) -> dict[str, Any]:
    kinds = rng.sample(KINDS, 5)
    wanted = [Wanted(kind, rng.randrange(14, 45), False) for kind in kinds[:4]]
    wanted.sort(key=lambda each: each.kind.name)
    optional = rng.randrange(len(wanted))
    wanted[optional] = replace(wanted[optional], optional=True)
    # The list that was sent first asks for another number of one line.
    changed = rng.choice([index for index in range(len(wanted)) if index != optional])
    first = [
        replace(each, pieces=each.pieces - rng.choice([6, 8])) if index == changed else each
        for index, each in enumerate(wanted)
    ]
    products = [product for each in wanted for product in products_with_one_best(rng, each)]
    products += make_products(rng, Wanted(kinds[4], 20, False))
    rng.shuffle(products)
    best = [line for each in wanted if (line := best_product(products, each))]
    left_out = rng.random() < 0.5
    deliveries: list[dict[str, Any]] = [
        {"id": name, "name": f"{name.capitalize()} delivery", "price_cents": cents, "days": days}
        for name, cents, days in (
            ("economy", 290, rng.randint(6, 9)),
            ("standard", 590, rng.randint(4, 5)),
            ("express", 1490, 1),
        )
    ]
    rng.shuffle(deliveries)
    in_time = [each for each in deliveries if arrives(each["days"]) < day]
    delivery = min(in_time, key=lambda each: each["price_cents"])
    lines = [line for index, line in enumerate(best) if not (left_out and index == optional)]
    total = sum(line["total_cents"] for line in lines) + delivery["price_cents"]
    whole = sum(line["total_cents"] for line in best) + delivery["price_cents"]
    return {
        "first": first,
        "wanted": wanted,
        "changed": wanted[changed],
        "products": products,
        "lines": lines,
        "left_out": left_out,
        "total_cents": total,
        "whole_cents": whole,
        "least_cents": whole - best[optional]["total_cents"],
        "deliveries": deliveries,
        "delivery": delivery,
        "earliest": day_of(arrives(delivery["days"])),
    }


def products_with_one_best(rng: random.Random, wanted: Wanted) -> list[dict[str, Any]]:
    while best_product(products := make_products(rng, wanted), wanted) is None:
        pass
    return products


def arrives(days: int) -> int:
    """The day, counted from the Monday of the workshop's week, after so many working days."""
    # Today is the Monday before: five working days lead to that Monday.
    return days - 5 if days >= 5 else days - 7


def day_of(index: int) -> str:
    return moment(0, 0).date().fromordinal(MONDAY.toordinal() + index).isoformat()


def plan_lines(rng: random.Random, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The budget line that the first mail names, and the right one; each with what remains."""
    some = rng.sample(BUDGETS, 2)
    least, whole = order["least_cents"], order["whole_cents"]
    tight = least + round((whole - least) * rng.uniform(0.3, 0.8))
    ample = whole + rng.randint(500, 4000)
    remaining = [ample, tight] if order["left_out"] else [tight, ample]
    return [
        {
            "code": f"{code}-{rng.randint(10, 89)}",
            "name": name,
            "remaining": cents,
            "po": f"PO-2026-{rng.randint(100, 999)}",
        }
        for (code, name), cents in zip(some, remaining)
    ]


def write_shop(
    rng: random.Random, variant: Variant, cast: Cast, order: dict[str, Any], old_number: int
) -> None:
    folder = variant.state / "web" / "shop"
    password = f"{rng.choice(BRANDS).lower()}-{rng.randint(1000, 9999)}"
    address = {
        "name": cast.me.name,
        "line1": f"Calle de Alcalá {rng.randint(2, 90)}",
        "line2": "2nd floor",
        "postcode": "28014",
        "city": "Madrid",
        "country": "Spain",
    }
    account = {
        "email": cast.me.email,
        "name": cast.me.name,
        "password": password,
        "addresses": [{"id": "office", **address}],
    }
    data = {
        "categories": [{"id": key, "name": name} for key, name in CATEGORIES],
        "products": order["products"],
        "accounts": [account],
        "orders": [old_order(old_number, cast.me, address, order["products"][0])],
    }
    save_json(folder / "site.json", site(order["deliveries"]))
    save_json(folder / "data.json", data)
    variant.text(
        "notes/shop-account.md",
        f"# Paper & Pine, http://shop.test/\n\n- Email: {cast.me.email}\n"
        f"- Password: {password}\n- Orders go to the office, by invoice.\n",
    )
    variant.text(
        "notes/kitchen.md",
        "# Kitchen\n\n- The dishwasher runs at five.\n- Coffee is in the left cupboard.\n",
    )


def write_workbook(
    rng: random.Random,
    variant: Variant,
    order: dict[str, Any],
    line: dict[str, Any],
    old_line: dict[str, Any],
) -> list[Row]:
    """Returns the rows of the sheet 2026 as they are, prices in cents."""
    used = {line["code"][:2], old_line["code"][:2]}
    spare = [
        {
            "code": f"{code}-{rng.randint(10, 89)}",
            "name": name,
            "remaining": rng.randint(50_000, 90_000),
            "po": f"PO-2026-{rng.randint(10, 99):03d}",
        }
        for code, name in BUDGETS
        if code not in used
    ]
    lines = [line, old_line, *spare]
    rng.shuffle(lines)
    rows = [past_row(rng, order["products"], rng.choice(lines), year=2026) for _ in range(7)]
    rows.sort(key=lambda row: row[0])
    old_rows = sorted(
        past_row(rng, order["products"], rng.choice(lines), year=2025) for _ in range(9)
    )
    spent = {
        each["code"]: sum(row[5] * row[6] for row in rows if row[1] == each["code"])
        for each in lines
    }
    shown = [
        (each["code"], each["name"], each["po"], each["remaining"] + spent[each["code"]])
        for each in lines
    ]
    write_budget(variant.workspace / "budget.xlsx", shown, rows, old_rows, variant.now)
    return rows


def past_row(
    rng: random.Random, products: list[dict[str, Any]], line: dict[str, Any], year: int
) -> Row:
    product = rng.choice(products)
    day = f"{year}-{rng.randint(1, 2):02d}-{rng.randint(1, 27):02d}"
    return (
        day,
        line["code"],
        f"A-{rng.randint(10_000, 99_999)}",
        product["sku"],
        product["name"],
        rng.randint(1, 9),
        product["price_cents"],
    )


def write_mails(
    variant: Variant,
    cast: Cast,
    topic: str,
    minutes: int,
    order: dict[str, Any],
    lines: tuple[dict[str, Any], dict[str, Any]],
    old_number: int,
) -> list[str]:
    def put(sender: Person, subject: str, when: str, body: str, **said: Any) -> str:
        at = datetime.fromisoformat(when).replace(tzinfo=MADRID)
        return variant.mail.deliver(
            cast.me, sender=sender, subject=subject, at=at, body=body, **said
        )

    old_line, line = lines
    names = ", ".join(each.name for each in cast.named)
    subject = f"{topic} workshop"
    data = wish_list(order["first"], variant.now)
    put(
        cast.others[0],
        "Bicycle shed",
        "2026-02-24T11:02:00",
        "The shed gets a new lock on Friday. Ask me for the key.",
        flags="S",
    )
    first = put(
        cast.boss,
        subject,
        "2026-02-26T10:12:00",
        f"""\
Hello {cast.me.name.split()[0]},

could you prepare the {topic.lower()} workshop? It should be in the week from Monday, 9 March to
Friday, 13 March and takes {minutes} minutes. Taking part: {names}, and me. From our customer
{WORDS[cast.guests]} guests will come, so please get a room in which there is a seat for everybody.

The list of what we need is attached. Charge it to {old_line["name"]} ({old_line["code"]}).
When you answer me, please copy {cast.old_copy.name}, who checks the invoices.

Thank you
{cast.boss.name.split()[0]}""",
        cc=[cast.colleague],
        attached={"workshop-list.xlsx": data},
    )
    put(
        cast.others[1],
        "Lunch on Thursday?",
        "2026-02-26T12:30:00",
        "Shall we go to the new place at the corner?",
        flags="S",
    )
    changed = order["changed"]
    second = put(
        cast.boss,
        f"Re: {subject}",
        "2026-02-27T16:40:00",
        f"""\
Some changes to the {topic.lower()} workshop:

- {cast.added.name} takes part too.
- Of "{changed.kind.name}" we need {changed.pieces} pieces, not what the list says.
- It goes to {line["name"]} ({line["code"]}) after all: take the purchase order of that line.
- Copy {cast.copy.name} instead of {cast.old_copy.name}, who is on leave.

All else stays as it was.
{cast.boss.name.split()[0]}""",
        answers=first,
    )
    put(
        cast.colleague,
        f"Re: {subject}",
        "2026-03-02T08:20:00",
        f"""\
Hi, I was in copy. We ordered for a workshop like this in November, the order is SO-{old_number};
perhaps you can just use that one. And could we make it Friday at 14:00, in the large room?

{cast.colleague.name.split()[0]}""",
        answers=first,
    )
    return [first, second]
