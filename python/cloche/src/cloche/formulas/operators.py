"""The operators of formulas, on single values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from .values import (
    DIV0,
    NUM,
    Area,
    ErrorValue,
    Matrix,
    Operand,
    Scalar,
    bounded,
    compare,
    finite,
    number,
    text,
)

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def apply(sign: str, operands: Sequence[Scalar]) -> Scalar:
    """One operator on single values; prefix operators are "u+" and "u-". Raises ErrorValue."""
    if sign in _COMPARISONS:
        return _COMPARISONS[sign](compare(operands[0], operands[1]), 0)
    if sign == "&":
        return bounded(text(operands[0]) + text(operands[1]))
    if sign == "u+":
        return operands[0]
    numbers = [number(each) for each in operands]
    if sign == "u-":
        return -numbers[0]
    if sign == "%":
        return numbers[0] / 100
    first, second = numbers
    if sign == "/":
        return divided(first, second)
    if sign == "^":
        return power(first, second)
    return finite({"+": first + second, "-": first - second, "*": first * second}[sign])


def apply_guarded(sign: str, operands: Sequence[Scalar]) -> Scalar:
    """As ``apply``, but an error is the value: what arrays hold in one place."""
    try:
        return apply(sign, operands)
    except ErrorValue as error:
        return error.error


def pick(operand: Operand, row: int, column: int) -> Scalar:
    """The value of an operand at a place of a larger shape: single rows and columns repeat."""
    if not isinstance(operand, (Area, Matrix)):
        return operand
    rows, columns = operand.shape
    return operand.at(0 if rows == 1 else row, 0 if columns == 1 else column)


def divided(first: float, second: float) -> float:
    """The quotient. Raises ErrorValue (#DIV/0!)."""
    if second == 0:
        raise ErrorValue(DIV0)
    return finite(first / second)


def power(base: float, exponent: float) -> float:
    """``base ^ exponent``. Raises ErrorValue (#NUM!, #DIV/0!)."""
    if base == 0 and exponent <= 0:
        raise ErrorValue(NUM if exponent == 0 else DIV0)
    try:
        result = base**exponent
    except OverflowError as error:
        raise ErrorValue(NUM) from error
    if isinstance(result, complex):
        raise ErrorValue(NUM)
    return finite(result)
