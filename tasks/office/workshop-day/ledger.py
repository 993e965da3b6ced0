"""budget.xlsx and the list that is attached to the mail."""

from datetime import date

from cloche.build import save_workbook
from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font, PatternFill

HEADER = ["Date", "Line", "Order", "SKU", "Article", "Quantity", "Unit price", "Amount"]
WIDTHS = [12, 8, 12, 12, 34, 10, 12, 12]
SHADE = PatternFill("solid", fgColor="FFDDE8F0")


def write_budget(path, lines, rows, old_rows, now):
    """`lines`: (code, name, purchase order, cents); rows as in the sheet, price in cents."""
    book = Workbook()
    overview = book.active
    overview.title = "Overview"
    overview.append(["Budget 2026, marketing and training"])
    overview["A1"].font = Font(bold=True, size=14)
    overview.append([])
    overview.append(["Line", "Name", "Purchase order", "Budget", "Spent", "Remaining"])
    for cell in overview[3]:
        cell.font, cell.fill = Font(bold=True), SHADE
    for number, (code, name, order, cents) in enumerate(lines, start=4):
        overview.append([code, name, order, cents / 100,
                         f"=SUMIF('2026'!B$2:B$500,A{number},'2026'!H$2:H$500)",
                         f"=D{number}-E{number}"])
        for cell in overview[number][3:]:
            cell.number_format = "#,##0.00"
    for letter, width in zip("ABCDEF", (8, 28, 16, 12, 12, 12)):
        overview.column_dimensions[letter].width = width
    chart = BarChart()
    chart.title = "Budget and spending"
    last = 3 + len(lines)
    chart.add_data(Reference(overview, min_col=4, max_col=5, min_row=3, max_row=last),
                   titles_from_data=True)
    chart.set_categories(Reference(overview, min_col=2, min_row=4, max_row=last))
    overview.add_chart(chart, "H3")
    for title, some in (("2025", old_rows), ("2026", rows)):
        write_orders(book.create_sheet(title), some)
    save_workbook(book, path, now)


def write_orders(sheet, rows):
    sheet.append(HEADER)
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), SHADE
    for number, (day, line, order, sku, article, quantity, cents) in enumerate(rows, start=2):
        sheet.append([date.fromisoformat(day), line, order, sku, article, quantity, cents / 100,
                      f"=F{number}*G{number}"])
    last = len(rows) + 1
    sheet.append(["Total", *[None] * 6, f"=SUM(H2:H{last})"])
    for number in range(2, last + 2):
        sheet.cell(number, 1).number_format = "yyyy-mm-dd"
        for column in (7, 8):
            sheet.cell(number, column).number_format = "#,##0.00"
    for cell in sheet[last + 1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDEFGH", WIDTHS):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"


def wish_list(wanted, folder, now):
    """The attachment's bytes."""
    book = Workbook()
    sheet = book.active
    sheet.title = "List"
    sheet.append(["Item", "Pieces", "Must be", "Priority"])
    for line in wanted:
        sheet.append(line.row())
    path = folder / "list.tmp"
    save_workbook(book, path, now)
    data = path.read_bytes()
    path.unlink()
    return data
