"""Word documents as paragraphs and tables, PDFs as text."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

from .files import File
from .text import squeeze
from .zipguard import office_bytes

PDFTOTEXT = "/usr/bin/pdftotext"
_PDF_LIMIT = 32 * 1024 * 1024
_TEXT_LIMIT = 16 * 1024 * 1024
_SECONDS = 30
_COLUMNS = 256
_MEMORY = 512 * 1024 * 1024


@dataclass(frozen=True)
class Paragraph:
    """A paragraph outside of tables: its text, single-spaced, and the name of its style."""

    text: str
    style: str


@dataclass(frozen=True)
class Document:
    """A Word document as its reader sees it, pictures, headers and footers aside."""

    paragraphs: list[Paragraph]
    #: table → row → cell → text. A merged cell stands once for each place that it covers.
    tables: list[list[list[str]]]

    @property
    def text(self) -> str:
        """All paragraphs that hold something, one a line, then the tables, cells parted by tabs."""
        lines = [paragraph.text for paragraph in self.paragraphs if paragraph.text]
        rows = ("\t".join(row) for table in self.tables for row in table)
        return "\n".join([*lines, *rows])


def open_document(file: File) -> Document:
    """Reads a .docx. What is no sound document is rejected."""
    import docx

    data = office_bytes(file, "word/document.xml")
    try:
        document = docx.Document(io.BytesIO(data))
        paragraphs = [_paragraph(each) for each in document.paragraphs]
        tables = [_rows(table) for table in document.tables]
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  Whatever the parser meets in a crafted file.
        file.reject(f"is not a readable Word document ({type(error).__name__}: {error})")
    return Document(paragraphs, tables)


def pdf_text(file: File, *, layout: bool = True) -> str:
    """The text of a PDF, pages parted by form feeds; ``layout`` keeps columns side by side.

    What is no sound PDF is rejected. Runs poppler's pdftotext with little memory and time.
    """
    data = file.bytes(limit=_PDF_LIMIT)
    try:
        return text_of_pdf(data, layout=layout)
    except ValueError as error:
        file.reject(str(error))


def text_of_pdf(data: bytes, *, layout: bool = True) -> str:
    """As ``pdf_text``. ValueError for what is no sound PDF; its text says what the file is then."""
    if b"%PDF-" not in data[:1024]:
        raise ValueError("is not a PDF")
    command = [
        PDFTOTEXT,
        *(["-layout"] if layout else []),
        "-enc",
        "UTF-8",
        "-eol",
        "unix",
        "-",
        "-",
    ]
    code, text = _run(command, data)
    if code is None:
        raise ValueError(f"can't be read as a PDF within {_SECONDS} seconds")
    if len(text) > _TEXT_LIMIT:
        raise ValueError(f"holds more than {_TEXT_LIMIT} bytes of text")
    if code != 0:
        raise ValueError(f"is not a readable PDF (pdftotext ended with {code})")
    return text.decode("utf-8", "replace")


def _run(command: list[str], data: bytes) -> tuple[int | None, bytes]:
    """Exit code (None if time ran out) and output, of which no more than the limit is taken."""
    with os.fdopen(os.memfd_create("pdf"), "w+b") as source:
        source.write(data)
        source.seek(0)
        with subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"LC_ALL": "C.UTF-8"},
            preexec_fn=_bounded,
        ) as process:
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(_SECONDS, stop)
            timer.daemon = True
            timer.start()
            try:
                text = process.stdout.read(_TEXT_LIMIT + 1) if process.stdout else b""
                if len(text) > _TEXT_LIMIT:
                    process.kill()
                process.wait()
            finally:
                process.kill()
                timer.cancel()
        return (None if late.is_set() else process.returncode), text


def _bounded() -> None:
    """In the child, before it runs: bounds on memory, time and what it may write."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _paragraph(paragraph: Any) -> Paragraph:
    style = paragraph.style.name if paragraph.style is not None else ""
    return Paragraph(squeeze(paragraph.text), style or "")


def _rows(table: Any) -> list[list[str]]:
    """The table's grid. Walks the XML itself: python-docx believes any number of merged columns."""
    from docx.table import _Cell

    rows: list[list[str]] = []
    for row in table._tbl.tr_lst:
        texts: list[str] = []
        for cell in row.tc_lst:
            text = squeeze(_Cell(cell, table).text)
            if cell.vMerge == "continue" and rows and len(texts) < len(rows[-1]):
                text = rows[-1][len(texts)]
            texts.extend([text] * max(1, min(cell.grid_span, _COLUMNS - len(texts))))
        rows.append(texts)
    return rows
