"""What a formula computes with, and how one kind of value becomes another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ..dates import to_serial

TEXT_LIMIT = 32_767
#: Whole numbers above are floating point in a spreadsheet, and bounded.
_EXACT = 2**53
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+|\d{1,3}(,\d{3})+(\.\d*)?)([eE][-+]?\d{1,3})?%?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?")


class UnsupportedFormula(Exception):
    """A formula uses what this library can't compute: who can't judge must not guess."""


class FormulaLimit(Exception):
    """Computing a workbook takes more work than any honest one does."""


@dataclass(frozen=True)
class CellError:
    """An error that stands in a cell: ``#DIV/0!``, ``#N/A``, … or ``#CIRCULAR!``."""

    code: str

    def __str__(self) -> str:
        return self.code


Scalar = None | bool | int | float | str | CellError
DIV0 = CellError("#DIV/0!")
NA = CellError("#N/A")
NAME = CellError("#NAME?")
NUM = CellError("#NUM!")
REF = CellError("#REF!")
VALUE = CellError("#VALUE!")
CIRCULAR = CellError("#CIRCULAR!")


class ErrorValue(Exception):
    """Carries a CellError to the function or cell that it ends in."""

    def __init__(self, error: CellError) -> None:
        super().__init__(error.code)
        self.error = error


class Matrix:
    """Rows of values that an operation on ranges gave."""

    def __init__(self, rows: list[list[Scalar]]) -> None:
        self._rows = rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._rows), len(self._rows[0])

    def at(self, row: int, column: int) -> Scalar:
        """The value at a place counted from 0."""
        return self._rows[row][column]

    def filled(self) -> Iterator[tuple[int, int, Scalar]]:
        """Row, column and value of everything that is not blank."""
        for i, row in enumerate(self._rows):
            for j, value in enumerate(row):
                if value is not None:
                    yield i, j, value


@dataclass(frozen=True)
class Area:
    """A range of cells of one sheet; rows and columns from 1, both ends included."""

    sheet: str
    top: int
    left: int
    bottom: int
    right: int
    read: Callable[[str, int, int], Scalar]
    #: The places of the sheet's cells that hold something, within an area, row by row.
    places: Callable[[Area], Iterator[tuple[int, int]]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top + 1, self.right - self.left + 1

    def at(self, row: int, column: int) -> Scalar:
        """The value at a place counted from 0."""
        return self.read(self.sheet, self.top + row, self.left + column)

    def filled(self) -> Iterator[tuple[int, int, Scalar]]:
        """Row, column and value of everything that is not blank."""
        for row, column in self.places(self):
            value = self.read(self.sheet, row, column)
            if value is not None:
                yield row - self.top, column - self.left, value


Range = Area | Matrix
Operand = Scalar | Range


def from_cell(value: object) -> Scalar:
    """A cell's content as formulas see it: dates are serial numbers."""
    if isinstance(value, int) and abs(value) > _EXACT:
        try:
            return float(value)
        except OverflowError:
            return NUM
    if value is None or isinstance(value, (bool, int, float, str, CellError)):
        return value
    if isinstance(value, (datetime, date)):
        return to_serial(value)
    if isinstance(value, time):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return (seconds + value.microsecond / 1e6) / 86_400
    if isinstance(value, timedelta):
        return value / timedelta(days=1)
    raise UnsupportedFormula(f"a cell holds a {type(value).__name__}, which formulas can't use")


def number(value: Scalar) -> float:
    """As arithmetic sees it: blank is 0, text is a number or an ISO date, else ErrorValue."""
    if isinstance(value, CellError):
        raise ErrorValue(value)
    if isinstance(value, str):
        parsed = parse_number(value)
        if parsed is None:
            raise ErrorValue(VALUE)
        return parsed
    return finite(float(value or 0))


def finite(value: float) -> float:
    """The number itself; raises ErrorValue (#NUM!) for infinity and NaN."""
    if not math.isfinite(value):
        raise ErrorValue(NUM)
    return value


def whole(value: Scalar) -> int:
    """A number cut to a whole one towards minus infinity, as positions and counts are."""
    return math.floor(number(value))


def parse_number(text: str) -> float | None:
    """The number that a text is, or None."""
    plain = text.strip()
    if len(plain) > 64:
        return None
    if _NUMBER.fullmatch(plain):
        percent = plain.endswith("%")
        parsed = float(plain.rstrip("%").replace(",", ""))
        if not math.isfinite(parsed):
            return None
        return parsed / 100 if percent else parsed
    if _DATE.fullmatch(plain):
        try:
            return to_serial(datetime.fromisoformat(plain))
        except ValueError:
            return None
    return None


def text(value: Scalar) -> str:
    """As ``&`` sees it: at most 15 digits of a number, TRUE and FALSE, nothing for a blank."""
    if isinstance(value, CellError):
        raise ErrorValue(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        plain = f"{value:.15g}"
        return plain.upper() if "e" in plain and abs(value) >= 1e21 else _unexponented(plain)
    return value


def bounded(value: str) -> str:
    """A text, unless it is longer than a cell can hold: then ErrorValue (#VALUE!)."""
    if len(value) > TEXT_LIMIT:
        raise ErrorValue(VALUE)
    return value


def truth(value: Scalar) -> bool:
    """As conditions see it: a number is true unless 0, of texts only TRUE and FALSE are fit."""
    if isinstance(value, CellError):
        raise ErrorValue(value)
    if isinstance(value, str):
        if value.upper() not in ("TRUE", "FALSE"):
            raise ErrorValue(VALUE)
        return value.upper() == "TRUE"
    return bool(value)


def compare(first: Scalar, second: Scalar) -> int:
    """-1, 0 or 1: numbers before texts before truth values, capitals aside; blank is 0 or ""."""
    for value in (first, second):
        if isinstance(value, CellError):
            raise ErrorValue(value)
    one = _blank_like(second) if first is None else first
    other = _blank_like(first) if second is None else second
    ranks = _rank(one), _rank(other)
    if ranks[0] != ranks[1]:
        return -1 if ranks[0] < ranks[1] else 1
    if isinstance(one, str) and isinstance(other, str):
        one, other = one.casefold(), other.casefold()
    return (one > other) - (one < other)  # type: ignore[operator]


def _blank_like(other: Scalar) -> Scalar:
    return "" if isinstance(other, str) else False if isinstance(other, bool) else 0


def _rank(value: Scalar) -> int:
    return 2 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _unexponented(plain: str) -> str:
    if "e" not in plain:
        return plain
    return f"{float(plain):.0f}" if float(plain) == int(float(plain)) else plain.upper()
