"""A library with its site, and the scans of one of its sections."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloche.build import save_json
from shelves import BRANCHES, MEMBERS, SECTIONS, Title, make_titles

if TYPE_CHECKING:
    from cloche.run_generator import Variant


TODAY = "2026-03-02"
NOTE = f"Not found on {TODAY}"
NOTES = ["Cover torn", "With a map", "Gift of the Friends of the Library", "Spine label new"]


@dataclass
class Copy:
    """A copy, how the portal has it, and whether it lies on the shelves that were scanned."""

    barcode: str
    title: Title
    branch: str
    shelf: str
    status: str = "available"
    note: str = ""
    finding: str = ""
    scanned: bool = False

    def row(self) -> dict[str, Any]:
        return {
            "barcode": self.barcode,
            "title": self.title["id"],
            "branch": self.branch,
            "shelf": self.shelf,
            "status": self.status,
            "note": self.note,
        }


def generate(variant: Variant) -> dict[str, Any]:
    rng = variant.rng
    (section, mark), branch = SECTIONS[variant.number % len(SECTIONS)], rng.choice(BRANCHES)
    titles = make_titles(rng)
    copies = make_copies(rng, titles, mark, branch)
    here = [each for each in copies if each.branch == branch and each.title["mark"] == mark]
    elsewhere = [each for each in copies if each not in here and each.title["mark"] == mark]
    plan(rng, here, [each for each in copies if each not in here], elsewhere)
    unknown = [barcode_of(rng, 180_000)]
    write_scans(variant, rng, copies, [each for each in here if each.finding == "missing"], unknown)
    password = f"{rng.choice(['heron', 'plover', 'avocet'])}-{rng.randrange(1000, 9999)}"
    data = site_data(rng, titles, copies)
    data["staff"] = [{"user": "desk", "name": "Staff desk", "password": password}]
    save_json(
        variant.state / "web" / "library" / "site.json",
        {
            "kind": "library",
            "title": "Tidewater Library",
            "tagline": "Open to all",
            "branches": BRANCHES,
            "description": "The library: catalogue, account, staff portal.",
        },
    )
    save_json(variant.state / "web" / "library" / "data.json", data)
    variant.text(
        "stocktake/portal.txt",
        f"Staff portal: http://library.test/staff\nUser name: desk\nPassword: {password}\n",
    )
    variant.variables.update(section=section, mark=mark, branch=branch)
    return expected(copies, unknown, data)


def make_copies(rng: random.Random, titles: list[Title], mark: str, branch: str) -> list[Copy]:
    """One copy of most titles, two of some; 24 of them or more belong where was scanned."""
    copies: list[Copy] = []
    for at, title in enumerate(titles):
        places = [rng.choice(BRANCHES)]
        if title["mark"] == mark:
            others = [each for each in BRANCHES if each != branch]
            places = [branch] if at % 3 else [branch, rng.choice(others)]
        for place in places:
            shelf = f"{title['mark']} {title['number']} {title['author'][:3].upper()}"
            barcode = barcode_of(rng, 10_000 + len(copies) * 700)
            copies.append(Copy(barcode, title, place, shelf))
    return copies


def barcode_of(rng: random.Random, base: int) -> str:
    return f"T{base + rng.randrange(600):06d}"


def plan(rng: random.Random, here: list[Copy], others: list[Copy], same_mark: list[Copy]) -> None:
    """Who is missing, found, returned, elsewhere; and what only looks so."""
    drawn = iter(rng.sample(here, len(here)))
    for status, note in [("available", ""), ("available", "kept"), ("reference only", "")]:
        set_up(next(drawn), status, rng.choice(NOTES) if note else "", "missing", False)
    for status in ["missing", "in repair"]:
        set_up(next(drawn), status, rng.choice(["", "Reported by a reader"]), "found", True)
    for _ in range(2):
        set_up(next(drawn), "on loan", "", "returned", True)
    # As it should be: away and not scanned, or there and scanned.
    for status in ["on loan", "on loan", "missing", "in repair", "withdrawn", "on hold shelf"]:
        set_up(next(drawn), status, "", "", False)
    set_up(next(drawn), "withdrawn", "", "", True)
    set_up(next(drawn), "reference only", rng.choice(NOTES), "", True)
    for each in drawn:
        set_up(each, "available", rng.choice(["", "", "", *NOTES]), "", True)
    # Elsewhere nothing is to be changed: of another branch, and of another section.
    distant = rng.sample([each for each in others if each not in same_mark], 7)
    for each, status in zip(distant, ["missing", "missing", "on loan", "on loan", "in repair"]):
        set_up(each, status, "", "", False)
    set_up(rng.choice(same_mark), "available", "", "elsewhere", True)
    set_up(
        rng.choice(distant[:2] + distant[5:]),
        rng.choice(["available", "missing"]),
        "",
        "elsewhere",
        True,
    )


def set_up(copy: Copy, status: str, note: str, finding: str, scanned: bool) -> None:
    copy.status, copy.note, copy.finding, copy.scanned = status, note, finding, scanned


def write_scans(
    variant: Variant,
    rng: random.Random,
    copies: list[Copy],
    missing: list[Copy],
    unknown: list[str],
) -> None:
    """Two files in the order of scanning, some lines twice, some taken back."""
    scanned = [each.barcode for each in copies if each.scanned] + unknown
    order = rng.sample(scanned, len(scanned))
    taken_back = rng.sample(order, 2)
    lines = []
    for barcode in order:
        lines.append(barcode)
        if barcode in taken_back:
            # Taken back, and scanned once more: it counts.
            lines += ["UNDO", barcode]
    # Of one that is missing, the only line was taken back.
    at = rng.randrange(6, len(lines) - 6)
    at += lines[at] == "UNDO"
    undone = rng.choice(missing).barcode
    lines[at:at] = [undone, "UNDO"]
    half = len(lines) // 2
    half += lines[half] == "UNDO"
    twice = [each for each in lines[:half] if each not in ("UNDO", undone)]
    parts = [lines[:half], [*lines[half:], *rng.sample(twice, 3)]]
    seconds = 7 * 3600 + 40 * 60
    for number, part in enumerate(parts, 1):
        rows = ["time,bay,barcode"]
        for place, barcode in enumerate(part):
            seconds += rng.randint(3, 25)
            clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            rows.append(f"{clock},{number}{'ABC'[place * 3 // len(part)]},{barcode}")
        variant.text(f"stocktake/scan-{number}.csv", "\n".join([*rows, ""]))


def site_data(rng: random.Random, titles: list[Title], copies: list[Copy]) -> dict[str, Any]:
    members = [
        {
            "card": f"{2000 + at * 17}",
            "name": name,
            "pin": f"{rng.randrange(1000, 9999)}",
            "email": f"{name.split()[0].lower()}@readers.test",
            "blocked": "",
        }
        for at, name in enumerate(MEMBERS)
    ]
    away = [each for each in copies if each.status == "on loan"]
    loans = [
        {
            "id": f"L-{100 + at}",
            "item": each.barcode,
            "member": rng.choice(members)["card"],
            "lent_on": f"2026-02-{rng.randint(2, 12):02d}",
            "due_on": f"2026-03-{rng.randint(1, 9):02d}",
            "returned_on": None,
            "renewals": 0,
        }
        for at, each in enumerate(away)
    ]
    returned = [each for each in away if each.finding == "returned"]
    kept = next(each for each in copies if each.status == "on hold shelf")
    # Somebody waits for one of those that are taken back; the site sets it aside by itself.
    holds = [
        {
            "id": f"H-{50 + at}",
            "title": each.title["id"],
            "member": rng.choice(members)["card"],
            "branch": each.branch,
            "placed_at": f"2026-02-2{at}T10:00:00Z",
            "status": status,
            "item": item,
        }
        for at, (each, status, item) in enumerate(
            [(kept, "ready", kept.barcode), (returned[0], "waiting", None)]
        )
    ]
    # Whole rows: what is left out, the site writes with its default, and that would be a change.
    rows = [
        {key: value for key, value in title.items() if key not in ("mark", "number")}
        for title in titles
    ]
    return {
        "titles": rows,
        "items": [each.row() for each in copies],
        "members": members,
        "loans": loans,
        "holds": holds,
    }


def expected(copies: list[Copy], unknown: list[str], data: dict[str, Any]) -> dict[str, Any]:
    """What the report says, and what the portal holds in the end, by barcode."""
    lines = sorted(
        [[each.barcode, each.title["title"], each.finding] for each in copies if each.finding]
        + [[barcode, "", "unknown"] for barcode in unknown]
    )
    missing = {
        each.barcode: "; ".join(filter(None, [each.note, NOTE]))
        for each in copies
        if each.finding == "missing"
    }
    found = [each.barcode for each in copies if each.finding == "found"]
    waiting = {hold["title"]: hold["id"] for hold in data["holds"] if hold["status"] == "waiting"}
    returned = {
        each.barcode: waiting.get(each.title["id"]) for each in copies if each.finding == "returned"
    }
    return {"lines": lines, "missing": missing, "found": found, "returned": returned}
