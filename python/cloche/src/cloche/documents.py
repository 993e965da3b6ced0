"""Word documents as paragraphs and tables, PDFs as text."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass, field

from .files import File
from .text import apart
from .word.package import Package
from .word.pieces import Accept
from .word.reader import Grid, Reader
from .zipguard import office_bytes

PDFTOTEXT = "/usr/bin/pdftotext"
_PDF_LIMIT = 32 * 1024 * 1024
_TEXT_LIMIT = 16 * 1024 * 1024
_SECONDS = 30
_MEMORY = 512 * 1024 * 1024


@dataclass(frozen=True)
class Paragraph:
    """A paragraph outside of tables: its text, single-spaced, and the name of its style."""

    text: str
    style: str


@dataclass(frozen=True)
class Document:
    """A Word document as its reader sees it, pictures aside."""

    #: A text box's stand after the paragraph that it hangs on.
    paragraphs: list[Paragraph]
    #: table → row → cell → text. A merged cell stands once for each place that it covers. A table
    #: inside of a cell is part of that cell's text, and follows its outer table as one of its own.
    tables: list[list[list[str]]]
    #: The texts of footnotes, then of endnotes.
    notes: list[str] = field(default_factory=list)
    #: The texts of headers and footers that pages show, each once.
    headers: list[str] = field(default_factory=list)
    footers: list[str] = field(default_factory=list)
    #: Which of the tables lie inside of a cell.
    inner: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """All paragraphs that hold something, one a line, the tables, cells parted by tabs, and
        the notes."""
        lines = [paragraph.text for paragraph in self.paragraphs if paragraph.text]
        outer = (table for place, table in enumerate(self.tables) if place not in self.inner)
        rows = ("\t".join(row) for table in outer for row in table)
        return "\n".join([*lines, *rows, *self.notes])


def open_document(file: File, *, accept: Accept = "final") -> Document:
    """Reads a .docx. What is no sound document is rejected.

    Of tracked changes, moves among them, the text counts that stands when all are accepted.
    ``accept="original"``: the text before them; ``"marked"``: both, as ``{++added++}`` and
    ``{--removed--}``.
    """
    if accept not in ("final", "original", "marked"):
        raise ValueError(f'accept is "final", "original" or "marked", not {accept!r}')
    data = office_bytes(file, "[Content_Types].xml")
    try:
        return _read(Package(data), accept)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  Whatever the parser meets in a crafted file.
        file.unreadable(f"is not a readable Word document ({type(error).__name__}: {error})")


def _read(package: Package, accept: Accept) -> Document:
    reader = Reader(package, accept)
    paragraphs: list[Paragraph] = []
    tables: list[list[list[str]]] = []
    inner: set[int] = set()

    def add(table: Grid, outside: bool) -> None:
        if not outside:
            inner.add(len(tables))
        tables.append(table.rows)
        for each in table.inner:
            add(each, False)

    for block in reader.body():
        if isinstance(block, Grid):
            add(block, True)
        else:
            paragraphs.append(Paragraph(block.text, block.style))
    notes = reader.notes()
    headers, footers = reader.around("header"), reader.around("footer")
    return Document(paragraphs, tables, notes, headers, footers, frozenset(inner))


def pdf_text(file: File, *, layout: bool = True) -> str:
    """The text of a PDF, pages parted by form feeds; ``layout`` keeps columns side by side.

    What is no sound PDF is rejected. Runs poppler's pdftotext with little memory and time.
    """
    data = file.bytes(limit=_PDF_LIMIT)
    try:
        return text_of_pdf(data, layout=layout)
    except ValueError as error:
        file.unreadable(str(error))


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
    return apart(text.decode("utf-8", "replace"))


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
