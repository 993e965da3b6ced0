"""Workbooks from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .office import save_workbook

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_MOST_WIDTH, _LEAST_WIDTH = 48, 8
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


@dataclass(frozen=True)
class Sheet:
    """A sheet: a bold header, then rows. A text that begins with "=" is a formula."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    #: Number formats by column name: ``{"Amount": "#,##0.00"}``. Dates have theirs without.
    formats: Mapping[str, str] = field(default_factory=dict)
    #: Lines above the header, each in a cell of its own.
    above: Sequence[str] = ()
    #: A last row in bold.
    total: Sequence[Any] = ()


#: By name, in their order; of plain rows the first is the header.
Sheets = Mapping[str, Sheet | Sequence[Sequence[Any]]]


def make_workbook(path: Path, sheets: Sheets, now: datetime) -> None:
    """Writes a workbook of these sheets."""
    save_workbook(new_workbook(sheets), path, now)


def new_workbook(sheets: Sheets) -> Workbook:
    """An openpyxl workbook of these sheets, to add charts to, say; ``save_workbook`` writes it."""
    from openpyxl import Workbook

    if not sheets:
        raise ValueError("a workbook has one sheet at least")
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, given in sheets.items():
        sheet = given if isinstance(given, Sheet) else Sheet(list(given[0]), list(given[1:]))
        _fill(book.create_sheet(title), sheet)
    return book


def _fill(page: Worksheet, sheet: Sheet) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    for line in sheet.above:
        page.append([line] if line else [])
    top = len(sheet.above) + 1
    page.append(list(sheet.header))
    for row in sheet.rows:
        page.append(list(row))
    if sheet.total:
        page.append(list(sheet.total))
    bold = {top, *([page.max_row] if sheet.total else [])}
    for row_number, cells in enumerate(page.iter_rows(min_row=top), top):
        for cell, name in zip(cells, sheet.header):
            if row_number in bold:
                cell.font = Font(bold=True)
            if row_number > top:
                cell.number_format = sheet.formats.get(name) or _own_format(cell)
    for number, name in enumerate(sheet.header, start=1):
        texts = [name, *(str(row[number - 1]) for row in sheet.rows if len(row) >= number)]
        plain = [len(text) for text in texts if not text.startswith("=")]
        width = min(_MOST_WIDTH, max(_LEAST_WIDTH, *plain) + 2)
        page.column_dimensions[get_column_letter(number)].width = width
    page.freeze_panes = f"A{top + 1}"


def _own_format(cell: Any) -> str:
    if isinstance(cell.value, datetime):
        return _MOMENT
    return _DAY if isinstance(cell.value, date) else cell.number_format
