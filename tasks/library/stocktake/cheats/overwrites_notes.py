"""Writes the new note over the one that stood there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import solution

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    look = solution.Desk.look

    def without_notes(desk: solution.Desk) -> str:
        look(desk)
        desk.page = re.sub(r'(textbox "Note[^"]*".*?\[ref=\w+\]): .*', r"\1", desk.page)
        return desk.page

    solution.Desk.look = without_notes  # type: ignore[assignment, method-assign]  # That is the cheat.
    return solution.solve(agent)
