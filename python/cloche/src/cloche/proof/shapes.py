"""Variations that are as right as the run itself: another program wrote them, or another person."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .changes import Shape
from .ground import Edits, Files, Ground
from .letters import is_message, new_messages
from .mutants import carried, is_free, numbered
from .office import MAIN, Book, Page, renumber, set_number, set_text

WORKSPACE, STATE = "after", "state-after"
#: Shapes that a task has to ask for: not every task says that they are right.
ON_REQUEST = ("number-as-text", "iso-dates", "row-order")
_EXCEL_DAY = date(1899, 12, 30)


def all_shapes(
    ground: Ground, seed: str, uses: Iterable[str], free: list[str], lenient: Iterable[str]
) -> list[Shape]:
    """Variations that must pass; those of ``ON_REQUEST`` only if the task calls them lenient."""
    rng = random.Random(seed)
    wanted = set(lenient)
    found: list[Shape] = []
    for path in ground.changed(WORKSPACE):
        place = ground.place(WORKSPACE, path)
        if is_free(place, free):
            continue
        shapes = book_shapes if path.endswith((".xlsx", ".xlsm")) else text_shapes
        for shape, change, data in shapes(ground.read(WORKSPACE, path), path, rng):
            if data != ground.read(WORKSPACE, path) and _is_wanted(shape, wanted):
                files = carried(ground, {(WORKSPACE, path): data})
                found.append(Shape(shape, place, change, Edits(files)))
    found += mail_shapes(ground)
    found += calendar_shapes(ground)
    if "steps" in set(uses):
        found += step_shapes(ground)
    return found


def _is_wanted(shape: str, lenient: set[str]) -> bool:
    return shape not in ON_REQUEST or shape in lenient


def text_shapes(data: bytes, path: str, rng: random.Random) -> Iterator[tuple[str, str, bytes]]:
    """Other line ends, a final one more or less, blanks that nobody sees."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    if "\0" in text or ("\n" not in text.strip() and not path.endswith((".txt", ".md", ".csv"))):
        return
    plain = text.replace("\r\n", "\n")
    yield "crlf", "lines end with CRLF", plain.replace("\n", "\r\n").encode()
    yield "lf", "lines end with LF", plain.encode()
    if plain.endswith("\n"):
        yield "final-newline", "without a final line end", text.rstrip("\r\n").encode()
    else:
        yield "final-newline", "with a final line end", f"{text}\n".encode()
    if "," not in text and not path.endswith((".csv", ".tsv")):
        ended = re.sub(r"(?<=\S)$", " ", plain, flags=re.MULTILINE)
        yield "trailing-blanks", "a blank at each line's end", ended.encode()
    lines = plain.splitlines()
    if len(lines) > 2:
        rng.shuffle(lines)
        yield "row-order", "lines in another order", ("\n".join(lines) + "\n").encode()


def book_shapes(data: bytes, path: str, rng: random.Random) -> Iterator[tuple[str, str, bytes]]:
    """A workbook as other programs write it."""
    try:
        book = Book(data)
    except ValueError:
        return
    yield from _cell_shapes(book)
    for sheet in book.sheets:
        page = book.page(sheet)
        if not page.rows:
            continue
        last = page.rows[-1]
        blank = copy.deepcopy(last)
        for cell in blank:
            for child in list(cell):
                cell.remove(child)
            cell.attrib.pop("t", None)
        renumber(blank, int(last.get("r", 0)) + 1)
        last.addnext(blank)
        yield "trailing-blank-row", f"{sheet} has a row of blank cells", page.bytes()
        shuffled = _shuffled(book, sheet, rng)
        if shuffled is not None:
            yield "row-order", f"rows of {sheet} in another order", shuffled


def _cell_shapes(book: Book) -> Iterator[tuple[str, str, bytes]]:
    ways: list[tuple[str, str, Any]] = [
        ("float-noise", "numbers off by 1e-12", _with_noise),
        ("whole-as-float", "3 written as 3.0", _as_float),
        ("strings-inline", "texts in the cells themselves", _inline),
        ("no-values", "no values remembered for formulas", _without_value),
        ("number-as-text", "numbers as texts", _number_as_text),
        ("iso-dates", "dates as ISO texts", _iso_date),
    ]
    for shape, words, change in ways:
        parts: dict[str, Any] = {}
        for sheet in book.sheets:
            page = book.page(sheet)
            # All at once: what is done decides, a list would stop at the first.
            if sum([change(page, cell) for cell in list(page.cells().values())]):
                parts[book.sheets[sheet]] = page.root
        if parts:
            yield shape, words, book.written(parts)


def _with_noise(page: Page, cell: Any) -> bool:
    text = page.text(cell)
    if page.kind(cell) != "number" or "." not in text:
        return False
    set_number(cell, repr(float(text) + 1e-12 * max(1.0, abs(float(text)))))
    return True


def _as_float(page: Page, cell: Any) -> bool:
    if page.kind(cell) not in ("number", "date") or not re.fullmatch(r"-?\d+", page.text(cell)):
        return False
    set_number(cell, f"{page.text(cell)}.0")
    return True


def _inline(page: Page, cell: Any) -> bool:
    if cell.get("t") != "s":
        return False
    set_text(cell, page.text(cell))
    return True


def _without_value(page: Page, cell: Any) -> bool:
    value = cell.find(f"{{{MAIN}}}v")
    if page.kind(cell) != "formula" or value is None:
        return False
    cell.remove(value)
    return True


def _number_as_text(page: Page, cell: Any) -> bool:
    if page.kind(cell) != "number":
        return False
    set_text(cell, page.text(cell))
    return True


def _iso_date(page: Page, cell: Any) -> bool:
    if page.kind(cell) != "date" or not re.fullmatch(r"\d+", page.text(cell)):
        return False
    set_text(cell, (_EXCEL_DAY + timedelta(days=int(page.text(cell)))).isoformat())
    return True


def _shuffled(book: Book, sheet: str, rng: random.Random) -> bytes | None:
    """The sheet with the rows below its first in another order; None if formulas stand in them."""
    page = book.page(sheet)
    rows = page.rows[1:]
    if len(rows) < 3 or any(page.kind(cell) == "formula" for row in rows for cell in row):
        return None
    numbers = [int(row.get("r", 0)) for row in rows]
    parent = rows[0].getparent()
    for row in rows:
        parent.remove(row)
    rng.shuffle(rows)
    for number, row in zip(numbers, rows):
        renumber(row, number)
        parent.append(row)
    return page.bytes()


def mail_shapes(ground: Ground) -> Iterator[Shape]:
    """Sent mails with CRLF; an unread mail that was read."""
    for copies in new_messages(ground).values():
        files: Files = {
            (STATE, path): ground.read(STATE, path).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            for path in copies
        }
        yield Shape("mail-crlf", "state/mail", "the mail's lines end with CRLF", Edits(files))
        break
    for path in ground.unchanged(STATE):
        head = f"mail/{ground.me}/new/"
        if ground.me and path.startswith(head) and is_message(path):
            name = path.removeprefix(head)
            seen = f"mail/{ground.me}/cur/{name}:2,S"
            files = {(STATE, path): None, (STATE, seen): ground.read(STATE, path)}
            yield Shape("mail-read", "state/mail", "a mail that was unread is read", Edits(files))
            return


def calendar_shapes(ground: Ground) -> Iterator[Shape]:
    """New events with their times in UTC."""
    files: Files = {}
    for path in ground.changed(STATE):
        if not path.startswith("calendar/"):
            continue
        old = (ground.before(STATE, path) or b"").decode("utf-8", "replace")
        text = ground.read(STATE, path).decode("utf-8", "replace")
        changed = re.sub(
            r"BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n",
            partial(_in_utc_if_new, old=old),
            text,
            flags=re.DOTALL,
        )
        if changed != text:
            files[(STATE, path)] = changed.encode()
    if files:
        yield Shape("utc-times", "state/calendar", "times of new events in UTC", Edits(files))


def _in_utc_if_new(block: re.Match[str], old: str) -> str:
    return block[0] if block[0] in old or "RRULE" in block[0] else _in_utc(block[0])


def _in_utc(block: str) -> str:
    def utc(found: re.Match[str]) -> str:
        try:
            zone = ZoneInfo(found[2])
        except (ZoneInfoNotFoundError, ValueError):
            return found[0]
        moment = datetime.strptime(found[3], "%Y%m%dT%H%M%S").replace(tzinfo=zone)
        return f"{found[1]}:{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    return re.sub(
        r"^(DTSTART|DTEND);TZID=([^:;\n]+):(\d{8}T\d{6})(?!Z)", utc, block, flags=re.MULTILINE
    )


def step_shapes(ground: Ground) -> Iterator[Shape]:
    """One more call that only reads, at the end: the last that did not change a thing, again."""
    reading = [
        step
        for step in ground.steps
        if re.match(r"(list|read|get|find|search|describe)_", step["tool"])
        and step["outcome"] == "ok"
    ]
    if reading:
        twin = copy.deepcopy(reading[-1])
        twin["step"] = ground.steps[-1]["step"] + 1
        twin["overlaps"] = []
        steps = numbered([*ground.steps, twin])
        yield Shape("one-more-look", "steps", f"{twin['tool']} once more", Edits(steps=steps))
