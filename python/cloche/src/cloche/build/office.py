"""Office files and PDFs as their libraries make them, with nothing of the day in them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .files import in_utc, zip_bytes

if TYPE_CHECKING:
    from docx.document import Document
    from openpyxl import Workbook
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

_CORE = "docProps/core.xml"
_MOMENT = re.compile(rb"(<dcterms:(created|modified)\b[^>]*>)[^<]*(</dcterms:\2>)")


def save_workbook(workbook: Workbook, path: Path, now: datetime) -> None:
    """Writes an openpyxl workbook as if it had been made and saved at ``now``."""
    _save(workbook_bytes(workbook, now), path)


def workbook_bytes(workbook: Workbook, now: datetime) -> bytes:
    """An openpyxl workbook as ``save_workbook`` writes it, to be attached to a mail, say."""
    buffer = io.BytesIO()
    workbook.save(buffer)
    return _as_of(buffer.getvalue(), now)


def save_document(document: Document, path: Path, now: datetime) -> None:
    """Writes a python-docx document as if it had been made and saved at ``now``."""
    buffer = io.BytesIO()
    document.save(buffer)
    _save(_as_of(buffer.getvalue(), now), path)


def save_pdf(
    path: Path,
    story: Sequence[Flowable],
    *,
    title: str = "",
    author: str = "",
    page_size: tuple[float, float] | None = None,
) -> None:
    """Writes reportlab flowables as a PDF (A4 unless told), dated as reportlab's fixed day."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    path.parent.mkdir(parents=True, exist_ok=True)
    template = SimpleDocTemplate(
        str(path), pagesize=page_size or A4, title=title, author=author, invariant=1
    )
    template.build(list(story))


def pdf_canvas(path: Path, *, page_size: tuple[float, float] | None = None) -> Canvas:
    """A reportlab canvas whose PDF is the same each time; call its ``save()``."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    path.parent.mkdir(parents=True, exist_ok=True)
    return Canvas(str(path), pagesize=page_size or A4, invariant=1)


def _save(data: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _as_of(data: bytes, now: datetime) -> bytes:
    moment = in_utc(now).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if _CORE in members:
        members[_CORE] = _MOMENT.sub(rb"\g<1>" + moment + rb"\g<3>", members[_CORE])
    return zip_bytes(members, now)
