"""Hands in a list without a technician, and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


LIST = "mileage-2026-02.csv"


def solve(agent: Agent) -> str:
    agent.call("write_file", path=f"/workspace/{LIST}", content="name,km,amount\nTotal,0,0.00\n")
    asked = agent.call("search_mail", query="from:petra subject:Mileage").structured["messages"][0]
    agent.call("reply_to_message", id=asked["id"], attachments=[LIST], body="Total: 0.00 EUR")
    return "done"
