"""Word documents and PDFs from the same few blocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from .office import save_document, save_pdf

#: "# A heading", "## One below", "- an item", PAGE_BREAK, any other text as a paragraph; or rows
#: of a table, of which the first is its header.
Block = str | Sequence[Sequence[Any]]

PAGE_BREAK = "\f"
_LEVELS = {"# ": 1, "## ": 2, "### ": 3}


def make_document(path: Path, blocks: Sequence[Block], now: datetime) -> None:
    """Writes a Word document."""
    import docx

    document = docx.Document()
    for block in blocks:
        if not isinstance(block, str):
            _add_table(document, block)
            continue
        mark, _, rest = block.partition(" ")
        level = _LEVELS.get(f"{mark} ")
        if block == PAGE_BREAK:
            document.add_page_break()
        elif level:
            document.add_heading(rest, level)
        elif mark == "-":
            document.add_paragraph(rest, style="List Bullet")
        else:
            document.add_paragraph(block)
    save_document(document, path, now)


def make_pdf(path: Path, blocks: Sequence[Block], *, title: str = "", author: str = "") -> None:
    """Writes a PDF with text that can be read out again: A4, as many pages as it takes."""
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, Spacer

    styles = getSampleStyleSheet()
    story: list[Any] = []
    for block in blocks:
        if not isinstance(block, str):
            story += [_pdf_table(block), Spacer(1, 8)]
            continue
        mark, _, rest = block.partition(" ")
        level = _LEVELS.get(f"{mark} ")
        if block == PAGE_BREAK:
            story.append(PageBreak())
        elif level:
            story.append(Paragraph(escape(rest), styles[f"Heading{level}"]))
        elif mark == "-":
            story.append(Paragraph(escape(rest), styles["Normal"], bulletText="-"))
        else:
            text = escape(block).replace("\n", "<br/>")
            story += [Paragraph(text, styles["Normal"]), Spacer(1, 6)]
    save_pdf(path, story, title=title, author=author)


def _add_table(document: Any, rows: Sequence[Sequence[Any]]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for row in rows:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = _shown(value)
    for cell in table.rows[0].cells:
        for run in cell.paragraphs[0].runs:
            run.font.bold = True


def _pdf_table(rows: Sequence[Sequence[Any]]) -> Any:
    from reportlab.lib import colors
    from reportlab.platypus import Table, TableStyle

    grid = [
        ("GRID", (0, 0), (-1, -1), 0.25, colors.grey),
        ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 9),
        ("FONT", (0, 1), (-1, -1), "Helvetica", 9),
    ]
    texts = [[_shown(value) for value in row] for row in rows]
    return Table(texts, repeatRows=1, hAlign="LEFT", style=TableStyle(grid))


def _shown(value: Any) -> str:
    return "" if value is None else str(value)
