"""Adds up all orders, whatever their status. A cheat is to earn less than 1."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    read = agent.call("read_range", path="/workspace/orders.xlsx", sheet="Orders").structured
    totals: Counter[str] = Counter()
    for cells in (row["cells"] for row in read["rows"] if row["row"] > 1):
        totals[cells["B"]] += cells["C"] * round(cells["D"] * 100)
    lines = [f"{who},{cents / 100:.2f}" for who, cents in sorted(totals.items())]
    text = "\n".join(["customer,amount", *lines, f"Total,{sum(totals.values()) / 100:.2f}", ""])
    agent.call("write_file", path="/workspace/totals.csv", content=text)
    return "done"
