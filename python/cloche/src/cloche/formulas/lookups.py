"""Finding rows: VLOOKUP, INDEX, MATCH and their kin."""

from __future__ import annotations

from collections.abc import Iterator

from .calls import Call, function
from .selections import like
from .values import (
    NA,
    REF,
    VALUE,
    Area,
    CellError,
    ErrorValue,
    Matrix,
    Operand,
    Range,
    Scalar,
    compare,
)


@function("VLOOKUP", 3, 4)
def _vlookup(given: Call) -> Operand:
    cells, column = given.range(1), given.whole(2)
    rows, columns = cells.shape
    if not 1 <= column <= columns:
        raise ErrorValue(VALUE if column < 1 else REF)
    given.evaluator.spend(rows)
    first = [cells.at(row, 0) for row in range(rows)]
    row = _found(given.scalar(0), first, 1 if given.truth(3, True) else 0)
    return cells.at(row, column - 1)


@function("HLOOKUP", 3, 4)
def _hlookup(given: Call) -> Operand:
    cells, row = given.range(1), given.whole(2)
    rows, columns = cells.shape
    if not 1 <= row <= rows:
        raise ErrorValue(VALUE if row < 1 else REF)
    given.evaluator.spend(columns)
    first = [cells.at(0, column) for column in range(columns)]
    column = _found(given.scalar(0), first, 1 if given.truth(3, True) else 0)
    return cells.at(row - 1, column)


@function("XLOOKUP", 3, 4)
def _xlookup(given: Call) -> Operand:
    wanted, keys, values = given.scalar(0), _line(given, 1), _line(given, 2)
    if len(keys) != len(values):
        raise ErrorValue(VALUE)
    try:
        return values[_found(wanted, keys, 0)]
    except ErrorValue as error:
        if error.error == NA and given.count > 3:
            return given.operand(3)
        raise


@function("MATCH", 2, 3)
def _match(given: Call) -> Operand:
    return _found(given.scalar(0), _line(given, 1), given.whole(2, 1)) + 1


@function("INDEX", 2, 3)
def _index(given: Call) -> Operand:
    cells = given.range(0)
    rows, columns = cells.shape
    row, column = given.whole(1), given.whole(2, 0)
    if given.count == 2 and rows == 1:
        row, column = 1, row
    elif given.count == 2 and columns == 1:
        column = 1
    if not 0 <= row <= rows or not 0 <= column <= columns:
        raise ErrorValue(REF)
    if row and column:
        return cells.at(row - 1, column - 1)
    return _part(given, cells, row, column)


@function("ROW", 0, 1)
def _row(given: Call) -> Operand:
    return given.place[1] if given.count == 0 else _area(given).top


@function("COLUMN", 0, 1)
def _column(given: Call) -> Operand:
    return given.place[2] if given.count == 0 else _area(given).left


@function("ROWS", 1)
def _rows(given: Call) -> Operand:
    return given.range(0).shape[0]


@function("COLUMNS", 1)
def _columns(given: Call) -> Operand:
    return given.range(0).shape[1]


def _area(given: Call) -> Area:
    cells = given.operand(0)
    if not isinstance(cells, Area):
        raise ErrorValue(VALUE)
    return cells


def _part(given: Call, cells: Range, row: int, column: int) -> Matrix:
    """A whole row, a whole column or all of a range."""
    rows, columns = cells.shape
    wanted_rows = range(rows) if row == 0 else range(row - 1, row)
    wanted_columns = range(columns) if column == 0 else range(column - 1, column)
    given.evaluator.spend(len(wanted_rows) * len(wanted_columns))
    return Matrix([[cells.at(i, j) for j in wanted_columns] for i in wanted_rows])


def _line(given: Call, index: int) -> list[Scalar]:
    """A range of one row or one column as a list."""
    cells = given.range(index)
    rows, columns = cells.shape
    if rows > 1 and columns > 1:
        raise ErrorValue(NA)
    given.evaluator.spend(rows * columns)
    return [cells.at(i, j) for i in range(rows) for j in range(columns)]


def _found(wanted: Scalar, keys: list[Scalar], kind: int) -> int:
    """The place of a key: equal (0), the last not above (1) or the last not below (-1)."""
    if isinstance(wanted, CellError):
        raise ErrorValue(wanted)
    wanted = 0 if wanted is None else wanted
    if kind == 0:
        found = next(_equals(wanted, keys), None)
    else:
        found = _sorted_place(wanted, keys, 1 if kind > 0 else -1)
    if found is None:
        raise ErrorValue(NA)
    return found


def _equals(wanted: Scalar, keys: list[Scalar]) -> Iterator[int]:
    meets = like(wanted) if isinstance(wanted, str) else None
    for place, key in enumerate(keys):
        if key is None or isinstance(key, CellError):
            continue
        if meets(key) if meets else _alike(wanted, key) and compare(wanted, key) == 0:
            yield place


def _sorted_place(wanted: Scalar, keys: list[Scalar], direction: int) -> int | None:
    found = None
    for place, key in enumerate(keys):
        if key is None or isinstance(key, CellError) or not _alike(wanted, key):
            continue
        if compare(key, wanted) * direction > 0:
            break
        found = place
    return found


def _alike(first: Scalar, second: Scalar) -> bool:
    """Whether both are numbers, both texts or both truth values: others are never equal here."""
    kinds = [
        bool if isinstance(each, bool) else str if isinstance(each, str) else float
        for each in (first, second)
    ]
    return kinds[0] is kinds[1]
