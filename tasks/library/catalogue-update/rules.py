"""The rules of instruction.md, applied to what is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from month import Copy, Correction, Line, Month


def settle(
    month: Month, current: list[Copy] | None = None, without: Correction | None = None
) -> tuple[dict[str, int], dict[str, int], dict[str, set[str]]]:
    """Applies the rules to what is written: the line of each title, and which reports made it.

    `current` is the sheet to believe (the copies that are held, unless told otherwise); `without`
    leaves one correction out.
    """
    corrections = [c for c in month.corrections if c is not without]
    held = [c for c in month.copies if not c.withdrawn] if current is None else current
    lines = {
        name: corrected(getattr(month, name), name, corrections)
        for name in ("delivery", "damage", "donations", "purge")
    }
    purged = [(isbn_of(line.isbn), line.where) for line in lines["purge"]]
    on_list = {isbn for isbn, _ in purged if isbn}
    written_off = {line.barcode for line in lines["damage"] if line.verdict == "write-off"}
    delivered: Counter[str | None] = Counter()
    given: Counter[str | None] = Counter()
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    causes: dict[str, set[str]] = {}
    for line in lines["delivery"]:
        delivered[isbn_of(line.isbn)] += line.number
    for line in lines["donations"]:
        if line.verdict == "accepted" and isbn_of(line.isbn) not in on_list:
            given[isbn_of(line.isbn)] += line.number
    for copy in held:
        isbn = copy.book.isbn
        weeded = copy.collection == "Lending" and bool(
            {(isbn, "all branches"), (isbn, copy.branch)} & set(purged)
        )
        before[isbn] += 1
        after[isbn] += not (copy.barcode in written_off or weeded)
        for report, here in (("damage", copy.barcode in written_off), ("purge", weeded)):
            causes.setdefault(isbn, set()).update({report} if here else ())
    add: dict[str, int] = {}
    delete: dict[str, int] = {}
    for isbn in {isbn for isbn in (*before, *delivered, *given) if isbn is not None}:
        now = after[isbn] + delivered[isbn] + given[isbn]
        if not before[isbn] and now:
            add[isbn] = now
            causes[isbn] = {
                name for name, came in (("delivery", delivered), ("donations", given)) if came[isbn]
            }
        elif before[isbn] and not now:
            delete[isbn] = 0
    return add, delete, causes


def corrected(lines: list[Line], report: str, corrections: list[Correction]) -> list[Line]:
    changes = {c.reference: c.changes for c in corrections if c.report == report}
    lines = [replace(line, **changes.get(line.reference, {})) for line in lines]
    return [line for line in lines if not line.void]


def isbn_of(text: str) -> str | None:
    """The ISBN-13 that a text means, or None if its check digit is wrong."""
    plain = text.replace("-", "").replace(" ", "").upper()
    if len(plain) == 10 and plain[9] == check_digit_10(plain[:9]):
        return "978" + plain[:9] + check_digit_13("978" + plain[:9])
    if len(plain) == 13 and plain[12] == check_digit_13(plain[:12]):
        return plain
    return None


def check_digit_13(body: str) -> str:
    return str(-sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(body)) % 10)


def check_digit_10(body: str) -> str:
    rest = -sum(int(c) * (10 - i) for i, c in enumerate(body)) % 11
    return "X" if rest == 10 else str(rest)
