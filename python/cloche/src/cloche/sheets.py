"""Workbooks that an agent may have made: opened safely, formulas recomputed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from .calculator import NotComputed, read_workbook
from .cells import CellError, Value
from .dates import parse_datetime
from .files import File
from .tables import Table, header_key
from .zipguard import office_bytes

CELL_LIMIT = 400_000
GRID_LIMIT = 2_000_000
#: What a changed cell may hold.
Input = None | bool | int | float | str | date | datetime
Place = tuple[int, int]
#: Sheet, row, column, the name of the value's type, the value.
Change = tuple[str, int, int, str, Any]


def open_workbook(file: File, *, now: datetime | None = None) -> Workbook:
    """Reads an .xlsx or .xlsm. What is no sound workbook is rejected.

    Values that the file remembers for its formulas are never read: formulas are computed here by
    the code that the tools have, TODAY and NOW by the clock ``now``. A cell that can't be
    computed fails the criterion when its value is asked for, with the reason.
    """
    return _opened(file, now, ())


def recompute(workbook: Workbook, changes: Mapping[str, Input]) -> Workbook:
    """The workbook as it would be with other values in these cells, ``{"Stock!B2": 7}``.

    A cell's name may have its sheet's name quoted, as in formulas; None empties a cell; a formula
    gives way to the value. The file stays as it is.
    """
    items = tuple(_change(workbook, name, value) for name, value in sorted(changes.items()))
    return _opened(workbook.file, workbook.now, items)


def _opened(file: File, now: datetime | None, changes: tuple[Change, ...]) -> Workbook:
    data = office_bytes(file, "xl/workbook.xml")
    try:
        return Workbook(file, _read(data, file.path, now, changes), now)
    except NotComputed as error:
        file.unreadable(f"is not a readable workbook: {error}")


@lru_cache(maxsize=16)
def _read(data: bytes, path: str, now: datetime | None, changes: tuple[Change, ...]) -> Any:
    """What stands in the file's cells, which nobody changes: each criterion opens it anew."""
    moment = None if now is None else round(parse_datetime(now).timestamp() * 1000)
    made = [
        {
            "sheet": sheet,
            "row": row,
            "column": column,
            "value": value if kind != "date" else {kind: value},
        }
        for sheet, row, column, kind, value in changes
    ]
    return read_workbook(data, {"path": path, "now": moment, "changes": made})


@dataclass(frozen=True)
class SheetCells:
    """The cells of one sheet that hold something."""

    values: dict[Place, Value]
    formulas: dict[Place, str]
    #: Why there is no value.
    unreadable: dict[Place, str]
    #: All places, sorted by row and column.
    order: list[Place]
    bottom: int
    right: int


class Workbook:
    """A workbook's sheets, in their order."""

    def __init__(self, file: File, sheets: list[dict[str, Any]], now: datetime | None) -> None:
        self.file = file
        #: The clock of TODAY and NOW.
        self.now = now
        if sum(len(sheet["cells"]) for sheet in sheets) > CELL_LIMIT:
            file.unreadable(f"holds more than {CELL_LIMIT} cells")
        self._sheets = {
            sheet["name"]: Sheet(self, sheet["name"], sheet["hidden"], _cells(sheet["cells"]))
            for sheet in sheets
        }

    @property
    def names(self) -> list[str]:
        """The names of all sheets, hidden ones too."""
        return list(self._sheets)

    @property
    def sheets(self) -> list[Sheet]:
        """All sheets, hidden ones too."""
        return list(self._sheets.values())

    def has_sheet(self, name: str) -> bool:
        """Whether there is a sheet of this name, capitals and blanks aside."""
        return self._find(name) is not None

    def sheet(self, name: str) -> Sheet:
        """The sheet of this name, capitals and blanks aside. Rejects the file if there is none."""
        found = self._find(name)
        if found is None:
            names = ", ".join(repr(each) for each in self.names[:20])
            self.file.reject(f"has no sheet {name!r}; it has {names}")
        return found

    def _find(self, name: str) -> Sheet | None:
        wanted = header_key(name)
        return next((sheet for sheet in self.sheets if header_key(sheet.name) == wanted), None)


class Sheet:
    """One sheet: computed values by address, by row, or as a table."""

    def __init__(self, workbook: Workbook, name: str, hidden: bool, cells: SheetCells) -> None:
        self.name = name
        #: Whether it is hidden from who opens the workbook.
        self.hidden = hidden
        self.workbook = workbook
        self._cells = cells

    def value(self, address: str) -> Value:
        """The computed value at an address like "B2"."""
        return self._value(_place(address))

    def formula(self, address: str) -> str | None:
        """The formula at an address, with its "="; None if there is none."""
        return self._cells.formulas.get(_place(address))

    @property
    def formulas(self) -> dict[str, str]:
        """All formulas by address, in reading order."""
        return {_address(place): text for place, text in self._cells.formulas.items()}

    def rows(self) -> list[list[Value]]:
        """All rows up to the last that shows something, each up to its last value.

        Cells that only carry a format count for nothing.
        """
        cells = self._cells
        if cells.bottom * cells.right > GRID_LIMIT:
            self.workbook.file.unreadable(
                f"has a sheet {self.name!r} that reaches to row {cells.bottom}, "
                f"column {cells.right}"
            )
        grid: list[list[Value]] = [[] for _ in range(cells.bottom)]
        for row, column in cells.order:
            value = self._value((row, column))
            if value is None or value == "":
                continue
            line = grid[row - 1]
            line.extend([None] * (column - 1 - len(line)))
            line.append(value)
        while grid and not grid[-1]:
            grid.pop()
        return grid

    def table(
        self, columns: list[str] | tuple[str, ...] | None = None, *, header_row: int | None = None
    ) -> Table:
        """The sheet as rows under a header.

        The header is row ``header_row`` (from 1); else the first row that holds all of ``columns``;
        else the first row that holds anything. A table ends at the sheet's end; rows that are
        blank throughout are left out. Rejects the file if there is no such header, if a header
        stands twice or if a value has none above it.
        """
        rows = self.rows()
        index = self._header(rows, columns, header_row)
        return Table.of(rows[index], rows[index + 1 :], index + 2, self._rejecting(), columns or ())

    def _rejecting(self) -> Any:
        return lambda reason: self.workbook.file.reject(f"sheet {self.name!r}: {reason}")

    def _header(
        self,
        rows: list[list[Value]],
        columns: list[str] | tuple[str, ...] | None,
        header_row: int | None,
    ) -> int:
        if header_row is not None:
            if not 1 <= header_row <= len(rows):
                self._rejecting()(f"has no row {header_row}")
            return header_row - 1
        wanted = {header_key(name) for name in columns or ()}
        for index, row in enumerate(rows):
            if row and wanted <= {header_key(value) for value in row}:
                return index
        names = ", ".join(columns or ())
        self._rejecting()(f"has no header with {names}" if names else "is empty")
        raise AssertionError

    def _value(self, place: Place) -> Value:
        reason = self._cells.unreadable.get(place)
        if reason is not None:
            where = f"{self.name}!{_address(place)}"
            self.workbook.file.unreadable(f"can't be computed: {where}: {reason}")
        return self._cells.values.get(place)


def _cells(cells: list[list[Any]]) -> SheetCells:
    values: dict[Place, Value] = {}
    formulas: dict[Place, str] = {}
    unreadable: dict[Place, str] = {}
    for row, column, kind, value, *formula in cells:
        if formula:
            formulas[row, column] = formula[0]
        if kind == "?":
            unreadable[row, column] = value
        else:
            values[row, column] = _value_of(kind, value)
    order = [(row, column) for row, column, *_ in cells]
    bottom = max((row for row, _ in order), default=1)
    right = max((column for _, column in order), default=1)
    return SheetCells(values, formulas, unreadable, order, bottom, right)


def _value_of(kind: str, value: Any) -> Value:
    if kind == "e":
        return CellError(value)
    if kind != "d":
        return value  # type: ignore[no-any-return]
    return datetime.fromisoformat(value) if "-" in value else time.fromisoformat(value)


def _change(workbook: Workbook, name: str, value: Input) -> Change:
    sheet, _, address = name.rpartition("!")
    if sheet.startswith("'") and sheet.endswith("'"):
        sheet = sheet[1:-1].replace("''", "'")
    if not sheet or not workbook.has_sheet(sheet):
        raise ValueError(f"{name!r} names no cell of this workbook; say it like 'Stock!B2'")
    place = (workbook.sheet(sheet).name, *_place(address))
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
        return *place, "date", moment.replace(tzinfo=None).isoformat(timespec="seconds")
    known = value is None or isinstance(value, (bool, int, float, str))
    if not known or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"{name} can't hold {value!r}, but a number, text, truth value or day")
    # The type beside it, since 1 and True are one key of a cache.
    return *place, type(value).__name__, value


_ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([1-9]\d{0,6})", re.IGNORECASE)


def _place(address: str) -> Place:
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        raise ValueError(f"{address!r} is not the address of a cell, like B2")
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


def _address(place: Place) -> str:
    row, column = place
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
