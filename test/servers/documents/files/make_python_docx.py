"""Makes python-docx.docx with python-docx 0.8.11. Run: python3 make_python_docx.py"""

import docx

note = docx.Document()
note.core_properties.author = "Desk"
note.add_heading("Stock list", 0)
note.add_heading("Shelf one", 1)
note.add_paragraph("Counted on Monday.")
for text in ("Paper", "Pens", "Glue"):
    note.add_paragraph(text, style="List Bullet")
for text in ("Count", "Order"):
    note.add_paragraph(text, style="List Number")
table = note.add_table(rows=3, cols=3, style="Light Grid Accent 1")
for y, row in enumerate(
    (("Article", "Left", "Order"), ("Paper", "12", "no"), ("Pens", "1", "yes"))
):
    for x, text in enumerate(row):
        table.cell(y, x).text = text
table.cell(1, 1).merge(table.cell(2, 1))
note.sections[0].header.paragraphs[0].text = "House copy"
note.add_page_break()
note.add_paragraph("Signed", style="Intense Quote")
note.save("python-docx.docx")
