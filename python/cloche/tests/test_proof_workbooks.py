"""Mutants of workbooks."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
from cloche.proof.ground import Edits
from cloche.proof.office import Book, shifted
from cloche.proof.shapes import all_shapes
from openpyxl.chart import BarChart, Reference
from openpyxl.utils.cell import coordinate_to_tuple
from proof_case import ADDITIONS, MutantsCase

SHEETS_GRADER = """
from cloche import check, criterion, grade
from cloche.sheets import open_workbook

@criterion("right")
def right(run):
    book = open_workbook(run.workspace.file("book.xlsx"))
    check(book.names == ["Orders", "Notes"], f"found {book.names}")
    wide = [[len(row) for row in book.sheet(name).rows()] for name in ("Orders", "Notes")]
    check(wide == [[4, 4, 4], [1]], f"found {wide}")
    return True

grade()
"""


class Workbooks(MutantsCase):
    def book(self, rows: list[list[Any]]) -> bytes:
        book = openpyxl.Workbook()
        page = book.worksheets[0]
        page.title = "Orders"
        for row in rows:
            page.append(row)
        page["C2"].number_format = "yyyy-mm-dd"
        chart = BarChart()
        chart.add_data(Reference(page, min_col=2, min_row=1, max_row=3))
        page.add_chart(chart, "H1")
        other = book.create_sheet("Notes")
        other["A1"] = "Leave this alone"
        buffer = io.BytesIO()
        book.save(buffer)
        return buffer.getvalue()

    def rows(self) -> list[list[Any]]:
        return [
            ["item", "pieces", "day", "sum"],
            ["bolt", 12, datetime(2026, 3, 2), "=B2*2"],
            ["hinge", 7.25, datetime(2026, 3, 3), "=B3*2"],
        ]

    def test_cells_rows_and_sheets_change_and_everything_else_stays(self) -> None:
        ground = self.ground({"book.xlsx": self.book(self.rows())})
        mutants = {each.operator: each for each in self.mutants(ground)}
        self.assertLessEqual(
            {
                "cell off by one",
                "cell off by a hundredth",
                "date shifted",
                "word changed",
                "computed number off by one",
                "cell emptied",
                "row dropped",
                "row doubled",
                "row added",
                "sheet renamed",
            },
            set(mutants),
        )
        for operator in ("cell off by one", "row dropped", "sheet renamed"):
            data = mutants[operator].edits.files["after", "book.xlsx"]
            assert data is not None
            self.assertIn("xl/charts/chart1.xml", zipfile.ZipFile(io.BytesIO(data)).namelist())
            openpyxl.load_workbook(io.BytesIO(data))
        dropped = mutants["row dropped"].edits.files["after", "book.xlsx"]
        page = openpyxl.load_workbook(io.BytesIO(dropped or b""))["Orders"]
        self.assertEqual(page.max_row, 2)
        renamed = mutants["sheet renamed"].edits.files["after", "book.xlsx"]
        self.assertNotEqual(
            openpyxl.load_workbook(io.BytesIO(renamed or b"")).sheetnames, ["Orders", "Notes"]
        )

    def test_a_sheet_a_column_and_cells_are_added_that_nobody_asked_for(self) -> None:
        ground = self.ground({"book.xlsx": self.book(self.rows())})
        added = [m for m in self.mutants(ground) if m.operator in ADDITIONS]
        self.assertEqual(
            [(each.where, each.operator, each.grave) for each in added],
            [
                ("Helper", "sheet added", True),
                ("Orders!E1", "column added", True),
                ("Orders!F3", "cell added on the right", True),
                ("Orders!A5", "cell added below", True),
                ("Notes!B1", "column added", True),
                ("Notes!C1", "cell added on the right", True),
                ("Notes!A3", "cell added below", True),
            ],
        )
        before = self.values(ground.read("after", "book.xlsx"))
        again = {m.name: m.edits for m in self.mutants(ground)}
        for each in added:
            data = each.edits.files["after", "book.xlsx"] or b""
            self.assertIn("xl/charts/chart1.xml", zipfile.ZipFile(io.BytesIO(data)).namelist())
            now = self.values(data)
            self.assertEqual({place: now.get(place) for place in before}, before, each.name)
            sheet, _, cell = each.where.partition("!")
            self.assertIsNotNone(now.get((sheet, cell or "A1")), each.name)
            self.assertEqual(again[each.name], each.edits)
        column = self.values(added[1].edits.files["after", "book.xlsx"] or b"")
        self.assertEqual([column["Orders", f"E{at}"] for at in (1, 2, 3)], ["helper", 1, 2])

    def test_additions_to_sheets_that_the_agent_left_alone_are_not_grave(self) -> None:
        rows = self.rows()
        old = self.book([*rows[:2], ["hinge", 8, datetime(2026, 3, 3), "=B3*2"]])
        ground = self.ground({"book.xlsx": self.book(rows)}, {"book.xlsx": old})
        added = [m for m in self.mutants(ground) if m.operator in ADDITIONS]
        grave = {m.where.partition("!")[0] for m in added if m.grave}
        self.assertEqual(grave, {"Helper", "Orders"})
        others = {(m.where.partition("!")[0], m.family) for m in added if not m.grave}
        self.assertEqual(others, {("Notes", "forbidden")})

    def test_additions_find_their_place_among_blank_and_merged_cells(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(self.book(self.rows())))
        page = book["Orders"]
        for blank in ("E3", "G3", "J3", "A6"):  # They are in the file for their format.
            page[blank].number_format = "0.00"
        page.merge_cells("A3:F4")
        book.create_sheet("helper")
        buffer = io.BytesIO()
        book.save(buffer)
        ground = self.ground({"book.xlsx": buffer.getvalue()})
        mine = {m.where: m for m in self.mutants(ground) if m.operator in ADDITIONS}
        wanted = {"Helper 2", "Orders!G1", "Orders!H4", "Orders!A6"}
        self.assertLessEqual(wanted, set(mine))
        self.assertFalse([where for where in mine if where.startswith("helper!")])  # It is blank.
        for where in wanted:
            changed = Book(mine[where].edits.files["after", "book.xlsx"] or b"").page("Orders")
            numbers = [int(row.get("r")) for row in changed.rows]
            self.assertEqual(numbers, sorted(set(numbers)), where)
            for row in changed.rows:
                columns = [coordinate_to_tuple(cell.get("r"))[1] for cell in row]
                self.assertEqual(columns, sorted(set(columns)), where)
        column = self.values(mine["Orders!G1"].edits.files["after", "book.xlsx"] or b"")
        self.assertEqual(column["Orders", "G3"], 2)

    def test_a_grader_that_looks_at_everything_notices_every_addition(self) -> None:
        ground = self.ground({"book.xlsx": self.book(self.rows())}, grader=SHEETS_GRADER)
        added = [m for m in self.mutants(ground) if m.operator in ADDITIONS]
        passed = self.passes(ground, [Edits(), *(each.edits for each in added)])
        self.assertEqual(passed, [True, *[False] * len(added)])

    def test_a_grader_that_does_not_count_the_sheets_overlooks_one_too_many(self) -> None:
        blind = SHEETS_GRADER.replace('check(book.names == ["Orders", "Notes"]', "check(True")
        ground = self.ground({"book.xlsx": self.book(self.rows())}, grader=blind)
        added = [m for m in self.mutants(ground) if m.operator in ADDITIONS]
        passed = self.passes(ground, [each.edits for each in added])
        overlooked = [m.operator for m, ok in zip(added, passed) if ok]
        self.assertEqual(overlooked, ["sheet added"])

    def values(self, data: bytes) -> dict[tuple[str, str], Any]:
        """What stands in all cells, by sheet and address, as another library reads it."""
        book = openpyxl.load_workbook(io.BytesIO(data))
        return {
            (page.title, cell.coordinate): cell.value
            for page in book.worksheets
            for row in page.iter_rows()
            for cell in row
            if cell.value is not None
        }

    def test_shapes_say_the_same_to_who_reads_values(self) -> None:
        ground = self.ground({"book.xlsx": self.book(self.rows())})
        shapes = all_shapes(ground, "seed", (), [], ("number-as-text", "iso-dates"))
        found = {each.shape: each.edits.files["after", "book.xlsx"] for each in shapes}
        self.assertLessEqual({"float-noise", "trailing-blank-row"}, set(found))
        for shape in ("float-noise", "trailing-blank-row", "whole-as-float"):
            page = openpyxl.load_workbook(io.BytesIO(found[shape] or b""))["Orders"]
            self.assertEqual(page["A3"].value, "hinge", shape)
            self.assertAlmostEqual(page["B3"].value, 7.25, 9, shape)
            self.assertEqual(page["B2"].value, 12, shape)
        texts = openpyxl.load_workbook(io.BytesIO(found["number-as-text"] or b""))["Orders"]
        self.assertEqual(texts["B2"].value, "12")
        days = openpyxl.load_workbook(io.BytesIO(found["iso-dates"] or b""))["Orders"]
        self.assertEqual(days["C2"].value, "2026-03-02")

    def test_formulas_follow_rows_that_move(self) -> None:
        self.assertEqual(shifted('SUM(B2:B9)+$C$10&"B9"', 5, 1), 'SUM(B2:B10)+$C$11&"B9"')
        self.assertEqual(shifted("LOG10(A3)+X.B9", 2, -1), "LOG10(A2)+X.B9")

    def test_a_workbook_that_is_none_has_only_mutants_of_the_file(self) -> None:
        ground = self.ground({"book.xlsx": b"no workbook at all" * 20})
        mine = {m.operator for m in self.mutants(ground) if m.place == "workspace/book.xlsx"}
        self.assertEqual(mine, {"file gone", "file empty", "file cut in half", "file moved"})
        with self.assertRaises(ValueError):
            Book(b"PK\x03\x04")
