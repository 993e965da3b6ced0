"""Counts every line of the scans, those that were taken back too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import solution

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    solution.scanned_of = every_line
    return solution.solve(agent)


def every_line(files: list[str]) -> set[str]:
    barcodes = {line.split(",")[2] for text in files for line in text.split() if "," in line}
    return barcodes - {"barcode", "UNDO"}
