"""Formulas are computed here; what a file remembers for them is never believed."""

from __future__ import annotations

import contextlib
import io
import re
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
from cloche import Failed, calculator
from cloche.cells import CellError
from cloche.criteria import Unreadable
from cloche.sheets import Sheet, open_workbook, recompute
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
UNREADABLE = [
    'WEBSERVICE("x")',
    "RAND()",
    "RANDBETWEEN(1,9)",
    "[1]Book!A1",
    "Table1[x]",
    "1+",
    "NOSUCH(1)",
    'CELL("row")',
]


class Formulas(FolderCase):
    def sheet(self, *formulas: str) -> Sheet:
        book = openpyxl.Workbook()
        page = book.worksheets[0]
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
        return open_workbook(file, now=NOW).sheet("Sheet")

    def test_what_can_not_be_computed_is_said_and_never_guessed(self) -> None:
        sheet = self.sheet(*UNREADABLE)
        for row, formula in enumerate(UNREADABLE, 1):
            with self.subTest(formula), self.assertRaisesRegex(Failed, f"Sheet!H{row}: "):
                sheet.value(f"H{row}")
        with self.assertRaisesRegex(Failed, "WEBSERVICE, which cannot be computed here"):
            sheet.value("H1")

    def test_what_rests_on_an_uncomputable_cell_is_not_guessed_either(self) -> None:
        sheet = self.sheet("RAND()", "H1+1", "SUM(H1:H2)*0", "A1", 'INDIRECT("A1")', "H2&H3")
        for address in ("H2", "H3", "H5", "H6"):
            with self.assertRaisesRegex(Failed, "which cannot be computed"):
                sheet.value(address)
        self.assertEqual(sheet.value("H4"), 1)
        with self.assertRaises(Failed):
            sheet.rows()

    def forged(self, old: bytes, new: bytes, *row: Any) -> Sheet:
        """A workbook with this first row, whose XML was changed afterwards."""
        buffer, changed = io.BytesIO(), io.BytesIO()
        book = openpyxl.Workbook()
        book.worksheets[0].append(row)
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
        book.worksheets[0]["A1"] = "=DATE(2026,3,2)"
        book.worksheets[0]["A1"].number_format = "yyyy-mm-dd"
        sheet = open_workbook(self.workbook_file(book)).sheet("Sheet")
        self.assertEqual(sheet.value("A1"), datetime(2026, 3, 2))

    def test_a_clock_must_be_given(self) -> None:
        book = openpyxl.Workbook()
        book.worksheets[0]["A1"] = "=TODAY()"
        with self.assertRaisesRegex(Failed, "nobody says what time"):
            open_workbook(self.workbook_file(book)).sheet("Sheet").value("A1")

    def test_a_circle_is_unreadable_and_the_rest_is_not(self) -> None:
        sheet = self.sheet("H2+1", "H1+1", "H3", "SUM(H1:H4)", "1")
        for address in ("H1", "H2", "H3", "H4"):
            with self.assertRaisesRegex(Unreadable, "can't be computed"):
                sheet.value(address)
        self.assertEqual(sheet.value("H5"), 1)

    def test_a_long_column_of_running_sums_is_computed(self) -> None:
        book = openpyxl.Workbook()
        page = book.worksheets[0]
        for row in range(1, 5001):
            page.cell(row, 1, 1)
            page.cell(row, 2, f"=A{row}+B{row - 1}" if row > 1 else "=A1")
        page["C1"] = "=SUM(B1:B5000)"
        sheet = open_workbook(self.workbook_file(book)).sheet("Sheet")
        self.assertEqual(sheet.value("B5000"), 5000)
        self.assertEqual(sheet.value("C1"), 5000 * 5001 // 2)

    def test_a_column_that_is_summed_from_its_end_is_computed(self) -> None:
        book = openpyxl.Workbook()
        for row in range(1, 5001):
            book.worksheets[0].cell(row, 1, f"=A{row + 1}+1" if row < 5000 else 1)
        self.assertEqual(open_workbook(self.workbook_file(book)).sheet("Sheet").value("A1"), 5000)

    def test_formulas_that_take_too_much_are_unreadable_and_what_is_typed_is_not(self) -> None:
        cases = {
            'LEN(REPT("abc",1E9))': CellError("#VALUE!"),
            "FACT(1E300)": CellError("#NUM!"),
            "1" + "+1" * 30000: 30001,
            "-" * 60000 + "1": 1,
            "IF(1," * 20000 + "1" + ")" * 20000: 1,
        }
        for formula, value in cases.items():
            with self.subTest(formula[:20]):
                sheet = self.sheet(formula)
                with contextlib.suppress(Failed):
                    self.assertEqual(sheet.value("H1"), value)
                self.assertEqual(sheet.value("A5"), 5)

    def test_what_a_spreadsheet_answers_with_an_error_is_an_error(self) -> None:
        sheet = self.sheet("SUM(1E308,1E308)", 'REPT("",1E300)', "+".join(["1"] * 900))
        self.assertEqual(sheet.value("H1"), CellError("#NUM!"))
        self.assertIn(sheet.value("H2"), ("", CellError("#VALUE!")))
        self.assertEqual(sheet.value("H3"), 900)

    def test_a_process_that_is_gone_is_made_anew(self) -> None:
        self.assertEqual(self.sheet("1+1").value("H1"), 2)
        running = calculator._running
        assert running is not None
        running._process.kill()
        running._process.wait()
        self.assertEqual(self.sheet("1+3").value("H1"), 4)

    def test_texts_and_numbers_that_grow_come_to_an_end(self) -> None:
        texts = ['"ab"', *(f"H{row}&H{row}" for row in range(1, 20))]
        with self.assertRaisesRegex(Failed, "longer than a cell can hold"):
            self.sheet(*texts).value("H20")
        numbers = ["3", *(f"H{row}*H{row}" for row in range(1, 60))]
        self.assertEqual(self.sheet(*numbers).value("H60"), CellError("#NUM!"))

    def test_a_crafted_pattern_is_matched_part_by_part(self) -> None:
        sheet = self.sheet(f'COUNTIF(H2,"{"*a" * 100}b")', 'REPT("a",30000)')
        self.assertIn(sheet.value("H1"), (0, CellError("#VALUE!")))


class Recomputed(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        book = openpyxl.Workbook()
        page = book.worksheets[0]
        page.title = "It's"
        page.append([2, 3, "=A1*B1", datetime(2026, 3, 2), "=YEAR(D1)", "=6"])
        self.book = open_workbook(self.workbook_file(book))

    def test_other_inputs_give_what_the_formulas_make_of_them(self) -> None:
        sheet = recompute(self.book, {"'It''s'!A1": 5, "It's!D1": datetime(2027, 1, 1)}).sheets[0]
        self.assertEqual([sheet.value(f"{each}1") for each in "ACEF"], [5, 15, 2027, 6])
        self.assertEqual(self.book.sheets[0].value("C1"), 6)

    def test_a_formula_gives_way_and_an_emptied_cell_counts_for_nothing(self) -> None:
        sheet = recompute(self.book, {"It's!C1": "x", "It's!A1": None}).sheets[0]
        self.assertEqual((sheet.value("C1"), sheet.formula("C1")), ("x", None))
        self.assertIsNone(sheet.value("A1"))
        self.assertEqual(recompute(self.book, {"It's!B1": None}).sheets[0].value("C1"), 0)

    def test_a_mistake_of_the_grader_is_said(self) -> None:
        for name, value in (("A1", 1), ("Gone!A1", 1), ("It's!1", 1), ("It's!A1", float("nan"))):
            with self.assertRaises(ValueError):
                recompute(self.book, {name: value})
