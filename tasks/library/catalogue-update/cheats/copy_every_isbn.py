"""Writes an ADD line and a DELETE line for every ISBN that it can find, without asking which."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloche.agent import Agent


def solve(agent: Agent) -> str:
    text = "".join(
        agent.call("read_document", path=f"reports/{name}").text
        for name in ("delivery.docx", "purge.eml")
    )
    text += agent.call("read_range", path="reports/donations.xlsx").text
    for sheet in agent.call("describe_workbook", path="catalogue.xlsx").structured["sheets"][:2]:
        asked: dict[str, Any] | None = {
            "path": "catalogue.xlsx",
            "sheet": sheet["name"],
            "range": "B:B",
            "limit": 500,
        }
        while asked:
            page = agent.call("read_range", **asked)
            text += page.text
            asked = page.structured.get("next") and {**asked, "range": page.structured["next"]}
    text = re.sub(r"(?<=\d)[- ](?=\d)", "", text)
    isbns = sorted(set(re.findall(r"97[89]\d{10}", text)))
    lines = [f"ADD {isbn} 2" for isbn in isbns] + [f"DELETE {isbn}" for isbn in isbns]
    agent.call("write_file", path="/workspace/updates.txt", content="\n".join(lines) + "\n")
    agent.call("read_text_file", path="/workspace/updates.txt")
    return "Every ISBN is in the list."
