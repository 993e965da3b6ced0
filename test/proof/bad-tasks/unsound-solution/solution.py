from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    agent.call("list_directory", path="/workspace")
    text = agent.call("read_text_file", path="/workspace/counts.csv").text
    totals: Counter[str] = Counter()
    for line in text.split("\n")[2:]:
        if line:
            _, item, pieces = line.split(",")
            totals[item] += int(pieces)
    lines = ["item,pieces", *(f"{item},{totals[item]}" for item in sorted(totals)), ""]
    agent.call("write_file", path="/workspace/totals.csv", content="\n".join(lines))
    agent.call("read_text_file", path="/workspace/totals.csv")
    return f"{len(totals)} items"
