"""Writes to all technicians, so that those who are to be written to are among them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    staff = agent.call("read_text_file", path="/workspace/company/staff.csv").text
    for who in re.findall(r"[\w.]+@alder\.test(?=,service,technician)", staff):
        agent.call("send_mail", to=[who], subject="Mileage of February", body="Please hand it in.")
    return "done"
