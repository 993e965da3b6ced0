from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    agent.call("list_directory", path="/workspace")
    text = agent.call("read_text_file", path="/workspace/counts.csv").text
    totals: Counter[str] = Counter()
    for line in text.split("\n")[1:]:
        if line:
            _, item, pieces = line.split(",")
            totals[item] += int(pieces)
    rows = [["item", "pieces"], *([item, totals[item]] for item in sorted(totals))]
    agent.call("create_workbook", path="totals.xlsx", sheets=["Totals"])
    agent.call("write_range", path="totals.xlsx", sheet="Totals", cell="A1", values=rows)
    return f"{len(totals)} items"
