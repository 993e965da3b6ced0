"""Office files as their parts: changed where they are to be changed and nowhere else."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from lxml import etree
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_REFERENCE = re.compile(r"(?<![\w.!'])(\$?[A-Z]{1,3}\$?)(\d{1,7})(?![\w(.])")


class Package:
    """The parts of an office file. Raises ValueError for what is none."""

    def __init__(self, data: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self.parts = {each: archive.read(each) for each in archive.namelist()}
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise ValueError(f"no office file: {error}") from error

    def xml(self, name: str) -> Any:
        """A part, parsed anew each time. Raises ValueError for what is no XML."""
        try:
            return etree.fromstring(self.parts[name], _PARSER)
        except (etree.XMLSyntaxError, KeyError) as error:
            raise ValueError(f"{name} can't be read: {error}") from error

    def written(self, changes: dict[str, Any]) -> bytes:
        """The file with these parts (bytes or XML) instead of its own."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, data in {**self.parts, **changes}.items():
                whole = (
                    data
                    if isinstance(data, bytes)
                    else etree.tostring(
                        data, xml_declaration=True, encoding="UTF-8", standalone=True
                    )
                )
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, whole)
        return buffer.getvalue()


class Book(Package):
    """A workbook: sheets by name, each with its cells as they stand in the file."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        if "xl/workbook.xml" not in self.parts:
            raise ValueError("no workbook")
        workbook = self.xml("xl/workbook.xml")
        relations = {
            each.get("Id"): each.get("Target", "")
            for each in self.xml("xl/_rels/workbook.xml.rels")
        }
        #: The part that holds each sheet.
        self.sheets: dict[str, str] = {}
        for each in workbook.iter(f"{{{MAIN}}}sheet"):
            target = relations.get(each.get(f"{{{RELATION}}}id"), "")
            part = target.lstrip("/") if target.startswith("/") else posixpath.join("xl", target)
            if part in self.parts and "worksheets" in part:
                self.sheets[each.get("name", "")] = part

    @cached_property
    def strings(self) -> list[str]:
        """The shared strings."""
        if "xl/sharedStrings.xml" not in self.parts:
            return []
        root = self.xml("xl/sharedStrings.xml")
        return ["".join(t.text or "" for t in si.iter(f"{{{MAIN}}}t")) for si in root]

    @cached_property
    def date_styles(self) -> set[int]:
        """Numbers of the cell styles that show a number as a date."""
        if "xl/styles.xml" not in self.parts:
            return set()
        root = self.xml("xl/styles.xml")
        codes = dict(BUILTIN_FORMATS)
        for each in root.iter(f"{{{MAIN}}}numFmt"):
            codes[int(each.get("numFmtId", 0))] = each.get("formatCode", "")
        used = root.find(f"{{{MAIN}}}cellXfs")
        formats = [] if used is None else [int(each.get("numFmtId", 0)) for each in used]
        return {at for at, one in enumerate(formats) if is_date_format(codes.get(one, "General"))}

    def page(self, sheet: str) -> Page:
        """A sheet, parsed anew: what is changed in it is nobody else's."""
        return Page(self, sheet, self.xml(self.sheets[sheet]))


class Page:
    """One sheet's XML."""

    def __init__(self, book: Book, name: str, root: Any) -> None:
        self.book = book
        self.name = name
        self.root = root

    @property
    def rows(self) -> list[Any]:
        """The row elements, top to bottom."""
        data = self.root.find(f"{{{MAIN}}}sheetData")
        return [] if data is None else list(data)

    def cells(self) -> dict[str, Any]:
        """Cell elements by address, of those that hold something."""
        return {
            cell.get("r", ""): cell for row in self.rows for cell in row if self.text(cell) != ""
        }

    def cell(self, address: str) -> Any:
        """The cell element at an address."""
        return next(cell for row in self.rows for cell in row if cell.get("r") == address)

    def row(self, number: int) -> Any:
        """The row element of this number."""
        return next(row for row in self.rows if int(row.get("r", 0)) == number)

    def kind(self, cell: Any) -> str:
        """formula, text, date, number or other."""
        if cell.find(f"{{{MAIN}}}f") is not None:
            return "formula"
        stated = cell.get("t", "n")
        if stated in ("s", "inlineStr", "str"):
            return "text"
        if stated == "d":
            return "other"
        if stated != "n":
            return "other"
        return "date" if int(cell.get("s", 0)) in self.book.date_styles else "number"

    def text(self, cell: Any) -> str:
        """What stands in the cell: the formula with "=", or the value as the file writes it."""
        formula = cell.find(f"{{{MAIN}}}f")
        if formula is not None:
            return f"={formula.text or ''}"
        if cell.get("t") == "inlineStr":
            return "".join(t.text or "" for t in cell.iter(f"{{{MAIN}}}t"))
        value = cell.find(f"{{{MAIN}}}v")
        text = "" if value is None else value.text or ""
        if cell.get("t") == "s" and text.isdigit() and int(text) < len(self.book.strings):
            return self.book.strings[int(text)]
        return text

    def line(self, row: Any) -> tuple[tuple[str, str], ...]:
        """A row's contents, its number left out."""
        pairs = ((re.sub(r"\d", "", c.get("r", "")), self.text(c)) for c in row)
        number = row.get("r", "")
        return tuple(
            (column, re.sub(rf"(?<=[A-Z]){number}(?!\d)", "#", text) if text[:1] == "=" else text)
            for column, text in pairs
            if text
        )

    def bytes(self) -> bytes:
        """The whole workbook with this sheet as it is now."""
        return self.book.written({self.book.sheets[self.name]: self.root})

    def move(self, first: int, by: int) -> None:
        """Shifts all rows from ``first`` on, and what formulas of this sheet say of them."""
        for row in self.rows:
            number = int(row.get("r", 0))
            if number >= first:
                renumber(row, number + by)
            for formula in row.iter(f"{{{MAIN}}}f"):
                formula.text = shifted(formula.text or "", first, by)


def set_text(cell: Any, text: str) -> None:
    """Makes it a cell with this text."""
    clear(cell)
    cell.set("t", "inlineStr")
    inner = etree.SubElement(cell, f"{{{MAIN}}}is")
    etree.SubElement(inner, f"{{{MAIN}}}t").text = text


def set_number(cell: Any, text: str) -> None:
    """Makes it a cell with this number, written so."""
    clear(cell)
    etree.SubElement(cell, f"{{{MAIN}}}v").text = text


def set_formula(cell: Any, formula: str) -> None:
    """Makes it a cell with this formula, given without "="; no value is remembered for it."""
    clear(cell)
    etree.SubElement(cell, f"{{{MAIN}}}f").text = formula


def clear(cell: Any) -> None:
    """Takes out what the cell holds; its style stays."""
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)


def renumber(row: Any, number: int) -> None:
    """Gives a row and its cells another number."""
    row.set("r", str(number))
    for cell in row:
        cell.set("r", re.sub(r"\d+", str(number), cell.get("r", "")))


def shifted(formula: str, first: int, by: int) -> str:
    """The formula with its references to rows from ``first`` on moved."""

    def move(found: re.Match[str]) -> str:
        row = int(found[2])
        return f"{found[1]}{row + by if row >= first else row}"

    pieces = re.split(r'("[^"]*")', formula)
    return "".join(each if each[:1] == '"' else _REFERENCE.sub(move, each) for each in pieces)


def paragraphs(root: Any) -> Iterable[Any]:
    """The paragraphs of a Word document that hold text."""
    for each in root.iter(f"{{{WORD}}}p"):
        if "".join(t.text or "" for t in each.iter(f"{{{WORD}}}t")).strip():
            yield each
