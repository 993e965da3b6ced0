"""Writers for generators: equal arguments give equal bytes, on any day and with any hash seed.

``generate(variant)`` has most of them at hand, with the variant's folders and clock:
``variant.workbook``, ``variant.document``, ``variant.pdf``, ``variant.text``, ``variant.people``,
``variant.mail``, ``variant.calendar``, ``variant.corpus``. Those here take a path of one's own.
"""

from .blocks import PAGE_BREAK, Block, make_document, make_pdf
from .calendars import CalendarFile
from .corpora import Corpus
from .files import save_json, save_text, save_zip
from .letters import Mail, email_text
from .office import pdf_canvas, save_document, save_pdf, save_workbook, workbook_bytes
from .persons import People, Person
from .workbooks import Sheet, make_workbook, new_workbook

__all__ = [
    "PAGE_BREAK",
    "Block",
    "CalendarFile",
    "Corpus",
    "Mail",
    "People",
    "Person",
    "Sheet",
    "email_text",
    "make_document",
    "make_pdf",
    "make_workbook",
    "new_workbook",
    "pdf_canvas",
    "save_document",
    "save_json",
    "save_pdf",
    "save_text",
    "save_workbook",
    "save_zip",
    "workbook_bytes",
]
