"""Adds up the newest mail of each technician, late ones and lines of other months too."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloche.agent import Agent


LIST = "mileage-2026-02.csv"


def solve(agent: Agent) -> str:
    listed = agent.call("list_messages", folder="INBOX", limit=50).structured["messages"]
    sums, asked = {}, None
    for each in reversed(listed):
        mail = agent.call("read_message", id=each["id"]).structured
        name = mail["from"].partition(" <")[0]
        asked = mail["id"] if name == "Petra Vance" else asked
        if not mail["attachments"]:
            continue
        path = f"inbox/{name}.csv"
        agent.call("save_attachment", id=mail["id"], attachment=1, path=path, overwrite=True)
        text = agent.call("read_text_file", path=f"/workspace/{path}").text
        sums[name] = sum(int(row["km"]) for row in csv.DictReader(io.StringIO(text)))
    lines = [f"{name},{km},{km * 0.38:.2f}" for name, km in sorted(sums.items())]
    total = sum(sums.values())
    text = "\n".join(["name,km,amount", *lines, f"Total,{total},{total * 0.38:.2f}", ""])
    agent.call("write_file", path=f"/workspace/{LIST}", content=text)
    agent.call(
        "reply_to_message", id=asked, attachments=[LIST], body=f"Total: {total * 0.38:.2f} EUR"
    )
    return "done"
