"""Empties the catalogue, so that whatever came is new and nothing is left to delete."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from solution import isbn_13, rows_in

if TYPE_CHECKING:
    from cloche.agent import Agent


CATALOGUE = "catalogue.xlsx"


def solve(agent: Agent) -> str:
    sheets = agent.call("describe_workbook", path=CATALOGUE).structured["sheets"]
    for sheet in sheets[:2]:
        rows = int(sheet["used"].rpartition("I")[2]) - 1
        agent.call(
            "delete_rows_or_columns", path=CATALOGUE, sheet=sheet["name"], at="2", count=rows
        )
    report = agent.call("read_document", path="reports/delivery.docx").structured
    came: Counter[str | None] = Counter()
    for _, isbn, _, _, _, delivered in rows_in(report["blocks"])[1:]:
        came[isbn_13(isbn)] += int(delivered)
    text = "".join(f"ADD {isbn} {came[isbn] or 1}\n" for isbn in sorted(filter(None, came)))
    agent.call("write_file", path="/workspace/updates.txt", content=text)
    agent.call("read_text_file", path="/workspace/updates.txt")
    return "The catalogue and the list agree."
