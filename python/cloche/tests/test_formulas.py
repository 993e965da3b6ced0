"""Formulas are computed here; what a file remembers for them is never believed."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from unittest.mock import patch

import openpyxl

from cloche import Failed
from cloche.formulas import CellError, UnsupportedFormula
from cloche.formulas.parser import parse
from cloche.sheets import Sheet, open_workbook
from support import NOW, FolderCase

#: The first sheet: numbers 1 to 5 in A, x y x y x in B, days in D, a gap in E3, text in F.
COMPUTED = [
    ("SUM(A1:A5)", 15),
    ('SUM(A1:A5,10,"5")', 30),
    ("SUM(F1:F3)", 0),
    ("AVERAGE(A1:A5)", 3),
    ("AVERAGE(F1:F3)", CellError("#DIV/0!")),
    ('MIN(A:A)&"-"&MAX(A:A)', "1-5"),
    ("COUNT(A1:F5)", 14),
    ("COUNTA(E1:E5)", 4),
    ("COUNTBLANK(E1:E5)", 1),
    ('COUNTIF(B1:B5,"X")', 3),
    ('COUNTIF(A1:A5,">="&A3)', 3),
    ('COUNTIF(E1:E5,"")', 1),
    ('COUNTIF(E1:E5,"<>")', 4),
    ('COUNTIF(F1:F3,"b*")', 2),
    ('COUNTIF(F1:F3,"~*")', 0),
    ('COUNTIFS(A1:A5,">1",B1:B5,"x")', 2),
    ('SUMIF(B1:B5,"x",A1:A5)', 9),
    ('SUMIF(A1:A5,">3")', 9),
    ('SUMIFS(A1:A5,B1:B5,"y",A1:A5,"<4")', 2),
    ('AVERAGEIF(B1:B5,"y",A1:A5)', 3),
    ('MAXIFS(A1:A5,B1:B5,"y")', 4),
    ("SUMPRODUCT(A1:A5,A1:A5)", 55),
    ('SUMPRODUCT((B1:B5="x")*(A1:A5>1)*A1:A5)', 8),
    ('SUMPRODUCT(--(B1:B5="x"))', 3),
    ('IF(A2>1,"big","small")', "big"),
    ("IF(A1>1,1/0)", False),
    ('IF(A1,"",2)', ""),
    ("AND(A1=1,A2=2,TRUE)", True),
    ("OR(A1=2,FALSE)", False),
    ("NOT(A1=1)", False),
    ('IFERROR(1/0,"none")', "none"),
    ("IFERROR(VLOOKUP(9,A1:B5,2,FALSE),0)", 0),
    ("1/0", CellError("#DIV/0!")),
    ("1/0+nothing", CellError("#DIV/0!")),
    ('"a"+1', CellError("#VALUE!")),
    ('"3"+"1,000"', 1003),
    ("TRUE+1", 2),
    ("ROUND(2.675,2)", 2.68),
    ("ROUND(-2.5,0)", -3),
    ("ROUND(1234,-2)", 1200),
    ("ROUNDUP(2.1,0)", 3),
    ("ROUNDDOWN(-2.9,0)", -2),
    ("ABS(-3)", 3),
    ("INT(-1.5)", -2),
    ("MOD(-3,2)", 1),
    ("MOD(3,0)", CellError("#DIV/0!")),
    ('LEN("häuser")', 6),
    ('LEFT("abc",2)&RIGHT("abc",1)&MID("hello",2,3)', "abcell"),
    ('TRIM("  a   b ")', "a b"),
    ('UPPER("a")&LOWER("B")', "Ab"),
    ('CONCATENATE("a",1,TRUE)', "a1TRUE"),
    ('SUBSTITUTE("978-0-306","-","")', "9780306"),
    ('VALUE("12.5")', 12.5),
    ("VLOOKUP(3,A1:B5,2,FALSE)", "x"),
    ('VLOOKUP("Y",B1:B5,1,0)', "y"),
    ("VLOOKUP(9,A1:B5,2,FALSE)", CellError("#N/A")),
    ("VLOOKUP(3.5,A1:B5,1)", 3),
    ('VLOOKUP("3",A1:B5,1,FALSE)', CellError("#N/A")),
    ("INDEX(B1:B5,MATCH(4,A1:A5,0))", "y"),
    ("INDEX(A1:B5,2,2)", "y"),
    ("INDEX(A1:A5,9)", CellError("#REF!")),
    ("SUM(INDEX(A1:B5,0,1))", 15),
    ("MATCH(3.5,A1:A5)", 3),
    ("DATE(2026,1,31)", 46053),
    ("DATE(2025,14,1)", 46054),
    ("YEAR(D1)*10000+MONTH(D1)*100+DAY(D1)", 20260302),
    ("D2-D1", 30),
    ("EDATE(D1,1)=D2+1", True),
    ("TODAY()=D1", True),
    ("-2^2", 4),
    ("2^3^2", 64),
    ("1+2*3-4/2", 5),
    ("(1+2)*3", 9),
    ("50%*2", 1),
    ('"a"="A"', True),
    ('"b">"a"', True),
    ('"1"=1', False),
    ('"a">9', True),
    ("E3=0", True),
    ('E3=""', True),
    ('E3&""', ""),
    ("E3", 0),
    ("Other!A1+'Odd ''name'!A1", 3),
    ("SUM(Other!A:A)", 1),
    ("SUM(total)", 15),
    ("missing_name", CellError("#NAME?")),
    ("Gone!A1", CellError("#REF!")),
    ("#N/A", CellError("#N/A")),
    ("0.1+0.2", 0.1 + 0.2),
    ("10^400", CellError("#NUM!")),
    ("1e308*10", CellError("#NUM!")),
    ('REPT("x",99999)', CellError("#VALUE!")),
]
UNSUPPORTED = ["WEBSERVICE(\"x\")", "OFFSET(A1,1,1)", "INDIRECT(\"A1\")", "A1:A5", "A1:A5*2",
               "RAND()",
                "[1]Book!A1", "Table1[x]", "SUM()", "{1,2}", "1+", "TEXT(A1,\"0\")"]  # fmt: skip


class Formulas(FolderCase):
    def sheet(self, *formulas: str, **given: object) -> Sheet:
        book = openpyxl.Workbook()
        page = book.active
        for row in range(1, 6):
            page.cell(row, 1, row)
            page.cell(row, 2, "x" if row % 2 else "y")
            page.cell(row, 5, None if row == 3 else row)
        page["D1"], page["D2"] = datetime(2026, 3, 2), datetime(2026, 4, 1)
        page["F1"], page["F2"], page["F3"] = "alpha", "beta", "Brot"
        page["D3"], page["D4"], page["D5"] = 1, 2, 3
        book.create_sheet("Other")["A1"] = 1
        book.create_sheet("Odd 'name")["A1"] = 2
        names = openpyxl.workbook.defined_name
        book.defined_names.append(names.DefinedName("total", attr_text="Sheet!$A$1:$A$5"))
        for row, formula in enumerate(formulas, 1):
            page.cell(row, 8, f"={formula}")
        file = self.workbook_file(book)
        return open_workbook(file, now=NOW, **given).sheet("Sheet")  # type: ignore[arg-type]

    def test_what_can_not_be_computed_is_said_and_never_guessed(self) -> None:
        for formula in UNSUPPORTED:
            with self.subTest(formula), self.assertRaises(UnsupportedFormula):
                self.sheet(formula).value("H1")
        with self.assertRaisesRegex(UnsupportedFormula, "H1: WEBSERVICE is not among"):
            self.sheet('WEBSERVICE("x")').value("H1")

    def test_what_rests_on_an_uncomputable_cell_is_not_guessed_either(self) -> None:
        sheet = self.sheet("RAND()", "H1+1", "A1")
        with self.assertRaisesRegex(UnsupportedFormula, "H1: RAND"):
            sheet.value("H2")
        self.assertEqual(sheet.value("H3"), 1)
        with self.assertRaises(UnsupportedFormula):
            sheet.rows()

    def test_a_task_may_fail_an_uncomputable_cell_instead(self) -> None:
        with self.assertRaisesRegex(Failed, "can't be computed"):
            self.sheet("RAND()", on_unsupported="fail").value("H1")

    def forged(self, old: bytes, new: bytes, *row: object) -> Sheet:
        """A workbook with this first row, whose XML was changed afterwards."""
        buffer, changed = io.BytesIO(), io.BytesIO()
        book = openpyxl.Workbook()
        book.active.append(row)
        book.save(buffer)
        with zipfile.ZipFile(buffer) as before, zipfile.ZipFile(changed, "w") as after:
            for name in before.namelist():
                after.writestr(name, re.sub(old, new, before.read(name)))
        self.assertIn(new, zipfile.ZipFile(changed).read("xl/worksheets/sheet1.xml"))
        return open_workbook(self.file("f.xlsx", changed.getvalue())).sheet("Sheet")

    def test_a_remembered_value_is_never_believed(self) -> None:
        sheet = self.forged(rb"<v */>|<v></v>", b"<v>42</v>", "=SUM(1,2)")
        self.assertEqual(sheet.value("A1"), 3)

    def test_each_formula_gives_what_a_spreadsheet_shows(self) -> None:
        sheet = self.sheet(*(formula for formula, _ in COMPUTED))
        for row, (formula, wanted) in enumerate(COMPUTED, 1):
            with self.subTest(formula):
                found = sheet.value(f"H{row}")
                self.assertEqual((found, type(found)), (wanted, type(wanted)))

    def test_a_computed_day_is_a_day(self) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "=DATE(2026,3,2)"
        book.active["A1"].number_format = "yyyy-mm-dd"
        sheet = open_workbook(self.workbook_file(book)).sheet("Sheet")
        self.assertEqual(sheet.value("A1"), datetime(2026, 3, 2))

    def test_a_clock_must_be_given(self) -> None:
        book = openpyxl.Workbook()
        book.active["A1"] = "=TODAY()"
        with self.assertRaisesRegex(UnsupportedFormula, "needs a clock"):
            open_workbook(self.workbook_file(book)).sheet("Sheet").value("A1")

    def test_a_circle_is_an_error_value(self) -> None:
        sheet = self.sheet("H2+1", "H1+1", "H3", "SUM(H1:H4)", "1")
        for address in ("H1", "H2", "H3", "H4"):
            self.assertEqual(sheet.value(address), CellError("#CIRCULAR!"))
        self.assertEqual(sheet.value("H5"), 1)

    def test_a_long_column_of_running_sums_is_computed(self) -> None:
        book = openpyxl.Workbook()
        page = book.active
        for row in range(1, 5001):
            page.cell(row, 1, 1)
            page.cell(row, 2, f"=A{row}+B{row - 1}" if row > 1 else "=A1")
        page["C1"] = "=SUM(B1:B5000)"
        sheet = open_workbook(self.workbook_file(book)).sheet("Sheet")
        self.assertEqual(sheet.value("B5000"), 5000)
        self.assertEqual(sheet.value("C1"), 5000 * 5001 // 2)

    def test_a_workbook_that_takes_too_much_is_rejected(self) -> None:
        book = openpyxl.Workbook()
        for row in range(1, 601):
            book.active.cell(row, 1, row)
            book.active.cell(row, 2, "=SUMPRODUCT((A$1:A$600>1)*(A$1:A$600<3)*A$1:A$600)")
        file = self.workbook_file(book)
        with patch("cloche.formulas.evaluate.WORK_LIMIT", 200_000):
            with self.assertRaisesRegex(Failed, "more than 200000 steps"):
                open_workbook(file).sheet("Sheet").rows()
        self.assertEqual(open_workbook(file).sheet("Sheet").value("B600"), 2)

    def test_texts_and_numbers_that_grow_end_in_an_error_value(self) -> None:
        texts = ['"ab"', *(f"H{row}&H{row}" for row in range(1, 60))]
        self.assertEqual(self.sheet(*texts).value("H60"), CellError("#VALUE!"))
        numbers = ["3", *(f"H{row}*H{row}" for row in range(1, 60))]
        self.assertEqual(self.sheet(*numbers).value("H60"), CellError("#NUM!"))

    def test_numbers_beyond_a_spreadsheets_are_error_values_or_texts(self) -> None:
        formulas = ("=A1+1", "=B1+1", "=SUM(A1:B1)", '=COUNTIF(B1,"1e999")')
        sheet = self.forged(b"7777", b"9" * 400, 7777, "1e999", *formulas)
        found = [sheet.value(address) for address in ("C1", "D1", "E1", "F1")]
        self.assertEqual(found, [CellError("#NUM!"), CellError("#VALUE!"), CellError("#NUM!"), 1])

    def test_a_crafted_pattern_is_matched_part_by_part(self) -> None:
        sheet = self.sheet(f'COUNTIF(H2,"{"*a" * 200}b")', f'REPT("a",30000)')
        self.assertEqual(sheet.value("H1"), 0)

    def test_a_formula_nested_without_end_is_not_read(self) -> None:
        for formula in ("=" + "(" * 5000 + "1" + ")" * 5000, "=" + "-" * 8000 + "1", 
                        "=1" + "+1" * 9000, "=" + "IF(1," * 1000 + "1" + ")" * 1000):  # fmt: skip
            with self.assertRaises(UnsupportedFormula):
                parse(formula)
        parse("=1" + "+1" * 2000)
