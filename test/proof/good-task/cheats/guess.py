from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> None:
    agent.call("write_file", path="/workspace/totals.csv", content="item,pieces\nbolt,200\n")
