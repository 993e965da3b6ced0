"""Whether two cells hold the same, as a person would say it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

from .dates import parse_datetime
from .text import squeeze


@dataclass(frozen=True)
class CellError:
    """An error that stands in a cell: ``#DIV/0!``, ``#N/A``, …"""

    code: str

    def __str__(self) -> str:
        return self.code


#: What a cell may hold, computed.
Value = None | bool | int | float | str | date | datetime | time | CellError
_NUMBER = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?|\.\d+|\d{1,3}(?:,\d{3})+(?:\.\d*)?)(?:[eE][-+]?\d{1,3})?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}.*)?")
#: The most that floating point itself may be off by, below a billion.
NOISE = 1e-6


def cells_equal(first: object, second: object, *, abs_tol: float = 0, rel_tol: float = 0) -> bool:
    """Whether two cells hold the same.

    A number equals the text of that number ("1,234.50"), a date its ISO text, an empty text a
    blank cell; texts are compared with single spaces. A truth value is no number, an error equals
    nothing but the same error. Numbers may differ by ``max(abs_tol, rel_tol * |first|)``, and by
    the noise of floating point.
    """
    if abs_tol < 0 or rel_tol < 0:
        raise ValueError("a tolerance is not negative")
    one, other = plain(first), plain(second)
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool) and one == other
    if one is None or other is None or isinstance(one, CellError) or isinstance(other, CellError):
        return one == other
    if isinstance(one, (datetime, time)) or isinstance(other, (datetime, time)):
        return _moments_equal(one, other)
    numbers = as_number(one), as_number(other)
    if numbers[0] is not None and numbers[1] is not None:
        return _near(numbers[0], numbers[1], abs_tol, rel_tol) and _spelling_fits(one, other)
    return one == other


def plain(value: object) -> object:
    """The value in its one form: blank text is None, a date a datetime, spaces single."""
    if value is None or isinstance(value, (bool, time, CellError)):
        return value
    if isinstance(value, (date, datetime)):
        return parse_datetime(value)
    if isinstance(value, str):
        return squeeze(value) or None
    if isinstance(value, (int, float, Decimal, Fraction)):
        return value
    return squeeze(str(value)) or None


def as_number(value: object) -> float | None:
    """The number that a cell's content is, or None: a truth value, a date and "12 pcs" are none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float, Decimal, Fraction)):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    if isinstance(value, str) and len(value) <= 64 and _NUMBER.fullmatch(value.strip()):
        number = float(value.replace(",", ""))
        return number if math.isfinite(number) else None
    return None


def _spelling_fits(one: object, other: object) -> bool:
    """Two texts of one number are the same only if neither has a leading zero that the other lacks:
    "007" is a code."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return True
    return _coded(one) == _coded(other) or not (_coded(one) or _coded(other))


def _coded(text: str) -> str:
    return text if re.match(r"0\d", text) else ""


def _near(one: float, other: float, abs_tol: float, rel_tol: float) -> bool:
    scale = max(abs(one), abs(other))
    # Two whole numbers have no noise: 9780306406157 and …158 are two books.
    exact = one.is_integer() and other.is_integer()
    noise = 0.0 if exact else max(min(NOISE, 1e-12 * scale), 4 * math.ulp(scale))
    return abs(one - other) <= max(abs_tol, rel_tol * abs(one)) + noise


def _moments_equal(one: object, other: object) -> bool:
    moments = [_moment(each) for each in (one, other)]
    return None not in moments and moments[0] == moments[1]


def _moment(value: object) -> object:
    if isinstance(value, (datetime, time)):
        return value
    try:
        return parse_datetime(value) if isinstance(value, str) and _ISO.fullmatch(value) else None
    except ValueError:
        return None
