"""Mutants of workbooks. Charts, styles and all else that no mutant is about stay as they are."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .additions import workbook_additions
from .changes import FREE_WORDS, Mutant, off_by_one, short, some
from .ground import Edits, Ground
from .office import MAIN, Book, Page, clear, renumber, set_formula, set_number, set_text

CELLS, EMPTIED, ROWS, OTHERS = 24, 5, 3, 4


def workbook_mutants(ground: Ground, tree: str, path: str, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of one workbook that the agent made or changed."""
    try:
        book = Book(ground.read(tree, path))
    except ValueError:
        return
    old = _old_book(ground, tree, path)
    maker = _Maker(ground, tree, path, book)
    yield from maker.names()
    changed: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for sheet in book.sheets:
        page = book.page(sheet)
        before = _texts(old, sheet)
        known = _lines(old, sheet)
        rows = [row for row in page.rows if page.line(row) and page.line(row) not in known]
        new = {cell.get("r", "") for row in rows for cell in row}
        for address, cell in page.cells().items():
            moved = address not in new
            same = moved or before.get(address) == page.text(cell)
            (others if same else changed).append((sheet, address))
        # A first row is mostly a heading, not one of a list's lines.
        numbers = [int(row.get("r", 0)) for row in rows if int(row.get("r", 0)) > 1]
        yield from maker.row_mutants(sheet, some(numbers, ROWS, rng))
    for sheet, address in some(changed, CELLS, rng):
        yield from maker.cell_mutant("wrong", sheet, address, rng)
    for sheet, address in some(changed, EMPTIED, rng):
        yield from maker.emptied("partial", sheet, address)
    if old is not None:
        for sheet, address in some(others, OTHERS, rng):
            yield from maker.cell_mutant("forbidden", sheet, address, rng)
        for sheet, address in some(others, 2, rng):
            yield from maker.emptied("forbidden", sheet, address)
    worked_on = {sheet for sheet, _ in changed}
    yield from workbook_additions(ground.place(tree, path), (tree, path), book, worked_on)


class _Maker:
    def __init__(self, ground: Ground, tree: str, path: str, book: Book) -> None:
        self._key = (tree, path)
        self._place = ground.place(tree, path)
        self._book = book

    def cell_mutant(
        self, family: Any, sheet: str, address: str, rng: random.Random
    ) -> Iterator[Mutant]:
        """The cell with another value."""
        page = self._book.page(sheet)
        cell = page.cell(address)
        was = page.text(cell)
        operator = _change_cell(page, cell, rng)
        if operator is not None:
            change = f"{short(was)} → {short(page.text(cell))}"
            yield self._mutant(family, f"{sheet}!{address}", operator, change, page.bytes())

    def emptied(self, family: Any, sheet: str, address: str) -> Iterator[Mutant]:
        """The cell with nothing in it."""
        page = self._book.page(sheet)
        cell = page.cell(address)
        change = f"{short(page.text(cell))} → nothing"
        clear(cell)
        yield self._mutant(family, f"{sheet}!{address}", "cell emptied", change, page.bytes())

    def row_mutants(self, sheet: str, numbers: list[int]) -> Iterator[Mutant]:
        """Rows dropped, doubled, swapped, and one more."""
        for number in numbers:
            page = self._book.page(sheet)
            shown = short(" | ".join(text for _, text in page.line(page.row(number))))
            page.row(number).getparent().remove(page.row(number))
            page.move(number + 1, -1)
            where = f"{sheet}!{number}"
            yield self._mutant("partial", where, "row dropped", shown, page.bytes())
            yield self._mutant("extra", where, "row doubled", shown, self._inserted(sheet, number))
        if numbers:
            last = numbers[-1]
            data = self._inserted(sheet, last, changed=True)
            yield self._mutant("extra", f"{sheet}!{last + 1}", "row added", "a row like it", data)
        for one, other in pairwise(numbers):
            yield from self._swapped(sheet, one, other)

    def names(self) -> Iterator[Mutant]:
        """Sheets renamed."""
        workbook = self._book.xml("xl/workbook.xml")
        for sheet in list(self._book.sheets)[:4]:
            copied = copy.deepcopy(workbook)
            for each in copied.iter(f"{{{MAIN}}}sheet"):
                if each.get("name") == sheet:
                    each.set("name", f"{sheet[:28]} x")
            data = self._book.written({"xl/workbook.xml": copied})
            yield self._mutant("wrong", sheet, "sheet renamed", f"{sheet} → {sheet[:28]} x", data)

    def _inserted(self, sheet: str, number: int, changed: bool = False) -> bytes:
        page = self._book.page(sheet)
        page.move(number + 1, 1)
        row = page.row(number)
        twin = copy.deepcopy(row)
        row.addnext(twin)
        renumber(twin, number + 1)
        if changed:
            for cell in twin:
                _change_cell(page, cell, random.Random(number))
        return page.bytes()

    def _swapped(self, sheet: str, one: int, other: int) -> Iterator[Mutant]:
        page = self._book.page(sheet)
        first, second = page.row(one), page.row(other)
        if page.line(first) == page.line(second):
            return
        if any(page.kind(cell) == "formula" for row in (first, second) for cell in row):
            return  # Its references would lead elsewhere.
        twin = copy.deepcopy(first)
        first.getparent().replace(second, twin)
        first.getparent().replace(first, second)
        renumber(twin, other)
        renumber(second, one)
        change = f"rows {one} and {other}"
        yield self._mutant("wrong", f"{sheet}!{one}", "rows swapped", change, page.bytes())

    def _mutant(self, family: Any, where: str, operator: str, change: str, data: bytes) -> Mutant:
        return Mutant(family, self._place, where, operator, change, Edits({self._key: data}))


def _change_cell(page: Page, cell: Any, rng: random.Random) -> str | None:
    """Gives the cell another value of its kind; the operator's name, None if it has none."""
    kind, text = page.kind(cell), page.text(cell)
    if kind == "formula":
        shared = cell.find(f"{{{MAIN}}}f").get("t") is not None
        if shared:
            return None
        set_formula(cell, f"({text[1:]})+1")
        return "computed number off by one"
    if kind in ("date", "number"):
        try:
            number = float(text)
        except ValueError:
            return None
        if kind == "date":
            set_number(cell, repr(number + 1).removesuffix(".0"))
            return "date shifted"
        whole = number.is_integer()
        set_number(cell, str(int(number) + 1) if whole else repr(round(number + 0.01, 6)))
        return "cell off by one" if whole else "cell off by a hundredth"
    if kind == "text" and text:
        changed = off_by_one(text, rng)
        if changed is None and len(text.split()) <= FREE_WORDS:
            changed = (f"{text}ix", "word changed")
        if changed is not None:
            set_text(cell, changed[0])
            return changed[1]
    return None


def _old_book(ground: Ground, tree: str, path: str) -> Book | None:
    data = ground.before(tree, path)
    try:
        return Book(data) if data is not None else None
    except ValueError:
        return None


def _texts(book: Book | None, sheet: str) -> dict[str, str]:
    if book is None or sheet not in book.sheets:
        return {}
    page = book.page(sheet)
    return {address: page.text(cell) for address, cell in page.cells().items()}


def _lines(book: Book | None, sheet: str) -> set[Any]:
    if book is None or sheet not in book.sheets:
        return set()
    page = book.page(sheet)
    return {page.line(row) for row in page.rows}
