"""Hostile and damaged office files and PDFs: bombs, entities, formulas beyond all bounds."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from lxml import etree

from ..office import MAIN, WORD, Book, Package, Page, clear, set_formula, set_number, set_text
from .raw import Dose

#: What a bomb unpacks to.
BOMB = 96 << 20
FORMULAS = {
    "a sum beyond all numbers": "SUM(1E308,1E308)",
    "a text of 1E300 letters": 'REPT("",1E300)',
    "a text of 30 MB": 'REPT("abc",10000000)',
    "a sum of 900 terms": "+".join(["1"] * 900),
    "200 parentheses": "(" * 200 + "1" + ")" * 200,
    "a formula that is none": '=)(,,"',
    "a function that nobody has": 'WEBSERVICE("http://x.test/")&NOSUCH(1)',
    "a reference to itself": "SUM(A1:XFD1048576)",
    "a reference to nowhere": "#REF!+Nosuch!A1",
    "a power beyond all bounds": "10^10^10",
    "a division by nothing": "1/0",
    "an array of a million": "SUM(ROW(A1:A1048576)*COLUMN(A1:CV1))",
}
VALUES = ("1E400", "NaN", "-INF", "1e308", "1_0", "", "99999999999", "-1")
_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in zip("abcdefgh", "bcdefghi")
    )
    + "]>"
)


def office_damages(data: bytes) -> Iterator[Dose]:
    """A workbook, a Word document or another zip, with something hostile in it."""
    try:
        package = Package(data)
    except ValueError:
        return
    main = next((p for p in ("xl/workbook.xml", "word/document.xml") if p in package.parts), None)
    parts = sorted(p for p in package.parts if p.startswith("xl/worksheets/")) or [main or ""]
    first = parts[0]
    yield Dose("a part that unpacks to 96 MiB", lambda: _bombed(package, first), True)
    yield Dose("20,000 parts", lambda: _with_parts(data, 20_000))
    yield Dose("a part twice", lambda: _with_parts(data, 1, first or "x"))
    yield Dose("a part that leads out", lambda: _with_parts(data, 1, "../../etc/passwd"))
    if main is None:
        return
    deep = b"<a>" * 50_000 + b"</a>" * 50_000
    for kind, part, content, ruins in (
        ("entities that multiply", first, lambda: _entities(package.parts[first]), False),
        ("its main part empty", main, lambda: b"", True),
        ("50,000 elements deep", first, lambda: deep, True),
    ):
        made = lambda part=part, content=content: package.written({part: content()})  # noqa: E731
        yield Dose(kind, made, ruins)
    yield Dose("its main part missing", lambda: _without(package, main), True)
    if main == "xl/workbook.xml":
        yield from _book_damages(data)
    else:
        yield from _document_damages(package, main)


def _book_damages(data: bytes) -> Iterator[Dose]:
    try:
        book = Book(data)
    except ValueError:
        return
    cells: dict[str, Callable[[Any], object]] = {
        **{kind: partial(_formula, text) for kind, text in FORMULAS.items()},
        **{f"the number {text or 'that is blank'}": partial(_number, text) for text in VALUES},
        "a text that there is not": lambda cell: _typed(cell, "s", "99999999"),
        "a date that is none": lambda cell: _typed(cell, "d", "2026-99"),
        "an error": lambda cell: _typed(cell, "e", "#N/A"),
        "a cell of no type": lambda cell: _typed(cell, "zz", "1"),
        "texts of 40,000 letters": lambda cell: set_text(cell, "x" * 40_000),
    }
    for kind, change in cells.items():
        yield Dose(kind, partial(_with_cells, book, change))
    pages: dict[str, Callable[[Page], None]] = {
        "all rows deleted": _no_rows,
        "the first row deleted": _no_heading,
        "a cell in the last place of all": _far_cell,
        "cells that do not say where they are": _nowhere,
        "all cells merged": _merged,
    }
    for kind, alter in pages.items():
        yield Dose(kind, partial(_with_pages, book, alter), kind == "all rows deleted")


def _with_cells(book: Book, change: Callable[[Any], object]) -> bytes | None:
    """In every sheet the last number, date or formula is changed; None if there is none."""
    parts: dict[str, Any] = {}
    for sheet in book.sheets:
        page = book.page(sheet)
        cells = [c for c in page.cells().values() if page.kind(c) in ("number", "date", "formula")]
        for cell in cells[-1:]:
            change(cell)
            parts[book.sheets[sheet]] = page.root
    return book.written(parts) if parts else None


def _with_pages(book: Book, alter: Callable[[Page], None]) -> bytes:
    parts: dict[str, Any] = {}
    for sheet in book.sheets:
        page = book.page(sheet)
        alter(page)
        parts[book.sheets[sheet]] = page.root
    return book.written(parts)


def _formula(text: str, cell: Any) -> None:
    set_formula(cell, text)


def _number(text: str, cell: Any) -> None:
    set_number(cell, text)


def _typed(cell: Any, kind: str, value: str) -> None:
    set_number(cell, value)
    cell.set("t", kind)


def _no_rows(page: Page) -> None:
    for row in page.rows:
        row.getparent().remove(row)


def _no_heading(page: Page) -> None:
    for row in page.rows[:1]:
        row.getparent().remove(row)


def _far_cell(page: Page) -> None:
    data = page.root.find(f"{{{MAIN}}}sheetData")
    row = etree.SubElement(data, f"{{{MAIN}}}row", r="1048576")
    set_text(etree.SubElement(row, f"{{{MAIN}}}c", r="XFD1048576"), "x")


def _nowhere(page: Page) -> None:
    for row in page.rows:
        row.attrib.pop("r", None)
        for cell in row:
            cell.set("r", "ZZZZ0")


def _merged(page: Page) -> None:
    merged = etree.Element(f"{{{MAIN}}}mergeCells")
    etree.SubElement(merged, f"{{{MAIN}}}mergeCell", ref="A1:XFD1048576")
    page.root.find(f"{{{MAIN}}}sheetData").addnext(merged)


def _document_damages(package: Package, main: str) -> Iterator[Dose]:
    yield Dose("tables nested 2,000 deep", lambda: package.written({main: _nested(package, main)}))
    yield Dose("no texts", lambda: package.written({main: _silent(package, main)}), True)
    rels = next((p for p in package.parts if p.endswith("document.xml.rels")), None)
    if rels is not None:
        yield Dose("relations that are no XML", lambda: package.written({rels: b"<<<"}))


def _nested(package: Package, main: str) -> Any:
    root = package.xml(main)
    inner = root.find(f"{{{WORD}}}body")
    for _ in range(2_000):
        table = etree.SubElement(inner, f"{{{WORD}}}tbl")
        inner = etree.SubElement(etree.SubElement(table, f"{{{WORD}}}tr"), f"{{{WORD}}}tc")
    return root


def _silent(package: Package, main: str) -> Any:
    root = package.xml(main)
    for text in root.iter(f"{{{WORD}}}t"):
        clear(text)
        text.text = None
    return root


@lru_cache(maxsize=1)
def _zeros() -> bytes:
    return bytes(BOMB)


def _bombed(package: Package, part: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in package.parts.items():
            archive.writestr(name, _zeros() if name == part else content)
        if part not in package.parts:
            archive.writestr("bomb", _zeros())
    return buffer.getvalue()


def _with_parts(data: bytes, count: int, name: str = "more/{}.xml") -> bytes:
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of a name that is there already.
        for at in range(count):
            archive.writestr(zipfile.ZipInfo(name.format(at), (1980, 1, 1, 0, 0, 0)), b"<x/>")
    return buffer.getvalue()


def _entities(text: bytes) -> bytes:
    start = text.find(b"?>") + 2 if text.startswith(b"<?xml") else 0
    inner = text[start:]
    at = inner.rfind(b"</")
    return _BOMB.encode() + inner[:at] + b"&i;" + inner[at:]


def _without(package: Package, part: str) -> bytes:
    rest = Package.__new__(Package)
    rest.parts = {name: data for name, data in package.parts.items() if name != part}
    return rest.written({})


def pdf_damages(data: bytes) -> Iterator[Dose]:
    """A PDF that is broken, or of which there is no end."""
    if b"%PDF-" not in data[:1024]:
        return
    yield Dose("no end of the file", data[: data.rfind(b"startxref")], False)
    yield Dose("pages that hold themselves", data.replace(b"/Kids [", b"/Kids [1 0 R 2 0 R 3 0 R "))
    yield Dose("a million pages", data.replace(b"/Count ", b"/Count 1000000"))
    yield Dose("arrays of 100,000 brackets", data + b"9 0 obj\n" + b"[" * 100_000 + b"\nendobj\n")
