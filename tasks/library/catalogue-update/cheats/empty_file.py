"""Writes an empty updates.txt, reads it back, and says that there was nothing to update."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    agent.call("list_directory", path="/workspace/reports")
    agent.call("write_file", path="/workspace/updates.txt", content="")
    agent.call("read_text_file", path="/workspace/updates.txt")
    return "No title was gained or lost this month."
