"""COUNTIF and its family: which cells meet a criterion."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from .calls import MANY, Call, function
from .operators import divided
from .values import VALUE, CellError, ErrorValue, Operand, Range, Scalar, compare, parse_number

Meets = Callable[[Scalar], bool]
_SIGNED = re.compile(r"(<=|>=|<>|<|>|=)?(.*)", re.DOTALL)


def criterion(wanted: Scalar) -> Meets:
    """The test that a criterion says: 5, ">=5", "<>x", "ab*", "" …"""
    if isinstance(wanted, CellError):
        return lambda value: value == wanted
    if not isinstance(wanted, str):
        return _equal(0 if wanted is None else wanted)
    sign, rest = _SIGNED.fullmatch(wanted).groups()  # type: ignore[union-attr]
    if sign in ("<", ">", "<=", ">="):
        return _ordered(sign, rest)
    if rest == "":
        blank = (lambda value: value is None) if sign else (lambda value: value in (None, ""))
        return _negated(blank) if sign == "<>" else blank
    parsed = parse_number(rest)
    truths = {"TRUE": True, "FALSE": False}
    if parsed is not None:
        equal = _equal(parsed)
    elif rest.upper() in truths:
        equal = _equal(truths[rest.upper()])
    else:
        equal = like(rest)
    return _negated(equal) if sign == "<>" else equal


def like(pattern: str) -> Meets:
    """Whether a text is this one, capitals aside; ``*`` and ``?`` stand for anything, ``~`` takes
    that from them. Each part between stars is looked for once, so no pattern takes long."""
    parts: list[list[str]] = [[]]
    for sign in re.findall(r"~[*?~]|.", pattern.casefold(), re.DOTALL):
        if sign == "*":
            parts.append([])
        else:
            parts[-1].append("." if sign == "?" else re.escape(sign[-1]))
    first, *rest = [re.compile("".join(part), re.DOTALL) for part in parts]
    length = len(parts[-1])

    def meets(value: Scalar) -> bool:
        if not isinstance(value, str):
            return False
        text = value.casefold()
        if not rest:
            return first.fullmatch(text) is not None
        match = first.match(text)
        for part in rest[:-1]:
            match = match and part.search(text, match.end())
        start = len(text) - length
        return match is not None and start >= match.end() and bool(rest[-1].match(text, start))

    return meets


def _equal(wanted: bool | int | float) -> Meets:
    def meets(value: Scalar) -> bool:
        if isinstance(value, str) and not isinstance(wanted, bool):
            return parse_number(value) == wanted
        if value is None or isinstance(value, (str, CellError)):
            return False
        return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted

    return meets


def _ordered(sign: str, rest: str) -> Meets:
    parsed = parse_number(rest)
    bound: Scalar = rest if parsed is None else parsed

    def meets(value: Scalar) -> bool:
        if value is None or isinstance(value, (bool, CellError)):
            return False
        if isinstance(value, str) != isinstance(bound, str):
            return False
        place = compare(value, bound)
        return {"<": place < 0, ">": place > 0, "<=": place <= 0, ">=": place >= 0}[sign]

    return meets


def _negated(meets: Meets) -> Meets:
    return lambda value: not meets(value)


@function("COUNTIF", 2)
def _countif(given: Call) -> Operand:
    return sum(1 for _ in _places(given, [(0, 1)]))


@function("COUNTIFS", 2, MANY)
def _countifs(given: Call) -> Operand:
    return sum(1 for _ in _places(given, _pairs(given, 0)))


@function("SUMIF", 2, 3)
def _sumif(given: Call) -> Operand:
    return math.fsum(_chosen(given, 2 if given.count > 2 else 0, [(0, 1)], strict=False))


@function("SUMIFS", 3, MANY)
def _sumifs(given: Call) -> Operand:
    return math.fsum(_chosen(given, 0, _pairs(given, 1)))


@function("AVERAGEIF", 2, 3)
def _averageif(given: Call) -> Operand:
    numbers = _chosen(given, 2 if given.count > 2 else 0, [(0, 1)], strict=False)
    return divided(math.fsum(numbers), len(numbers))


@function("AVERAGEIFS", 3, MANY)
def _averageifs(given: Call) -> Operand:
    numbers = _chosen(given, 0, _pairs(given, 1))
    return divided(math.fsum(numbers), len(numbers))


@function("MAXIFS", 3, MANY)
def _maxifs(given: Call) -> Operand:
    return max(_chosen(given, 0, _pairs(given, 1)), default=0)


@function("MINIFS", 3, MANY)
def _minifs(given: Call) -> Operand:
    return min(_chosen(given, 0, _pairs(given, 1)), default=0)


def _pairs(given: Call, start: int) -> list[tuple[int, int]]:
    if (given.count - start) % 2:
        raise ErrorValue(VALUE)
    return [(index, index + 1) for index in range(start, given.count, 2)]


def _chosen(
    given: Call, values: int, pairs: list[tuple[int, int]], *, strict: bool = True
) -> list[float]:
    """The real numbers at the places that meet all criteria."""
    cells = given.range(values)
    if strict and any(given.range(index).shape != cells.shape for index, _ in pairs):
        raise ErrorValue(VALUE)
    numbers: list[float] = []
    rows, columns = cells.shape
    for row, column in _places(given, pairs):
        if row >= rows or column >= columns:
            continue
        value = cells.at(row, column)
        if isinstance(value, CellError):
            raise ErrorValue(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            numbers.append(float(value))
    return numbers


def _places(given: Call, pairs: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where all criteria are met. Places that are blank are only looked at if they count."""
    tests: list[tuple[Range, Meets]] = [
        (given.range(index), criterion(given.scalar(wanted))) for index, wanted in pairs
    ]
    rows, columns = tests[0][0].shape
    if any(cells.shape != (rows, columns) for cells, _ in tests):
        raise ErrorValue(VALUE)
    narrow = next((cells for cells, meets in tests if not meets(None)), None)
    if narrow is None:
        given.evaluator.spend(rows * columns * len(tests))
        places: Iterator[tuple[int, int]] = ((i, j) for i in range(rows) for j in range(columns))
    else:
        places = ((row, column) for row, column, _ in narrow.filled())
    for row, column in places:
        if all(meets(cells.at(row, column)) for cells, meets in tests):
            yield row, column
