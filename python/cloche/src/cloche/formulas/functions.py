"""The functions that formulas may call: the table, and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import calendar, lookups, maths, selections, strings  # noqa: F401  They fill the table.
from .calls import MANY, REGISTRY, Call, function
from .parser import Function
from .values import (
    NA,
    VALUE,
    Area,
    CellError,
    ErrorValue,
    Matrix,
    Operand,
    UnsupportedFormula,
    truth,
)

if TYPE_CHECKING:
    from .evaluate import Evaluator


def call(evaluator: Evaluator, node: Function, place: tuple[str, int, int]) -> Operand:
    """The value of a function. Raises UnsupportedFormula for one that is not in the table."""
    if node.name not in REGISTRY:
        raise UnsupportedFormula(
            f"{node.name} is not among the functions that cloche.sheets can compute"
        )
    fewest, most, body = REGISTRY[node.name]
    if not fewest <= len(node.arguments) <= most:
        raise UnsupportedFormula(f"{node.name} is given {len(node.arguments)} arguments")
    return body(Call(evaluator, node, place))


@function("IF", 2, 3)
def _if(given: Call) -> Operand:
    if given.truth(0):
        return given.operand(1)
    return given.operand(2) if given.count > 2 else False


@function("IFERROR", 2)
def _iferror(given: Call) -> Operand:
    try:
        value = given.scalar(0)
    except ErrorValue:
        return given.operand(1)
    return given.operand(1) if isinstance(value, CellError) else value


@function("IFNA", 2)
def _ifna(given: Call) -> Operand:
    try:
        value = given.scalar(0)
    except ErrorValue as error:
        value = error.error
    return given.operand(1) if value == NA else value


@function("IFS", 2, MANY)
def _ifs(given: Call) -> Operand:
    for index in range(0, given.count - 1, 2):
        if given.truth(index):
            return given.operand(index + 1)
    raise ErrorValue(NA)


@function("CHOOSE", 2, MANY)
def _choose(given: Call) -> Operand:
    index = given.whole(0)
    if not 1 <= index < given.count:
        raise ErrorValue(VALUE)
    return given.operand(index)


@function("AND", 1, MANY)
def _and(given: Call) -> Operand:
    return all(_truths(given))


@function("OR", 1, MANY)
def _or(given: Call) -> Operand:
    return any(_truths(given))


@function("XOR", 1, MANY)
def _xor(given: Call) -> Operand:
    return sum(_truths(given)) % 2 == 1


@function("NOT", 1)
def _not(given: Call) -> Operand:
    return not given.truth(0)


@function("TRUE", 0)
def _true(given: Call) -> Operand:
    return True


@function("FALSE", 0)
def _false(given: Call) -> Operand:
    return False


@function("NA", 0)
def _na(given: Call) -> Operand:
    raise ErrorValue(NA)


@function("ISBLANK", 1)
def _isblank(given: Call) -> Operand:
    return _looked_at(given) is None


@function("ISNUMBER", 1)
def _isnumber(given: Call) -> Operand:
    value = _looked_at(given)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@function("ISTEXT", 1)
def _istext(given: Call) -> Operand:
    return isinstance(_looked_at(given), str)


@function("ISERROR", 1)
def _iserror(given: Call) -> Operand:
    return isinstance(_looked_at(given), CellError)


@function("ISNA", 1)
def _isna(given: Call) -> Operand:
    return _looked_at(given) == NA


def _looked_at(given: Call) -> object:
    try:
        return given.scalar(0)
    except ErrorValue as error:
        return error.error


def _truths(given: Call) -> list[bool]:
    """All conditions in the arguments; texts and blanks in ranges count for nothing."""
    found: list[bool] = []
    for index in range(given.count):
        value = given.operand(index)
        if isinstance(value, (Area, Matrix)):
            cells = (cell for _, _, cell in value.filled() if not isinstance(cell, str))
            found.extend(truth(cell) for cell in cells)
        else:
            found.append(truth(value))
    if not found:
        raise ErrorValue(VALUE)
    return found
