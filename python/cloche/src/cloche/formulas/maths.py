"""Sums, means and rounding."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal

from .calls import MANY, Call, function, numbers_of
from .operators import divided, pick, power
from .values import DIV0, NA, NUM, VALUE, CellError, ErrorValue, Matrix, Operand, finite

_DIGITS = 20


@function("SUM", 1, MANY)
def _sum(given: Call) -> Operand:
    return finite(math.fsum(given.numbers()))


@function("PRODUCT", 1, MANY)
def _product(given: Call) -> Operand:
    numbers = list(given.numbers())
    return finite(math.prod(numbers)) if numbers else 0


@function("AVERAGE", 1, MANY)
def _average(given: Call) -> Operand:
    numbers = list(given.numbers())
    return divided(math.fsum(numbers), len(numbers))


@function("MEDIAN", 1, MANY)
def _median(given: Call) -> Operand:
    numbers = sorted(given.numbers())
    if not numbers:
        raise ErrorValue(NUM)
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


@function("MIN", 1, MANY)
def _min(given: Call) -> Operand:
    return min(given.numbers(), default=0)


@function("MAX", 1, MANY)
def _max(given: Call) -> Operand:
    return max(given.numbers(), default=0)


@function("LARGE", 2)
def _large(given: Call) -> Operand:
    return _nth(sorted(numbers_of(given.range(0)), reverse=True), given.whole(1))


@function("SMALL", 2)
def _small(given: Call) -> Operand:
    return _nth(sorted(numbers_of(given.range(0))), given.whole(1))


def _nth(numbers: list[float], place: int) -> float:
    if not 1 <= place <= len(numbers):
        raise ErrorValue(NUM)
    return numbers[place - 1]


@function("RANK", 2, 3)
def _rank(given: Call) -> Operand:
    wanted, ascending = given.number(0), given.number(2) != 0
    numbers = list(numbers_of(given.range(1)))
    if wanted not in numbers:
        raise ErrorValue(NA)
    return 1 + sum(each < wanted if ascending else each > wanted for each in numbers)


@function("COUNT", 1, MANY)
def _count(given: Call) -> Operand:
    found = 0
    for index in range(given.count):
        for _, _, value in given.range(index).filled():
            found += isinstance(value, (int, float)) and not isinstance(value, bool)
    return found


@function("COUNTA", 1, MANY)
def _counta(given: Call) -> Operand:
    return sum(1 for index in range(given.count) for _ in given.range(index).filled())


@function("COUNTBLANK", 1)
def _countblank(given: Call) -> Operand:
    cells = given.range(0)
    rows, columns = cells.shape
    return rows * columns - sum(1 for _, _, value in cells.filled() if value != "")


@function("SUMPRODUCT", 1, MANY)
def _sumproduct(given: Call) -> Operand:
    ranges = [given.range(index) for index in range(given.count)]
    rows, columns = ranges[0].shape
    if any(each.shape != (rows, columns) for each in ranges):
        raise ErrorValue(VALUE)
    total: list[float] = []
    for row, column, _ in list(ranges[0].filled()):
        given.evaluator.spend(len(ranges))
        total.append(math.prod(_factor(pick(each, row, column)) for each in ranges))
    for other in ranges[1:]:
        _raise_errors(other)
    return finite(math.fsum(total))


def _factor(value: object) -> float:
    if isinstance(value, CellError):
        raise ErrorValue(value)
    real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if real else 0.0  # type: ignore[arg-type]


def _raise_errors(cells: object) -> None:
    if isinstance(cells, Matrix):
        for _, _, value in cells.filled():
            _factor(value)


@function("ROUND", 2)
def _round(given: Call) -> Operand:
    return _rounded(given, ROUND_HALF_UP)


@function("ROUNDUP", 2)
def _roundup(given: Call) -> Operand:
    return _rounded(given, ROUND_UP)


@function("ROUNDDOWN", 2)
def _rounddown(given: Call) -> Operand:
    return _rounded(given, ROUND_DOWN)


@function("TRUNC", 1, 2)
def _trunc(given: Call) -> Operand:
    return _rounded(given, ROUND_DOWN)


def _rounded(given: Call, how: str) -> float:
    """Rounds what the number shows, not its binary neighbour: 2.675 to two places is 2.68."""
    digits = max(-_DIGITS, min(_DIGITS, given.whole(1)))
    shown = Decimal(f"{given.number(0):.15g}")
    step = Decimal(1).scaleb(-digits)
    return float((shown / step).to_integral_value(how) * step)


@function("INT", 1)
def _int(given: Call) -> Operand:
    return math.floor(given.number(0))


@function("CEILING", 2)
def _ceiling(given: Call) -> Operand:
    value, step = given.number(0), given.number(1)
    return 0 if step == 0 else finite(math.ceil(divided(value, step)) * step)


@function("FLOOR", 2)
def _floor(given: Call) -> Operand:
    value, step = given.number(0), given.number(1)
    return finite(math.floor(divided(value, step)) * step)


@function("ABS", 1)
def _abs(given: Call) -> Operand:
    return abs(given.number(0))


@function("SIGN", 1)
def _sign(given: Call) -> Operand:
    value = given.number(0)
    return (value > 0) - (value < 0)


@function("MOD", 2)
def _mod(given: Call) -> Operand:
    value, divisor = given.number(0), given.number(1)
    if divisor == 0:
        raise ErrorValue(DIV0)
    return value - divisor * math.floor(value / divisor)


@function("POWER", 2)
def _power(given: Call) -> Operand:
    return power(given.number(0), given.number(1))


@function("SQRT", 1)
def _sqrt(given: Call) -> Operand:
    value = given.number(0)
    if value < 0:
        raise ErrorValue(NUM)
    return math.sqrt(value)
