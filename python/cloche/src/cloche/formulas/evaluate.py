"""Computes the cells of a workbook, each once, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openpyxl.utils import get_column_letter

from . import functions
from .operators import apply, apply_guarded, pick
from .parser import (
    LAST_COLUMN,
    LAST_ROW,
    Function,
    Literal,
    Name,
    Node,
    Operation,
    Reference,
    parse,
)
from .values import (
    CIRCULAR,
    NAME,
    REF,
    VALUE,
    Area,
    CellError,
    ErrorValue,
    FormulaLimit,
    Matrix,
    Operand,
    Scalar,
    UnsupportedFormula,
    from_cell,
)

#: A few seconds of work; a thousand SUMIFs over a thousand rows take half of it.
WORK_LIMIT = 4_000_000
NAMES_LIMIT = 16
Place = tuple[str, int, int]


@dataclass
class SheetCells:
    """The cells of one sheet that hold something."""

    #: What stands in them: values, or formulas as text that starts with "=".
    values: dict[tuple[int, int], object]
    #: Which of them hold formulas.
    formulas: frozenset[tuple[int, int]]
    #: The same places sorted by row and column.
    order: list[tuple[int, int]] = field(init=False)
    bottom: int = field(init=False)
    right: int = field(init=False)

    def __post_init__(self) -> None:
        self.order = sorted(self.values)
        self.bottom = max((row for row, _ in self.order), default=1)
        self.right = max((column for _, column in self.order), default=1)


class Evaluator:
    """The computed values of one workbook. Cached values of the file play no part."""

    def __init__(
        self,
        sheets: Mapping[str, SheetCells],
        names: Mapping[str, str],
        now: datetime | None = None,
    ) -> None:
        self._sheets = {name.casefold(): cells for name, cells in sheets.items()}
        self._names = {name.casefold(): formula for name, formula in names.items()}
        #: The clock of TODAY and NOW.
        self.now = now
        self._done: dict[Place, Scalar | UnsupportedFormula] = {}
        self._trees: dict[str, Node] = {}
        self._settled: set[tuple[str, int, int, int, int]] = set()
        self._bottom = max((cells.bottom for cells in sheets.values()), default=1)
        self._right = max((cells.right for cells in sheets.values()), default=1)
        self._work = 0
        self._names_open = 0

    def value(self, sheet: str, row: int, column: int) -> Scalar:
        """The computed value of a cell; dates as serial numbers.

        Raises UnsupportedFormula if the cell, or one that it needs, can't be computed, and
        FormulaLimit if that takes too much.
        """
        place = (sheet.casefold(), row, column)
        if self._formula(place) is None:
            return self._read(*place)
        self._compute(place)
        return self._read(*place)

    def spend(self, amount: int) -> None:
        """Counts work. Raises FormulaLimit when it is too much."""
        self._work += amount
        if self._work > WORK_LIMIT:
            raise FormulaLimit(f"the workbook's formulas take more than {WORK_LIMIT} steps")

    def _compute(self, place: Place) -> None:
        """Depth first, without recursion: a column of a thousand running sums is no deep stack."""
        stack = [(place, self._needs(place))]
        active = {place}
        while stack:
            current, needs = stack[-1]
            need = next((each for each in needs if each not in self._done), None)
            if need is None:
                stack.pop()
                active.discard(current)
                self._done.setdefault(current, self._settle(current))
            elif need in active:
                self._done[need] = CIRCULAR
            else:
                active.add(need)
                stack.append((need, self._needs(need)))

    def _settle(self, place: Place) -> Scalar | UnsupportedFormula:
        if place in self._done:
            return self._done[place]
        try:
            return self._single(self.operand(self._tree(place), place))
        except ErrorValue as error:
            return error.error
        except UnsupportedFormula as error:
            if str(error).startswith("cell "):
                return error
            address = f"{get_column_letter(place[2])}{place[1]}"
            return UnsupportedFormula(f"cell {place[0]}!{address}: {error}")

    def _formula(self, place: Place) -> str | None:
        cells = self._sheets.get(place[0])
        if cells is None or place[1:] not in cells.formulas:
            return None
        return str(cells.values[place[1:]])

    def _tree(self, place: Place) -> Node:
        return self._parsed(self._formula(place) or "=")

    def _parsed(self, formula: str) -> Node:
        if formula not in self._trees:
            self._trees[formula] = parse(formula)
        return self._trees[formula]

    def _needs(self, place: Place) -> Iterator[Place]:
        """The formula cells that a formula cell refers to, taken branches or not."""
        try:
            waiting = [self._tree(place)]
        except UnsupportedFormula:
            return
        seen_names: set[str] = set()
        while waiting:
            node = waiting.pop()
            self.spend(1)
            if isinstance(node, Reference):
                yield from self._formulas_in(self._area(node, place))
            elif isinstance(node, Name) and node.name.casefold() not in seen_names:
                seen_names.add(node.name.casefold())
                try:
                    waiting.append(self._parsed(self._names.get(node.name.casefold(), "=0")))
                except UnsupportedFormula:
                    continue
            elif isinstance(node, Operation):
                waiting.extend(node.operands)
            elif isinstance(node, Function):
                waiting.extend(node.arguments)

    def _formulas_in(self, area: Area | None) -> Iterator[Place]:
        if area is None:
            return
        key = (area.sheet, area.top, area.left, area.bottom, area.right)
        if key in self._settled:
            return
        formulas = self._sheets[area.sheet].formulas
        for place in self._places(area):
            if place in formulas:
                yield (area.sheet, *place)
        # Only reached when every formula in it is computed: it need not be looked at again.
        self._settled.add(key)

    def operand(self, node: Node, place: Place) -> Operand:
        """What a part of a formula is worth. Raises ErrorValue and UnsupportedFormula."""
        self.spend(1)
        if isinstance(node, Literal):
            if isinstance(node.value, CellError):
                raise ErrorValue(node.value)
            return node.value
        if isinstance(node, Reference):
            area = self._area(node, place)
            if area is None:
                raise ErrorValue(REF)
            return area
        if isinstance(node, Name):
            return self._named(node, place)
        if isinstance(node, Function):
            return functions.call(self, node, place)
        return self._operated(node, place)

    def _named(self, node: Name, place: Place) -> Operand:
        formula = self._names.get(node.name.casefold())
        if formula is None:
            raise ErrorValue(NAME)
        if self._names_open > NAMES_LIMIT:
            raise ErrorValue(CIRCULAR)
        self._names_open += 1
        try:
            return self.operand(self._parsed(formula), place)
        finally:
            self._names_open -= 1

    def _operated(self, node: Operation, place: Place) -> Operand:
        operands = [self.operand(each, place) for each in node.operands]
        shapes = [each.shape for each in operands if isinstance(each, (Area, Matrix))]
        rows = max((shape[0] for shape in shapes), default=1)
        columns = max((shape[1] for shape in shapes), default=1)
        if (rows, columns) == (1, 1):
            return apply(node.operator, [pick(each, 0, 0) for each in operands])
        self.spend(rows * columns)
        if any(shape[0] not in (1, rows) or shape[1] not in (1, columns) for shape in shapes):
            raise ErrorValue(VALUE)
        return Matrix(
            [
                [
                    apply_guarded(node.operator, [pick(each, i, j) for each in operands])
                    for j in range(columns)
                ]
                for i in range(rows)
            ]
        )

    def _single(self, value: Operand) -> Scalar:
        if isinstance(value, (Area, Matrix)):
            if value.shape != (1, 1):
                raise UnsupportedFormula("the formula gives a whole range, not one value")
            value = value.at(0, 0)
        # A formula that refers to a blank cell shows 0.
        return 0 if value is None else value

    def _area(self, node: Reference, place: Place) -> Area | None:
        sheet = (node.sheet or place[0]).casefold()
        if sheet not in self._sheets:
            return None
        # Whole columns and rows end where the workbook does, alike on all sheets.
        bottom = max(self._bottom, node.top) if node.bottom == LAST_ROW else node.bottom
        right = max(self._right, node.left) if node.right == LAST_COLUMN else node.right
        return Area(sheet, node.top, node.left, bottom, right, self._read, self._places)

    def _places(self, area: Area) -> Iterator[tuple[int, int]]:
        cells = self._sheets[area.sheet]
        rows, columns = area.shape
        if rows * columns > len(cells.order):
            self.spend(len(cells.order))
            for row, column in cells.order:
                if area.top <= row <= area.bottom and area.left <= column <= area.right:
                    yield row, column
            return
        self.spend(rows * columns)
        for row in range(area.top, area.bottom + 1):
            for column in range(area.left, area.right + 1):
                if (row, column) in cells.values:
                    yield row, column

    def _read(self, sheet: str, row: int, column: int) -> Scalar:
        place = (sheet, row, column)
        if place in self._done:
            value = self._done[place]
            if isinstance(value, UnsupportedFormula):
                raise value
            return value
        cells = self._sheets[sheet]
        if (row, column) in cells.formulas:
            raise UnsupportedFormula("a cell is needed that the formula does not name")
        return from_cell(cells.values.get((row, column)))
