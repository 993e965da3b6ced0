"""Makes the workbooks of this folder. Run: python3 make_files.py  (Debian 12: python3-openpyxl
3.0.9, python3-pil, libreoffice-calc-nogui 7.4.7).

budget-openpyxl.xlsx is written by openpyxl: formulas have no values, and there are a chart, a
picture, notes, conditional formats, validations, a table, names, links and merged cells.
budget-libreoffice.xlsx is the same workbook, opened and saved by LibreOffice.
shapes-libreoffice.xlsx comes from an .fods by LibreOffice: an array formula. In shared.xlsx the
formulas of its column B are put as Excel puts them: shared.
"""

import io
import os
import re
import shutil
import subprocess
import zipfile
from datetime import date

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableStyleInfo
from PIL import Image as Picture

ROWS = [
    ("Rent", "Office", 1200, date(2026, 1, 5), "paid"),
    ("Paper", "Supplies", 35.5, date(2026, 1, 12), "paid"),
    ("Toner", "Supplies", 89.9, date(2026, 2, 2), "open"),
    ("Chairs", "Furniture", 640, date(2026, 2, 20), "open"),
    ("Coffee", "Kitchen", 48.25, date(2026, 3, 1), "paid"),
]


def budget() -> Workbook:
    book = Workbook()
    costs = book.worksheets[0]
    costs.title = "Costs"
    costs.append(["Item", "Group", "Amount", "Date", "State", "With tax"])
    for number, cells in enumerate(ROWS, start=2):
        costs.append([*cells, f"=C{number}*(1+TaxRate)"])
    costs["A8"], costs["C8"], costs["F8"] = "Total", "=SUM(C2:C6)", "=SUM(F2:F6)"
    for cell in costs[1]:
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="FFDDEEFF")
    for row in range(2, 9):
        costs[f"C{row}"].number_format = costs[f"F{row}"].number_format = "#,##0.00"
        costs[f"D{row}"].number_format = "yyyy-mm-dd"
    costs.merge_cells("A10:C10")
    costs["A10"] = "Checked by Ana"
    costs["A12"] = "Rules"
    costs["A12"].hyperlink = "https://rules.example.test/"
    costs["C3"].comment = Comment("Two boxes", "Ana", width=180, height=60)
    costs.conditional_formatting.add(
        "C2:C6", CellIsRule("greaterThan", ["500"], font=Font(bold=True))
    )
    costs.conditional_formatting.add(
        "F2:F6", ColorScaleRule("min", None, "FFFFFF", "max", None, "FF0000")
    )
    states = DataValidation("list", formula1='"paid,open,refused"', allow_blank=True)
    costs.add_data_validation(states)
    states.add("E2:E6")
    costs.freeze_panes = "A2"
    costs.column_dimensions["A"].width = 24
    chart = BarChart()
    chart.title = "Costs"
    chart.add_data(Reference(costs, min_col=3, min_row=1, max_row=6), titles_from_data=True)
    chart.set_categories(Reference(costs, min_col=1, min_row=2, max_row=6))
    costs.add_chart(chart, "H2")
    png = io.BytesIO()
    Picture.new("RGB", (12, 12), (200, 30, 30)).save(png, "PNG")
    costs.add_image(Image(png), "H20")

    summary = book.create_sheet("By group")
    summary.append(["Group", "Amount"])
    for number, group in enumerate(["Office", "Supplies", "Furniture", "Kitchen"], start=2):
        summary.append([group, f"=SUMIF(Costs!$B$2:$B$6,A{number},Costs!$C$2:$C$6)"])
    summary["B7"] = "=Costs!C8-SUM(B2:B5)"

    people = book.create_sheet("People & teams")
    people.append(["Name", "Code", "Hours", "Pay"])
    for name, code, hours in (("Zoë", "007", 10), ("李", "014", 8.5)):
        people.append([name, code, hours, "=Staff[[#This Row],[Hours]]*30"])
    people["A5"] = "=SUM(Staff[Hours])"
    table = Table(displayName="Staff", ref="A1:D3")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium9", showRowStripes=True)
    people.add_table(table)
    book.defined_names.append(DefinedName("TaxRate", attr_text="0.21"))
    book.defined_names.append(DefinedName("Amounts", attr_text="Costs!$C$2:$C$6"))
    costs.print_title_rows = "1:1"
    costs.print_area = "A1:F10"
    return book


SHAPES = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet>
<table:table table:name="Shapes">{rows}</table:table></office:spreadsheet></office:body></office:document>"""


def shapes() -> str:
    def number(value: float) -> str:
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    def formula(text: str, more: str = "") -> str:
        return f'<table:table-cell table:formula="of:={text}" {more}/>'

    rows = []
    for n in range(1, 13):
        cells = number(n) + formula(f"[.A{n}]*2+[.$A$1]")
        if n == 1:
            span = 'table:number-matrix-columns-spanned="1" table:number-matrix-rows-spanned="3"'
            cells += formula("[.A1:.A3]*10", span)
        rows.append(f"<table:table-row>{cells}</table:table-row>")
    return SHAPES.format(rows="".join(rows))


def by_libreoffice(source: str) -> None:
    command = [
        "soffice",
        "--headless",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
        "--outdir",
        "made",
    ]
    subprocess.run([*command, source], check=True)


def share() -> None:
    """Column B of the shapes, as Excel writes equal formulas under each other."""
    with (
        zipfile.ZipFile("shapes-libreoffice.xlsx") as old,
        zipfile.ZipFile("shared.xlsx", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                sheet = text.decode()
                first = '<f t="shared" ref="B1:B12" si="0">A1*2+$A$1</f>'
                sheet = sheet.replace('<f aca="false">A1*2+$A$1</f>', first)
                sheet = re.sub(
                    r'<f aca="false">A\d+\*2\+\$A\$1</f>', '<f t="shared" si="0"/>', sheet
                )
                text = sheet.encode()
            new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    budget().save("budget-openpyxl.xlsx")
    by_libreoffice("budget-openpyxl.xlsx")
    shutil.move("made/budget-openpyxl.xlsx", "budget-libreoffice.xlsx")
    with open("shapes-libreoffice.fods", "w", encoding="utf-8") as file:
        file.write(shapes())
    by_libreoffice("shapes-libreoffice.fods")
    shutil.move("made/shapes-libreoffice.xlsx", "shapes-libreoffice.xlsx")
    shutil.rmtree("made")
    share()
    os.remove("shapes-libreoffice.fods")
