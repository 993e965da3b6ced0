"""Workbooks: crafted ones are rejected, honest ones are read as a person sees them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
from cloche import Failed
from cloche.cells import CellError, cells_equal
from cloche.criteria import Unreadable
from cloche.files import FixtureError
from cloche.sheets import Workbook, open_workbook
from cloche.tables import Table, compare_tables
from openpyxl.styles import Font
from support import FolderCase


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


class Crafted(FolderCase):
    def members(self) -> dict[str, bytes]:
        buffer = io.BytesIO()
        openpyxl.Workbook().save(buffer)
        with zipfile.ZipFile(buffer) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def rejected(self, data: bytes, words: str) -> None:
        with self.assertRaisesRegex(Unreadable, words):
            open_workbook(self.file("x.xlsx", data)).sheets[0].rows()

    def test_what_is_no_workbook_is_rejected(self) -> None:
        self.rejected(b"", "not a readable office file")
        self.rejected(b"isbn,title\n1,a\n", "not a readable office file")
        self.rejected(zipped({"a": b"b"}), "has no xl/workbook.xml")
        self.rejected(zipped(self.members())[:-200], "not a readable office file")
        self.rejected(
            zipped({**self.members(), "xl/workbook.xml": b"<"}), "not a readable workbook"
        )

    def test_a_broken_workbook_of_the_task_is_no_failed_check(self) -> None:
        with self.assertRaises(FixtureError):
            open_workbook(self.file("x.xlsx", b"", agents_work=False))

    def test_a_zip_that_unpacks_to_a_flood_is_rejected_before_it_is_opened(self) -> None:
        flood = b"<c/>" * (20 * 1024 * 1024 // 4)
        self.rejected(
            zipped({**self.members(), "xl/worksheets/sheet1.xml": flood}), "which no office file"
        )
        self.rejected(
            zipped({**self.members(), **{f"x{n}": b"" for n in range(2100)}}), "2000 are read"
        )

    def test_sizes_in_the_zips_directory_are_not_believed(self) -> None:
        flood = b" " * (40 * 1024 * 1024)
        data = bytearray(zipped({**self.members(), "xl/big.xml": flood}))
        size = len(flood).to_bytes(4, "little")
        self.assertIn(size, data)
        self.rejected(bytes(data.replace(size, (100).to_bytes(4, "little"))), "x.xlsx ")

    def test_two_parts_of_one_name_are_rejected(self) -> None:
        data = zipped({**self.members(), "xl/workbooK.xml": b"x"})
        self.rejected(data.replace(b"xl/workbooK.xml", b"xl/workbook.xml"), "two parts of one name")

    def test_entities_in_the_xml_are_rejected(self) -> None:
        laughs = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><sst>&b;</sst>'
        outside = (
            b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst><si><t>&a;</t></si></sst>'
        )
        for xml in (laughs, outside):
            members = {**self.members(), "xl/sharedStrings.xml": xml}
            try:
                rows = open_workbook(self.file("x.xlsx", zipped(members))).sheets[0].rows()
            except Failed:
                continue
            self.assertNotIn("root:", str(rows))

    def test_one_cell_in_the_last_corner_is_no_flood(self) -> None:
        book = openpyxl.Workbook()
        book.worksheets[0]["XFD1048576"] = 1
        book.worksheets[0]["A1"] = "=SUM(A2:XFD1048576)"
        book.worksheets[0]["A2"] = "=SUM(XFD:XFD)"
        workbook = open_workbook(self.workbook_file(book))
        self.assertEqual(workbook.sheets[0].value("A2"), 1)
        with self.assertRaisesRegex(Failed, "A1: it reads more than 5000000 cells"):
            workbook.sheets[0].value("A1")
        with self.assertRaisesRegex(Failed, "reaches to row 1048576"):
            workbook.sheets[0].rows()


class Rows(FolderCase):
    def book(self, *rows: list[Any], name: str = "Stock") -> Workbook:
        book = openpyxl.Workbook()
        book.worksheets[0].title = name
        for row in rows:
            book.worksheets[0].append(row)
        return open_workbook(self.workbook_file(book))

    def test_formatted_blanks_are_no_rows(self) -> None:
        book = openpyxl.Workbook()
        page = book.worksheets[0]
        page.append(["a", None, ""])
        page["B900"].font = Font(bold=True)
        page["Z3"].number_format = "0.00"
        page["A5"] = ""
        self.assertEqual(open_workbook(self.workbook_file(book)).sheets[0].rows(), [["a"]])

    def test_a_formula_that_gives_an_empty_text_is_blank(self) -> None:
        sheet = self.book(["a", 1], ['=IF(1,"","x")', None])
        self.assertEqual(sheet.sheet("stock").rows(), [["a", 1]])

    def test_a_missing_sheet_fails_and_names_those_that_are_there(self) -> None:
        with self.assertRaisesRegex(Failed, "no sheet 'Sales'; it has 'Stock'"):
            self.book().sheet("Sales")
        self.assertTrue(self.book().has_sheet(" STOCK"))

    def test_the_header_is_found_below_titles(self) -> None:
        table = self.book(["Stock list"], [], ["ISBN", " Title "], [1, "a"], [], [2, "b"]).sheet(
            "Stock"
        )
        found = table.table(["isbn", "title"])
        self.assertEqual(found.rows, [{"isbn": 1, "title": "a"}, {"isbn": 2, "title": "b"}])
        self.assertEqual(found.column("TITLE"), ["a", "b"])
        self.assertEqual(table.table(header_row=3).columns, ["ISBN", "Title"])

    def test_headers_that_can_not_be_told_apart_fail(self) -> None:
        with self.assertRaisesRegex(Failed, "two columns of one name: 'isbn'"):
            self.book(["ISBN", "isbn "], [1, 2]).sheet("Stock").table()
        with self.assertRaisesRegex(Failed, "no header with price"):
            self.book(["ISBN"], [1]).sheet("Stock").table(["price"])
        with self.assertRaisesRegex(Failed, "row 2 holds 'stray' under no header"):
            self.book(["ISBN"], [1, None, "stray"]).sheet("Stock").table()
        with self.assertRaisesRegex(Failed, "is empty"):
            self.book().sheet("Stock").table()

    def test_a_key_that_stands_twice_is_not_lost_in_silence(self) -> None:
        table = self.book(["isbn", "n"], [12, 1], ["12", 2], [13, 3]).sheet("Stock").table()
        with self.assertRaisesRegex(Failed, "isbn stands more than once: '12'"):
            table.by("isbn")
        with self.assertRaisesRegex(Failed, "a row has no isbn"):
            self.book(["isbn", "n"], [None, 1]).sheet("Stock").table().by("isbn")
        self.assertEqual(table.by("n")[3]["isbn"], 13)

    def test_errors_in_cells_are_values_that_equal_nothing(self) -> None:
        sheet = self.book(["=1/0", "#DIV/0!"]).sheet("Stock")
        self.assertEqual(sheet.value("A1"), CellError("#DIV/0!"))
        self.assertFalse(cells_equal(0, sheet.value("A1")))


class CellsEqual(FolderCase):
    def test_a_truth_value_is_no_number(self) -> None:
        for other in (1, "1", 1.0, "TRUE", None):
            self.assertFalse(cells_equal(True, other), other)
        self.assertFalse(cells_equal(0, False))
        self.assertTrue(cells_equal(True, True))

    def test_what_differs_is_told_apart(self) -> None:
        for one, other in ((1, 2), (0, None), (0, ""), ("a", "A"), ("12", "12 pcs"), (1, "one"),
                           ("007", "7"), ("2026-03-02", "2026-03-03"), (5, date(2026, 1, 1)),
                           (1, float("nan")), (9780306406157, 9780306406158),
                           ("a", CellError("#N/A")),
                           (0, 1e-7), (1000000, 1000000.01), (0, 10**400),
                           ("1e999", "2e999")):  # fmt: skip
            self.assertFalse(cells_equal(one, other), (one, other))
            self.assertFalse(cells_equal(other, one), (other, one))

    def test_what_a_person_calls_the_same_is_equal(self) -> None:
        for one, other in ((1, 1.0), (1, "1"), (1234.5, "1,234.50"), (None, ""), (None, "  "),
                           ("a  b", " a b\u00a0"), (date(2026, 3, 2), "2026-03-02"),
                           (0.3, 0.1 + 0.2),
                            (datetime(2026, 3, 2, 9), "2026-03-02T09:00:00"),
                           (Decimal("2.50"), 2.5),
                           (date(2026, 3, 2), datetime(2026, 3, 2)), ("1.50", "1.5"),
                           (-0.0, 0)):  # fmt: skip
            self.assertTrue(cells_equal(one, other), (one, other))
            self.assertTrue(cells_equal(other, one), (other, one))

    def test_a_tolerance_is_no_more_than_asked(self) -> None:
        self.assertTrue(cells_equal(10, 10.005, abs_tol=0.005))
        self.assertFalse(cells_equal(10, 10.0051, abs_tol=0.005))
        self.assertTrue(cells_equal(200, 201, rel_tol=0.005))
        self.assertFalse(cells_equal("a", "b", abs_tol=99))
        with self.assertRaises(ValueError):
            cells_equal(1, 1, abs_tol=-1)


class CompareTables(FolderCase):
    WANTED = ({"isbn": 1, "title": "a", "price": 9.5}, {"isbn": 2, "title": "b", "price": 3})

    def difference(self, *rows: dict[str, Any], **given: object) -> str:
        return str(compare_tables(self.WANTED, rows, key="isbn", **given))  # type: ignore[arg-type]

    def test_both_directions_count(self) -> None:
        one, two = self.WANTED
        self.assertEqual(self.difference(two, one), "the tables are equal")
        self.assertIn("1 rows missing: '2'", self.difference(one))
        self.assertIn("1 rows too many: '3'", self.difference(one, two, {**one, "isbn": 3}))
        self.assertIn("1 title: 'A' instead of 'a'", self.difference({**one, "title": "A"}, two))
        self.assertIn("columns missing: 'price'", self.difference({"isbn": 1, "title": "a"}))
        self.assertIn("columns too many: 'note'", self.difference({**one, "note": "x"}, two))

    def test_chosen_columns_leave_others_alone(self) -> None:
        rows = [{**row, "note": "x", "price": 0} for row in self.WANTED]
        self.assertEqual(self.difference(*rows, columns=["title"]), "the tables are equal")

    def test_tolerances_are_per_column(self) -> None:
        one, two = self.WANTED
        near = {**one, "price": 9.504}
        self.assertIn("price", self.difference(near, two))
        self.assertFalse(
            compare_tables(self.WANTED, [near, two], key="isbn", tolerances={"price": 0.005})
        )
        with self.assertRaisesRegex(ValueError, "not compared: 'prise'"):
            self.difference(one, two, tolerances={"prise": 1})

    def test_duplicates_do_not_collapse(self) -> None:
        one, two = self.WANTED
        with self.assertRaisesRegex(Failed, "stands more than once"):
            self.difference(one, two, dict(one))
        with self.assertRaisesRegex(ValueError, "the expected rows"):
            compare_tables([one, one], [one], key="isbn")

    def test_a_difference_stays_readable(self) -> None:
        rows = [{"isbn": n, "title": "x" * 500, "price": 0} for n in range(1, 5000)]
        text = self.difference(*rows)
        self.assertLess(len(text), 2000)
        self.assertIn("and 4987 more", text)

    def test_keys_may_be_of_several_columns(self) -> None:
        rows = [{"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 2}]
        found = Table(["A", "B", "C"], [{"A": 1, "B": "2", "C": 2}, {"A": 1, "B": 1, "C": 3}])
        text = str(compare_tables(rows, found, key=("a", "b")))
        self.assertEqual(text, "1 cells wrong: '1 / 1 c: 3 instead of 1'")
