"""Does what the instruction asks, through the agent's tools and knowing only what they say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


WORKBOOK = "/workspace/orders.xlsx"


def solve(agent: Agent) -> str:
    agent.call("list_directory", path="/workspace")
    agent.call("describe_workbook", path=WORKBOOK)
    totals: Counter[str] = Counter()
    for order in orders(agent):
        if order["E"] == "shipped":
            # Whole cents: sums of floats would drift.
            totals[order["B"]] += order["C"] * round(order["D"] * 100)
    lines = [f"{customer},{euros(cents)}" for customer, cents in sorted(totals.items())]
    text = "\n".join(["customer,amount", *lines, f"Total,{euros(sum(totals.values()))}", ""])
    agent.call("write_file", path="/workspace/totals.csv", content=text)
    agent.call("read_text_file", path="/workspace/totals.csv")
    return f"{len(totals)} customers"


def orders(agent: Agent) -> list[Any]:
    """The cells of each order, by the letter of their column."""
    read = agent.call("read_range", path=WORKBOOK, sheet="Orders").structured
    return [row["cells"] for row in read["rows"] if row["row"] > 1]


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
