"""Writers for generators: equal arguments give equal bytes, on any day and with any hash seed."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docx.document import Document
    from openpyxl import Workbook
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

_CORE = "docProps/core.xml"
_MOMENT = re.compile(rb"(<dcterms:(created|modified)\b[^>]*>)[^<]*(</dcterms:\2>)")
_FIRST_ZIP_YEAR = 1980


def save_workbook(workbook: Workbook, path: Path, now: datetime) -> None:
    """Writes an openpyxl workbook as if it had been made and saved at ``now``."""
    buffer = io.BytesIO()
    workbook.save(buffer)
    _save_office(buffer.getvalue(), path, now)


def save_document(document: Document, path: Path, now: datetime) -> None:
    """Writes a python-docx document as if it had been made and saved at ``now``."""
    buffer = io.BytesIO()
    document.save(buffer)
    _save_office(buffer.getvalue(), path, now)


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

    template = SimpleDocTemplate(
        str(path), pagesize=page_size or A4, title=title, author=author, invariant=1
    )
    template.build(list(story))


def pdf_canvas(path: Path, *, page_size: tuple[float, float] | None = None) -> Canvas:
    """A reportlab canvas whose PDF is the same each time; call its ``save()``."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    return Canvas(str(path), pagesize=page_size or A4, invariant=1)


def email_text(
    *,
    sender: str,
    to: str | Sequence[str],
    subject: str,
    date: datetime,
    body: str,
    cc: str | Sequence[str] = (),
    message_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """A plain-text mail as it lies in an .eml file, with LF line ends.

    People are written "Name <name@example.org>". The Message-ID is made of the rest unless given.
    """
    recipients = [to] if isinstance(to, str) else list(to)
    copies = [cc] if isinstance(cc, str) else list(cc)
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    seed = "\0".join([sender, *recipients, subject, date.isoformat(), body])
    domain = sender.rpartition("@")[2].strip("<> ") or "example.org"
    made = f"<{hashlib.sha256(seed.encode()).hexdigest()[:24]}@{domain}>"
    lines = {
        "From": sender,
        "To": ", ".join(recipients),
        **({"Cc": ", ".join(copies)} if copies else {}),
        "Subject": subject,
        "Date": format_datetime(date),
        "Message-ID": message_id or made,
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "8bit",
        **(headers or {}),
    }
    for name, value in lines.items():
        if re.search(r"[\r\n]", name + value):
            raise ValueError(f"the mail's header {name} has a line end in it")
    head = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return f"{head}\n{body.rstrip()}\n"


def save_text(path: Path, text: str) -> None:
    """Writes UTF-8 text; line ends stay as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def save_zip(path: Path, members: Mapping[str, bytes], now: datetime) -> None:
    """Writes a zip with these members in this order, all of one moment and mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_zipped(members, now))


def _save_office(data: bytes, path: Path, now: datetime) -> None:
    moment = _utc(now).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if _CORE in members:
        members[_CORE] = _MOMENT.sub(rb"\g<1>" + moment + rb"\g<3>", members[_CORE])
    save_zip(path, members, now)


def _zipped(members: Mapping[str, bytes], now: datetime) -> bytes:
    moment = _utc(now)
    if moment.year < _FIRST_ZIP_YEAR:
        raise ValueError(f"a zip knows no year before {_FIRST_ZIP_YEAR}: {now}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, moment.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def _utc(now: datetime) -> datetime:
    return now.astimezone(timezone.utc) if now.tzinfo else now
