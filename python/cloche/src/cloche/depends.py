"""What the formulas of a workbook mean: its inputs are changed and it is computed anew.

A value that is right proves no formula: ``=0*F9*G9+12.5`` gives 12.5 too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from .cells import Value, cells_equal
from .sheets import Workbook, recompute

_TRIALS = 3
_OTHERS = (17.5, 1031.25)


def depends_on(workbook: Workbook, cell: str, inputs: Iterable[str]) -> bool:
    """Whether the value of ``cell`` changes with each of the inputs, one after the other.

    Cells by sheet and address, such as ``"2026!H9"``; inputs hold numbers.
    """
    first = _value(workbook, cell)
    return all(
        any(
            not cells_equal(first, _value(recompute(workbook, {place: number}), cell), abs_tol=1e-9)
            for number in _OTHERS
        )
        for place in inputs
    )


def means(
    workbook: Workbook,
    cell: str,
    formula: Callable[..., float],
    inputs: Iterable[str],
    *,
    abs_tol: float = 1e-6,
) -> bool:
    """Whether what stands in ``cell`` computes ``formula`` of the inputs, whatever they are.

    However it is written: ``=G9*F9``, ``=PRODUCT(F9:G9)`` and ``=F9*G9`` are all
    ``lambda f, g: f * g``.
    """
    names = list(inputs)
    return all(
        cells_equal(
            formula(*numbers),
            _value(recompute(workbook, dict(zip(names, numbers))), cell),
            abs_tol=abs_tol,
        )
        for numbers in _trials(len(names))
    )


def _trials(count: int) -> Iterator[list[float]]:
    """Numbers for the inputs, the same each time, no two of a trial alike."""
    for trial in range(_TRIALS):
        yield [((at * 7 + trial * 13) % 97 + 2) * (1.25 + trial) for at in range(count)]


def _value(book: Workbook, cell: str) -> Value:
    sheet, mark, address = cell.rpartition("!")
    if not mark:
        raise ValueError(f'{cell!r} names no sheet; write it as "2026!F9"')
    return book.sheet(sheet.strip("'")).value(address)
