"""budget.xlsx and the list that is attached to the mail."""

from datetime import date, datetime
from pathlib import Path

from cloche.build import Sheet, new_workbook, save_workbook, workbook_bytes
from market import Wanted
from openpyxl.chart import BarChart, Reference

HEADER = ["Date", "Line", "Order", "SKU", "Article", "Quantity", "Unit price", "Amount"]
MONEY = "#,##0.00"
#: A day, a budget line, an order, a SKU, an article, how many, and the price in cents.
Row = tuple[str, str, str, str, str, int, int]


def write_budget(
    path: Path,
    lines: list[tuple[str, str, str, int]],
    rows: list[Row],
    old_rows: list[Row],
    now: datetime,
) -> None:
    """`lines`: (code, name, purchase order, cents); rows as in the sheet, price in cents."""
    overview = Sheet(
        ["Line", "Name", "Purchase order", "Budget", "Spent", "Remaining"],
        [
            [
                code,
                name,
                order,
                cents / 100,
                f"=SUMIF('2026'!B$2:B$500,A{number},'2026'!H$2:H$500)",
                f"=D{number}-E{number}",
            ]
            for number, (code, name, order, cents) in enumerate(lines, start=4)
        ],
        formats={"Budget": MONEY, "Spent": MONEY, "Remaining": MONEY},
        above=["Budget 2026, marketing and training", ""],
    )
    book = new_workbook({"Overview": overview, "2025": orders(old_rows), "2026": orders(rows)})
    sheet, last = book.worksheets[0], 3 + len(lines)
    chart = BarChart()
    chart.title = "Budget and spending"
    chart.add_data(
        Reference(sheet, min_col=4, max_col=5, min_row=3, max_row=last), titles_from_data=True
    )
    chart.set_categories(Reference(sheet, min_col=2, min_row=4, max_row=last))
    sheet.add_chart(chart, "H3")
    save_workbook(book, path, now)


def orders(rows: list[Row]) -> Sheet:
    return Sheet(
        HEADER,
        [
            [
                date.fromisoformat(day),
                line,
                order,
                sku,
                article,
                quantity,
                cents / 100,
                f"=F{number}*G{number}",
            ]
            for number, (day, line, order, sku, article, quantity, cents) in enumerate(
                rows, start=2
            )
        ],
        formats={"Date": "yyyy-mm-dd", "Unit price": MONEY, "Amount": MONEY},
        total=["Total", *[None] * 6, f"=SUM(H2:H{len(rows) + 1})"],
    )


def wish_list(wanted: list[Wanted], now: datetime) -> bytes:
    """The attachment's bytes."""
    rows: list[list[str | int]] = [
        ["Item", "Pieces", "Must be", "Priority"],
        *(line.row() for line in wanted),
    ]
    return workbook_bytes(new_workbook({"List": rows}), now)
