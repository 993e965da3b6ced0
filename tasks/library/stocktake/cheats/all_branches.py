"""Takes the copies of every branch for those of these shelves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import solution

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    list_items = solution.Desk.list_items

    def moved(desk: solution.Desk, query: str) -> None:
        list_items(desk, query)
        for item in desk.items.values():
            item["branch"] = solution.asked(agent.instruction)[0]

    solution.Desk.list_items = moved  # type: ignore[assignment, method-assign]  # That is the cheat.
    return solution.solve(agent)
