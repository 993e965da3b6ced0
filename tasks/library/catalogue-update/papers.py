"""Writes the month down: the catalogue, the four reports, and what lies around."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import docx
from cloche import build
from month import Copy, Correction, Line, Month
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

DONORS = [
    "M. Okafor",
    "Estate of R. Lindqvist",
    "J. Pereira",
    "Rotary Club",
    "S. Haddad",
    "Friends of the Library",
    "T. Vollmer",
    "Grammar School",
    "A. Novák",
]
DAMAGES = [
    "water stains",
    "spine broken",
    "pages loose",
    "mould",
    "scribbles",
    "cover torn",
    "burn mark",
    "pages missing",
]
CONDITIONS = ["as new", "good", "fair", "worn"]
LEFT = 40
YEAR_END = date(2025, 12, 31)


def write_catalogue(
    month: Month, path: Path, library: str, old_name: str, current_name: str
) -> None:
    book = Workbook()
    old = book.worksheets[0]
    old.title = old_name
    current = book.create_sheet(current_name)
    header = [
        "Barcode",
        "ISBN",
        "Title",
        "Author",
        "Year",
        "Branch",
        "Collection",
        "Status",
        "Acquired",
    ]
    rows = sorted(month.copies, key=lambda c: (c.book.author, c.book.title, c.barcode))
    write_table(old, header, [copy_row(c) for c in rows if c.acquired <= YEAR_END])
    write_table(current, header, [copy_row(c) for c in rows if not c.withdrawn])
    branches = book.create_sheet("Branches")
    write_table(
        branches,
        ["Code", "Branch", "Telephone"],
        [
            [code, name, f"01632 960{month.rng.randrange(1000):03d}"]
            for code, name in month.branches.items()
        ],
    )
    gone = book.create_sheet("Withdrawn")
    write_table(
        gone,
        ["Barcode", "ISBN", "Title", "Author", "Withdrawn", "Reason"],
        [
            [
                c.barcode,
                c.book.written("plain"),
                c.book.title,
                c.book.author,
                c.withdrawn,
                month.rng.choice(["worn out", "lost by reader", "sold"]),
            ]
            for c in rows
            if c.withdrawn
        ],
    )
    notes = book.create_sheet("Notes")
    for text in (
        f"{library}: about this workbook",
        f"'{current_name}' is the current sheet: every copy that we hold, as of 27 February 2026.",
        (
            f"'{old_name}' is the export of 31 December 2025, kept for the annual return. It is "
            "not kept up to date; do not work from it."
        ),
        "'Withdrawn' has the copies that left since then. They are no longer in the current sheet.",
        "'Branches' has the codes that the column Branch uses.",
        (
            "ISBNs are as the cataloguer typed them: with or without hyphens, some in the old "
            "ten-character form."
        ),
    ):
        notes.append([text])
    notes.column_dimensions["A"].width = 100
    build.save_workbook(book, path, month.now)


def copy_row(copy: Copy) -> list[Any]:
    plain = copy.how == "number"
    isbn = int(copy.book.isbn) if plain else copy.book.written(copy.how)
    return [
        copy.barcode,
        isbn,
        copy.book.title,
        copy.book.author,
        copy.book.year,
        copy.branch,
        copy.collection,
        copy.status,
        copy.acquired,
    ]


def write_table(
    sheet: Worksheet, header: list[str], rows: list[list[Any]], first_row: int = 1
) -> None:
    for column, name in enumerate(header, 1):
        sheet.cell(first_row, column, name).font = Font(bold=True)
        width = {"Title": 40, "Author": 24, "ISBN": 20, "Donor": 26}.get(name, 13)
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, row in enumerate(rows, first_row + 1):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column, value)
            if isinstance(value, int) and value > 10**12:
                cell.number_format = "0"
            if isinstance(value, date):
                cell.number_format = "yyyy-mm-dd"
    sheet.freeze_panes = f"A{first_row + 1}"


def last_year(month: Month) -> list[Copy]:
    """The copies in the misleading sheet: those of 31 December."""
    return [copy for copy in month.copies if copy.acquired <= YEAR_END]


def write_delivery(month: Month, path: Path, library: str) -> None:
    note = docx.Document()
    note.add_heading("Delivery report, February 2026", 1)
    note.add_paragraph(
        f"Hartley & Bowes, library booksellers, to {library}, acquisitions desk. "
        "Boxes 1 to 6, handed over on 26 February 2026."
    )
    table = note.add_table(rows=1, cols=6)
    table.style = "Table Grid"
    for cell, text in zip(
        table.rows[0].cells, ["Reference", "ISBN", "Title", "Author", "Ordered", "Delivered"]
    ):
        cell.text = text
    for line in month.delivery:
        row = [line.reference, line.isbn, line.title, line.author, line.ordered, line.number]
        for cell, value in zip(table.add_row().cells, row):
            cell.text = str(value)
    note.add_paragraph()
    note.add_heading("Corrections", 2)
    note.add_paragraph("After the table was printed, on 27 February 2026, we found:")
    for correction in said_about(month, "delivery"):
        note.add_paragraph(correction.said, style="List Bullet")
    note.add_paragraph("Titles with 0 delivered are on back order.")
    build.save_document(note, path, month.now)


def write_damage(month: Month, path: Path, library: str) -> None:
    columns = [
        (LEFT, "Slip"),
        (100, "Barcode"),
        (172, "Title"),
        (370, "Branch"),
        (415, "Damage"),
        (495, "Assessment"),
    ]
    rows = [
        [
            line.reference,
            line.barcode,
            line.title[:36],
            line.where,
            month.rng.choice(DAMAGES),
            line.verdict,
        ]
        for line in month.damage
    ]
    head = [(14, LEFT, "Damage report, February 2026"), (10, LEFT, f"{library}, workshop")]
    half = (len(rows) + 1) // 2
    again = [[c.reference, c.said] for c in said_about(month, "damage")]
    pages = [
        [*head, *table_text(columns, rows[:half])],
        [*table_text(columns, rows[half:])],
        [
            (12, LEFT, "Reassessed after the first inspection"),
            (10, LEFT, "These assessments replace those on the pages before."),
            *table_text([(LEFT, "Slip"), (172, "Assessment now")], again),
        ],
    ]
    write_pages(path, pages)


def table_text(columns: list[tuple[int, str]], rows: list[list[str]]) -> list[tuple[int, int, str]]:
    """A table as a list of (size, x, text)."""
    cells = [(9, x, name) for x, name in columns]
    for row in rows:
        cells += [(9, x, text) for (x, _), text in zip(columns, row)]
    return cells


def write_pages(path: Path, pages: list[list[tuple[int, int, str]]]) -> None:
    """A PDF of A4 pages; a cell at the left margin begins a line."""
    pdf = build.pdf_canvas(path)
    for number, cells in enumerate(pages, 1):
        y = 800
        for size, x, text in [*cells, (8, LEFT, ""), (8, LEFT, f"Page {number} of {len(pages)}")]:
            y -= (size + 9) if x == LEFT else 0
            pdf.setFont("Helvetica", size)
            pdf.drawString(x, y, text)
        pdf.showPage()
    pdf.save()


def write_donations(month: Month, path: Path, library: str) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Donations"
    sheet["A1"] = f"{library}: gifts offered in February 2026"
    sheet["A2"] = "Decisions by the gifts committee, 20 February 2026"
    rows = [
        [
            line.reference,
            month.rng.choice(DONORS),
            line.isbn,
            line.title,
            month.rng.choice(CONDITIONS),
            line.number,
            line.verdict,
        ]
        for line in month.donations
    ]
    header = ["Reference", "Donor", "ISBN", "Title", "Condition", "Copies", "Decision"]
    write_table(sheet, header, rows, first_row=4)
    last = 4 + len(rows)
    sheet.cell(last + 1, 1, "Copies in all")
    # A number: no program has computed a formula's value here, and none may change a report.
    sheet.cell(last + 1, 6, sum(line.number for line in month.donations))
    second = book.create_sheet("Corrections")
    said = [[c.reference, *c.said.split(": ")] for c in said_about(month, "donations")]
    again: list[list[Any]] = [
        [reference, column, int(value) if value.isdigit() else value]
        for reference, column, value in said
    ]
    write_table(second, ["Reference", "Column", "Should read"], again)
    build.save_workbook(book, path, month.now)


def write_purge(month: Month, path: Path, library: str) -> None:
    place = {**month.branches, "all branches": "all branches"}

    def listed(line: Line) -> str:
        where = place[line.where] + ("" if line.where == "all branches" else " only")
        return f"{line.reference}  {line.isbn}  {line.title} ({where})"

    host = "".join(c for c in library.lower() if c.isalpha()) + ".example"
    notes = [f"P.S. {'; '.join(c.said for c in said_about(month, 'purge'))}."]
    body = [
        "Dear colleagues,",
        "",
        "this is what the branches have weeded in February. As always, our lending copies go",
        "and the reference copies stay where they are.",
        "",
        *map(listed, month.purge),
        "",
        "Best wishes",
        "Shelf team",
        "",
        *notes,
        "",
        "On 19 February 2026 the shelf team wrote:",
        "> A first draft, not yet agreed:",
        ">",
        *(f"> {listed(line)}" for line in month.draft),
    ]
    mail = build.email_text(
        sender=f"Shelf team <shelves@{host}>",
        to=f"Acquisitions desk <acquisitions@{host}>",
        subject="Shelf purge, February 2026",
        body="\n".join(body),
        date=datetime(2026, 2, 27, 16, 12, tzinfo=UTC),
    )
    build.save_text(path, mail)


def write_background(month: Month, workspace: Path, library: str) -> None:
    """Files that change nothing: what the desk sent a month ago, and a page about ISBNs."""
    held = [c.book.isbn for c in month.copies if not c.withdrawn]
    gone = [c.book.isbn for c in month.copies if c.withdrawn]
    lines = [f"ADD {isbn} {month.rng.randint(1, 3)}" for isbn in sorted(set(held[:300:37]))]
    lines += [f"DELETE {isbn}" for isbn in sorted(set(gone[:6]) - set(held))]
    build.save_text(workspace / "archive" / "updates-2026-01.txt", "\n".join(lines) + "\n")
    build.save_text(
        workspace / "about-isbn.txt",
        "The check digit of an ISBN-13: multiply the first twelve digits by 1, 3, 1, 3, ... and\n"
        "add up; the check digit makes the sum a multiple of 10. Of an ISBN-10: multiply the\n"
        "first nine digits by 10, 9, ..., 2; the check digit makes the sum a multiple of 11 (X\n"
        "is 10).\n"
        f"Printed for the staff of {library}.\n",
    )


def said_about(month: Month, report: str) -> list[Correction]:
    return [c for c in month.corrections if c.report == report]
