"""How a function of a formula gets at its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .parser import Function
from .values import (
    Area,
    CellError,
    ErrorValue,
    Matrix,
    Operand,
    Range,
    Scalar,
    UnsupportedFormula,
    number,
    text,
    truth,
    whole,
)

if TYPE_CHECKING:
    from .evaluate import Evaluator

Body = Callable[["Call"], Operand]
#: Name → fewest and most arguments, and what it does.
REGISTRY: dict[str, tuple[int, int, Body]] = {}
MANY = 255


def function(name: str, fewest: int, most: int | None = None) -> Callable[[Body], Body]:
    """Makes a body the function of this name, with so many arguments."""

    def register(body: Body) -> Body:
        REGISTRY[name] = (fewest, fewest if most is None else most, body)
        return body

    return register


class Call:
    """One call of a function; arguments are computed when they are asked for."""

    def __init__(self, evaluator: Evaluator, node: Function, place: tuple[str, int, int]) -> None:
        self.evaluator = evaluator
        self.name = node.name
        self.place = place
        self.count = len(node.arguments)
        self._nodes = node.arguments

    def operand(self, index: int) -> Operand:
        """An argument as it is."""
        return self.evaluator.operand(self._nodes[index], self.place)

    def scalar(self, index: int, default: Scalar = None) -> Scalar:
        """An argument as a single value, errors included."""
        if index >= self.count:
            return default
        value = self.operand(index)
        if isinstance(value, (Area, Matrix)):
            if value.shape != (1, 1):
                raise UnsupportedFormula(f"{self.name} is given a range where one value belongs")
            return value.at(0, 0)
        return value

    def number(self, index: int, default: float = 0) -> float:
        """An argument as a number."""
        return number(self.scalar(index, default))

    def whole(self, index: int, default: int = 0) -> int:
        """An argument as a whole number."""
        return whole(self.scalar(index, default))

    def text(self, index: int, default: str = "") -> str:
        """An argument as text."""
        return text(self.scalar(index, default))

    def truth(self, index: int, default: bool = False) -> bool:
        """An argument as a condition."""
        return truth(self.scalar(index, default))

    def range(self, index: int) -> Range:
        """An argument as a range; a single value is one of one cell."""
        value = self.operand(index)
        return value if isinstance(value, (Area, Matrix)) else Matrix([[value]])

    def numbers(self, start: int = 0) -> Iterator[float]:
        """All numbers in the arguments: of ranges only real numbers, else what can be one."""
        for index in range(start, self.count):
            value = self.operand(index)
            if isinstance(value, (Area, Matrix)):
                yield from numbers_of(value)
            elif value is not None or self.count > 1:
                yield number(value)


def numbers_of(cells: Range) -> Iterator[float]:
    """The real numbers of a range; raises ErrorValue at an error."""
    for _, _, value in cells.filled():
        if isinstance(value, CellError):
            raise ErrorValue(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield number(value)
