"""Word documents and PDFs, honest and crafted."""

from __future__ import annotations

import io
import re
import zipfile

import docx
from cloche import Failed
from cloche.build import pdf_canvas
from cloche.documents import Paragraph, open_document, pdf_text
from cloche.files import File
from support import FolderCase


class Word(FolderCase):
    def document(self, change: tuple[bytes, bytes] | None = None) -> File:
        document = docx.Document()
        document.add_heading("Delivery  note", 1)
        document.add_paragraph("12 copies\u00a0came.")
        table = document.add_table(rows=3, cols=3)
        table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
        table.cell(1, 0).merge(table.cell(2, 0)).text = "tall"
        table.cell(2, 2).text = "last"
        buffer = io.BytesIO()
        document.save(buffer)
        if change is None:
            return self.file("d.docx", buffer.getvalue())
        changed = io.BytesIO()
        with (
            zipfile.ZipFile(buffer) as old,
            zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for name in old.namelist():
                data = old.read(name)
                new.writestr(name, re.sub(*change, data) if name == "word/document.xml" else data)
        return self.file("d.docx", changed.getvalue())

    def test_what_is_no_document_is_rejected(self) -> None:
        for data in (b"", b"text", b"PK\x03\x04"):
            with self.assertRaises(Failed):
                open_document(self.file("d.docx", data))
        with self.assertRaises(Failed):
            open_document(self.document((rb"</w:body>", b"")))

    def test_entities_in_the_xml_give_nothing_away(self) -> None:
        declared = rb'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document'
        for change in ((rb"<w:document", declared), (rb"12 copies", rb"&e;")):
            try:
                text = open_document(self.document(change)).text
            except Failed:
                continue
            self.assertNotIn("root:", text)

    def test_a_cell_that_claims_a_million_columns_is_no_flood(self) -> None:
        document = open_document(
            self.document((rb'gridSpan w:val="2"', b'gridSpan w:val="99999999"'))
        )
        self.assertLessEqual(len(document.tables[0][0]), 300)

    def test_it_is_read_as_structure(self) -> None:
        document = open_document(self.document())
        self.assertEqual(document.paragraphs[0], Paragraph("Delivery note", "Heading 1"))
        self.assertEqual(document.paragraphs[1].text, "12 copies came.")
        self.assertEqual(
            document.tables, [[["wide", "wide", ""], ["tall", "", ""], ["tall", "", "last"]]]
        )
        self.assertIn("wide\twide", document.text)


class Pdf(FolderCase):
    def test_what_is_no_pdf_is_rejected(self) -> None:
        for data in (b"", b"text", b"%PDF-1.4\n" + b"\0" * 1000):
            with self.assertRaises(Failed):
                pdf_text(self.file("p.pdf", data))

    def test_its_text_is_read_page_by_page(self) -> None:
        path = self.folder / "made.pdf"
        canvas = pdf_canvas(path)
        canvas.drawString(72, 700, "Damage report 12")
        canvas.showPage()
        canvas.drawString(72, 700, "Second page")
        canvas.save()
        pages = pdf_text(self.file("p.pdf", path.read_bytes())).split("\f")
        self.assertEqual([page.strip() for page in pages], ["Damage report 12", "Second page", ""])
