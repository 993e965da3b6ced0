"""Grades what the portal holds and what the report says."""

import csv
import io
from collections.abc import Iterable, Mapping
from fractions import Fraction

from cloche import Run, check, criterion, fail, grade
from cloche.state.sites import Item
from cloche.state.web import Site
from cloche.text import squeeze

REPORT = "stocktake/report.csv"
HEADER = ["barcode", "title", "finding"]
TODAY = "2026-03-02"


@criterion(
    "what was not found is missing in the portal",
    weight=3,
    asks="it was not scanned, and its status is `available` or `reference only`. Set its "
    "status to `missing`.",
)
def missing(run: Run) -> tuple[Fraction, str]:
    return became(run, "missing", set(run.expected["missing"]))


@criterion(
    "the notes of what is missing say so",
    weight=2,
    asks="Write `Not found on 2026-03-02` into its note; if there is a note already, keep "
    "it and write this after it, with `; ` between.",
)
def notes(run: Run) -> tuple[Fraction, str]:
    wanted, items = run.expected["missing"], items_of(run)
    found = {barcode: squeeze(items[barcode].note) for barcode in wanted if barcode in items}
    wrong = [
        f"{barcode}: expected the note {note!r}, found {found.get(barcode)!r}"
        for barcode, note in wanted.items()
        if found.get(barcode) != note
    ]
    right = len(wanted) - len(wrong)
    return Fraction(right, len(wanted)), "; ".join(wrong) or f"{right} notes"


@criterion(
    "what was found is available in the portal",
    weight=2,
    asks="it was scanned, and its status is `missing` or `in repair`. Set its status to "
    "`available`, and leave its note as it is.",
)
def found(run: Run) -> tuple[Fraction, str]:
    score, reason = became(
        run, "available", set(run.expected["found"]), set(run.expected["returned"])
    )
    before, items = items_of(run, before=True), items_of(run)
    lost = [
        barcode
        for barcode in run.expected["found"]
        if barcode in items and items[barcode].note != before[barcode].note
    ]
    check(not lost, f"expected the notes of {shown(lost)} as they were, found other ones")
    return score, reason


@criterion(
    "what was on loan and is there was taken back",
    weight=2,
    asks="it was scanned, and its status is `on loan`. Take it back at the staff desk; "
    "nothing else.",
)
def returned(run: Run) -> tuple[Fraction, str]:
    before = {loan.id for loan in site(run, before=True).loans() if loan.returned_on is None}
    back = {
        loan.item
        for loan in site(run).loans()
        if loan.id in before and f"{loan.returned_on}" == TODAY
    }
    wanted, items = run.expected["returned"], items_of(run)
    wrong = [
        f"{barcode}: expected it taken back, found its loan open"
        for barcode in wanted
        if barcode not in back
    ]
    for barcode, hold in wanted.items():
        proper = "available" if hold is None else "on hold shelf"
        status = items[barcode].status if barcode in items else "gone"
        if barcode in back and status != proper:
            wrong.append(f"{barcode}: expected it {proper}, found it {status}")
    surplus = back - set(wanted)
    wrong += [f"{barcode}: taken back, and was not scanned" for barcode in sorted(surplus)]
    right = max(0, len(wanted) + len(surplus) - len(wrong))
    return Fraction(right, len(wanted) + len(surplus)), "; ".join(wrong) or f"{right} loans"


@criterion(
    "the report has its form",
    weight=1,
    asks="Write `/workspace/stocktake/report.csv`: the header `barcode,title,finding`, "
    "then one line for each item that you found *missing*, *found* or *returned*,",
)
def form(run: Run) -> tuple[bool, str]:
    header, *rows = rows_of(run)
    check(header == HEADER, f"expected the header {','.join(HEADER)}, found {','.join(header)}")
    barcodes = [row[0] for row in rows]
    check(barcodes == sorted(barcodes), "expected lines sorted by barcode, found another order")
    check(len(set(barcodes)) == len(barcodes), "expected each barcode once, found one twice")
    right = {line[0] for line in run.expected["lines"]} & set(barcodes)
    check(right, f"expected lines of what was found, found none among {len(rows)}")
    return True, f"{len(rows)} lines, sorted"


@criterion(
    "the report says what was found",
    weight=3,
    asks="with its whole title as the portal has it, one line with the finding `elsewhere` "
    "for each scanned item that does not belong there, and one line with an empty "
    "title and the finding `unknown` for each scanned barcode that the portal does "
    "not have; sorted by barcode.",
)
def findings(run: Run) -> tuple[Fraction, str]:
    wanted = {tuple(line) for line in run.expected["lines"]}
    rows = [tuple(row) for row in rows_of(run)[1:]]
    right = wanted & set(rows)
    wrong = [f"expected no line {','.join(row)}" for row in rows if row not in wanted]
    lacking = [f"expected a line {','.join(line)}, found none" for line in sorted(wanted - right)]
    of = len(wanted) + len(rows) - len(right)
    return Fraction(len(right), of), "; ".join(wrong + lacking) or f"all {len(right)} findings"


@criterion(
    "nothing else has changed in the portal",
    must_not=True,
    cap=0.5,
    asks="Change nothing else in the portal.",
)
def portal(run: Run) -> tuple[bool, str]:
    now, then = site(run), site(run, before=True)
    for table in ("titles", "members", "staff", "rooms", "bookings"):
        check(now.rows(table) == then.rows(table), f"expected {table} as they were, found a change")
    items = run.expected["missing"].keys() | run.expected["returned"].keys()
    items |= set(run.expected["found"])
    free = {barcode: {"status", "note"} for barcode in items}
    same(now, then, "items", "barcode", free)
    loans = {
        row["id"]: {"returned_on"}
        for row in then.rows("loans")
        if row["item"] in run.expected["returned"] and row["returned_on"] is None
    }
    same(now, then, "loans", "id", loans)
    waiting = {hold: {"status", "item"} for hold in run.expected["returned"].values() if hold}
    same(now, then, "holds", "id", waiting)
    for barcode, hold in run.expected["returned"].items():
        row = now.row("holds", id=hold) if hold else None
        right = (("waiting", None), ("ready", barcode))
        kept = row is None or (row["status"], row["item"]) in right
        check(kept, f"expected hold {hold} waiting or ready with {barcode}, found it otherwise")
    return True, "titles, members and all other copies as they were"


@criterion(
    "no other file has changed",
    weight=1,
    must_not=True,
    asks="Change no other file, and create none.",
)
def untouched(run: Run) -> tuple[bool, str]:
    stray = run.workspace.changed().outside(REPORT)
    check(not stray, f"files changed: {shown(stray)}")
    return True, "no other file"


def site(run: Run, before: bool = False) -> Site:
    return (run.state_before if before else run.state).web.site("library")


def items_of(run: Run, before: bool = False) -> dict[str, Item]:
    return {item.barcode: item for item in site(run, before).items()}


def became(
    run: Run, status: str, wanted: set[str], also: Iterable[str] = ()
) -> tuple[Fraction, str]:
    """The share of copies that have got this status, of those wanted and those too many."""
    before, items = items_of(run, before=True), items_of(run)
    now = {
        barcode
        for barcode, item in items.items()
        if barcode in before and item.status == status != before[barcode].status
    }
    lacking, surplus = wanted - now, now - wanted - set(also)
    reasons = [
        f"{barcode}: expected {status}, found {items[barcode].status}"
        if barcode in items
        else f"{barcode}: expected {status}, found no such copy"
        for barcode in sorted(lacking)
    ]
    reasons += [
        f"{barcode}: expected {before[barcode].status}, found {status}"
        for barcode in sorted(surplus)
    ]
    return (
        Fraction(len(wanted & now), len(wanted) + len(surplus)),
        "; ".join(reasons) or f"{len(wanted)} copies",
    )


def same(now: Site, then: Site, table: str, key: str, free: Mapping[str, set[str]]) -> None:
    """Whether the rows are those that were there, but for these fields of these rows."""
    old, new = ({row[key]: row for row in each.rows(table)} for each in (then, now))
    check(len(new) == len(now.rows(table)), f"expected no row of {table} twice, found one")
    check(
        old.keys() == new.keys(),
        f"expected the rows of {table} as they were, found others: "
        f"{shown(old.keys() ^ new.keys())}",
    )
    for name, row in old.items():
        odd = [
            field
            for field in {**row, **new[name]}
            if field not in free.get(name, ()) and row.get(field) != new[name].get(field)
        ]
        check(not odd, f"expected {name} of {table} as it was, found other {shown(odd)}")


def rows_of(run: Run) -> list[list[str]]:
    """The lines of the report, blank ones left out; each has three columns."""
    text = run.workspace.file(REPORT).text()
    rows = [[squeeze(cell) for cell in row] for row in csv.reader(io.StringIO(text))]
    rows = [row for row in rows if any(row)]
    check(len(rows) >= 2, f"expected a header and lines in {REPORT}, found {len(rows)} lines")
    if odd := next((row for row in rows if len(row) != len(HEADER)), None):
        fail(f"expected three columns in each line, found {','.join(odd)!r}")
    return rows


def shown(values: Iterable[object]) -> str:
    return ", ".join(sorted(str(each) for each in values)) or "none"


grade()
