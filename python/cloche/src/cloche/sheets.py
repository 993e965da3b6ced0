"""Workbooks that an agent may have made: opened safely, formulas recomputed."""

from __future__ import annotations

import io
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from .cells import Value
from .dates import from_serial
from .files import File
from .formulas import Evaluator, FormulaLimit, UnsupportedFormula
from .formulas.evaluate import SheetCells
from .tables import Table, header_key
from .zipguard import office_bytes

CELL_LIMIT = 400_000
GRID_LIMIT = 2_000_000
OnUnsupported = Literal["error", "fail"]


def open_workbook(
    file: File, *, now: datetime | None = None, on_unsupported: OnUnsupported = "error"
) -> Workbook:
    """Reads an .xlsx or .xlsm. What is no sound workbook is rejected.

    Values that the file remembers for its formulas are never read: formulas are computed here,
    TODAY and NOW by the clock ``now``. A formula that can't be computed raises UnsupportedFormula,
    an error of the criterion, when its value is asked for; ``on_unsupported="fail"`` fails the
    criterion instead, for tasks that say which functions may be used.
    """
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:
        raise RuntimeError("openpyxl works without defusedxml here; install python3-defusedxml")
    data = office_bytes(file, "xl/workbook.xml")
    try:
        return Workbook(file, _parsed(data), now, on_unsupported)
    except MemoryError:
        raise
    except _Rejected as error:
        file.reject(str(error))
    except Exception as error:  # noqa: BLE001  Whatever the parser meets in a crafted file.
        file.reject(f"is not a readable workbook ({type(error).__name__}: {error})")


@lru_cache(maxsize=8)
def _parsed(data: bytes) -> Any:
    """The file's openpyxl workbook, which nobody changes: each criterion opens the same file anew."""
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(data), data_only=False, keep_links=False)


class _Rejected(Exception):
    """A workbook that opens but is beyond the limits."""


class Workbook:
    """A workbook's sheets, in their order."""

    def __init__(
        self, file: File, book: Any, now: datetime | None, on_unsupported: OnUnsupported
    ) -> None:
        self.file = file
        self._on_unsupported = on_unsupported
        pages = {page.title: page for page in book.worksheets}
        self._cells = {name: _cells(page) for name, page in pages.items()}
        if sum(len(cells.values) for cells in self._cells.values()) > CELL_LIMIT:
            raise _Rejected(f"holds more than {CELL_LIMIT} cells")
        self._evaluator = Evaluator(self._cells, _names(book), now)
        self._sheets = {name: Sheet(self, page) for name, page in pages.items()}

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

    def cells_of(self, sheet: str) -> SheetCells:
        """What stands in the cells of a sheet, uncomputed."""
        return self._cells[sheet]

    def compute(self, sheet: str, row: int, column: int) -> Value:
        """The computed value of a cell that holds a formula."""
        try:
            return self._evaluator.value(sheet, row, column)
        except FormulaLimit as error:
            self.file.reject(f"can't be computed: {error}")
        except UnsupportedFormula as error:
            if self._on_unsupported == "fail":
                self.file.reject(f"can't be computed: {error}")
            raise

    def _find(self, name: str) -> Sheet | None:
        wanted = header_key(name)
        return next((sheet for sheet in self.sheets if header_key(sheet.name) == wanted), None)


class Sheet:
    """One sheet: computed values by address, by row, or as a table."""

    def __init__(self, workbook: Workbook, page: Any) -> None:
        self.name: str = page.title
        #: Whether it is hidden from who opens the workbook.
        self.hidden: bool = page.sheet_state != "visible"
        self.workbook = workbook
        self._page = page

    def value(self, address: str) -> Value:
        """The computed value at an address like "B2"."""
        return self._value(*_place(address))

    def formula(self, address: str) -> str | None:
        """The formula at an address, with its "="; None if there is none."""
        place = _place(address)
        cells = self.workbook.cells_of(self.name)
        return str(cells.values[place]) if place in cells.formulas else None

    def rows(self) -> list[list[Value]]:
        """All rows up to the last that shows something, each up to its last value.

        Cells that only carry a format count for nothing.
        """
        cells = self.workbook.cells_of(self.name)
        if cells.bottom * cells.right > GRID_LIMIT:
            self.workbook.file.reject(
                f"has a sheet {self.name!r} that reaches to row {cells.bottom}, "
                f"column {cells.right}"
            )
        grid: list[list[Value]] = [[] for _ in range(cells.bottom)]
        for row, column in cells.order:
            value = self._value(row, column)
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

    def _value(self, row: int, column: int) -> Value:
        cells = self.workbook.cells_of(self.name)
        value = cells.values.get((row, column))
        if (row, column) not in cells.formulas:
            return value  # type: ignore[return-value]
        computed = self.workbook.compute(self.name, row, column)
        return self._shown(computed, row, column)

    def _shown(self, computed: Value, row: int, column: int) -> Value:
        """A computed number as the kind that its cell's format shows: a day, or a whole number."""
        from openpyxl.styles.numbers import is_date_format

        if isinstance(computed, bool) or not isinstance(computed, (int, float)):
            return computed
        if is_date_format(self._page.cell(row, column).number_format):
            try:
                return from_serial(computed)
            except ValueError:
                return computed
        return int(computed) if float(computed).is_integer() and abs(computed) < 1e15 else computed


def _cells(page: Any) -> SheetCells:
    """The cells that hold something. openpyxl's own rows would count every formatted blank."""
    filled = {place: cell for place, cell in page._cells.items() if cell.value is not None}
    formulas = frozenset(place for place, cell in filled.items() if cell.data_type == "f")
    return SheetCells({place: cell.value for place, cell in filled.items()}, formulas)


def _names(book: Any) -> dict[str, str]:
    found = getattr(book.defined_names, "definedName", None)
    names = found if found is not None else book.defined_names.values()
    return {each.name: f"={each.attr_text}" for each in names if each.attr_text}


def _place(address: str) -> tuple[int, int]:
    from openpyxl.utils.cell import coordinate_to_tuple

    row, column = coordinate_to_tuple(address.upper().replace("$", ""))
    return row, column
