"""Makes workbooks with other people's programs: ``make_workbooks.py FOLDER``.

It writes FOLDER/<kind>-<n>.xlsx with Debian's openpyxl and XlsxWriter, and FOLDER/wanted.json: what
stands in each typed cell. ``make_workbooks.py --read FOLDER`` prints what openpyxl reads there of the
values that a program stored for its formulas.
"""

from __future__ import annotations

import json
import random
import sys
import zipfile
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

COUNT = 30
WORDS = ["Müller & Söhne", "naïve", "a\nb", "  led by blanks", "tab\tinside", "<b>&amp;",
         "日本語", "😀 face", "'quoted", "007", "1/2", "TRUE", "#N/A text", "=no formula", "ﬁne",
         "e\u0301", "a\u00a0b",
         "'", "\"", "long " * 60, "9780306406157", "1E5", "-", "%", "2026-03-02"]  # fmt: skip
NUMBERS = [
    0,
    -0.5,
    1 / 3,
    1e-12,
    1e15,
    123456789012345,
    -1e100,
    0.1,
    19.99,
    2**53,
    3.14159,
    100,
    -7,
]
FORMATS = ["General", "0.00", "#,##0.00", "0%", '0.00 "EUR"', "[Red]-0.0;0.0", "0.0E+00", "@"]
FORMULAS = ["=SUM(B2:B20)", "=AVERAGE(B2:B20)", '=COUNTIF(A2:A20,"*a*")', "=A2&A3", '=IF(B2>B3,"up","down")',
            "=MAX(B2:B20)-MIN(B2:B20)", "=ROUND(B4/3,2)", "=VLOOKUP(A5,A2:B20,2,FALSE)", "=INDEX(B2:B20,3)",
            "=SUMPRODUCT(B2:B20,B2:B20)", "=YEAR(C2)*100+MONTH(C2)", "=C3-C2", "=LEN(A2)", "=1/0", "=NA()",
            "=B2=B2", "=UPPER(A3)", '=SUMIF(B2:B20,">0")', "=MEDIAN(B2:B20)", "=TEXT(C2,\"yyyy-mm-dd\")",
            "=ABS(B3)", "=MOD(17,5)", "=Other!A1*2", "=SUM(Other!A1:A5)", "=Rate*100", "=WEEKDAY(C2)",
            '=IFERROR(1/0,"none")', "=EDATE(C2,1)", "=RANK(B2,B2:B20)", '=SUBSTITUTE(A2,"a","o")',
            "=COUNTA(A2:A20)", "=ISNUMBER(A2)", "=DATE(2026,3,2)", "=CEILING(B2,5)", "=LEFT(A2,3)"]  # fmt: skip


def cells(seed: int) -> list[tuple[int, int, Any, str]]:
    """Row, column, value and number format of the typed cells, from row 2, column 1."""
    rng = random.Random(seed)
    found: list[tuple[int, int, Any, str]] = []
    for row in range(2, 21):
        found.append((row, 1, rng.choice(WORDS), "General"))
        found.append((row, 2, rng.choice(NUMBERS), rng.choice(FORMATS)))
        day = datetime(2026, 1, 1) + timedelta(days=rng.randrange(0, 3000))
        if row % 3 == 0:
            day += timedelta(seconds=rng.randrange(86_400))
        found.append((row, 3, day, "yyyy-mm-dd hh:mm:ss" if row % 3 == 0 else "dd/mm/yyyy"))
        found.append((row, 4, rng.random() < 0.5, "General"))
        if row % 4 == 0:
            found.append((row, 5, time(rng.randrange(24), rng.randrange(60), 30), "h:mm:ss"))
        if row % 5 == 0:
            found.append((row, 6, rng.randrange(1, 400) / 8, "[h]:mm"))
    return found


def formulas(seed: int) -> list[tuple[int, str]]:
    """Rows of column 8 and what is computed there."""
    rng = random.Random(seed + 1000)
    return list(enumerate(rng.sample(FORMULAS, 20), 2))


def by_openpyxl(path: Path, seed: int) -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = "Data"
    page["A1"] = "Head"
    for row, column, value, form in cells(seed):
        cell = page.cell(row, column)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
        cell.number_format = form
    for row, formula in formulas(seed):
        page.cell(row, 8, formula)
    other = book.create_sheet("Other")
    for row in range(1, 6):
        other.cell(row, 1, row * seed)
    if seed % 2:
        other.sheet_state = "hidden"
    name = openpyxl.workbook.defined_name.DefinedName("Rate", attr_text="Other!$A$2")
    book.defined_names.append(name)
    page.merge_cells("J1:K2")
    if seed % 3 == 0:
        page.freeze_panes = "B2"
    book.save(path)


def by_xlsxwriter(path: Path, seed: int, **options: Any) -> None:
    book = xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, **options})
    page = book.add_worksheet("Data")
    made: dict[str, Any] = {}
    computed = [(row, 8, formula, "") for row, formula in formulas(seed)]
    inside = sorted([*cells(seed), *computed], key=lambda each: each[:2])
    page.write_string(0, 0, "Head")
    for row, column, value, form in inside:
        look = made.setdefault(form, book.add_format({"num_format": form} if form else {}))
        place = row - 1, column - 1
        if column == 8:
            page.write_formula(*place, value)
        elif isinstance(value, str):
            page.write_string(*place, value)
        elif isinstance(value, bool):
            page.write_boolean(*place, value)
        elif isinstance(value, (datetime, time)):
            page.write_datetime(*place, value, look)
        else:
            page.write_number(*place, value, look)
    other = book.add_worksheet("Other")
    for row in range(5):
        other.write_number(row, 0, (row + 1) * seed)
    if seed % 2:
        other.hide()
    book.define_name("Rate", "=Other!$A$2")
    book.close()


def strict(source: Path, target: Path) -> None:
    """The same workbook in the strict dialect: its own namespaces."""
    names = [
        ("officeDocument/2006/relationships", "officeDocument/relationships"),
        ("spreadsheetml/2006/main", "spreadsheetml/main"),
        ("drawingml/2006/main", "drawingml/main"),
        ("officeDocument/2006/extended-properties", "officeDocument/extendedProperties"),
    ]
    with (
        zipfile.ZipFile(source) as before,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for name in before.namelist():
            text = before.read(name).decode()
            for old, new in names:
                whole = f"http://schemas.openxmlformats.org/{old}"
                text = text.replace(whole, f"http://purl.oclc.org/ooxml/{new}")
            if name == "xl/workbook.xml":
                text = text.replace("<workbook ", '<workbook conformance="strict" ', 1)
            after.writestr(name, text)


def main(folder: Path) -> None:
    wanted = {}
    for seed in range(1, COUNT + 1):
        by_openpyxl(folder / f"openpyxl-{seed}.xlsx", seed)
        by_xlsxwriter(folder / f"xlsxwriter-{seed}.xlsx", seed)
        by_xlsxwriter(folder / f"inline-{seed}.xlsx", seed, constant_memory=True)
        by_xlsxwriter(folder / f"y1904-{seed}.xlsx", seed, date_1904=True)
        strict(folder / f"xlsxwriter-{seed}.xlsx", folder / f"strict-{seed}.xlsx")
        wanted[seed] = [
            [row, column, value.isoformat() if isinstance(value, (datetime, time)) else value]
            for row, column, value, _ in cells(seed)
        ]
    (folder / "wanted.json").write_text(json.dumps(wanted))


def stored(folder: Path) -> dict[str, list[Any]]:
    """The values of column 8, by file and row."""
    found = {}
    for path in sorted(folder.glob("*.xlsx")):
        page = openpyxl.load_workbook(path, data_only=True)["Data"]
        found[path.stem] = [page.cell(row, 8).value for row in range(2, 22)]
    return found


if sys.argv[1] == "--read":
    print(json.dumps(stored(Path(sys.argv[2])), default=str))
else:
    main(Path(sys.argv[1]))
