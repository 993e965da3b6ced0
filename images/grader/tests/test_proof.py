"""Mutants and shapes: what is changed, what is not, and that a grader is asked of each."""

from __future__ import annotations

import base64
import email
import io
import json
import random
import tempfile
import unittest
import zipfile
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import openpyxl
from openpyxl.chart import BarChart, Reference
from openpyxl.utils.cell import coordinate_to_tuple
from support import FolderCase, step_line

from cloche.build import make_pdf
from cloche.proof.ground import Edits, Ground, parents
from cloche.proof.leaks import leaks
from cloche.proof.mutants import all_mutants
from cloche.proof.office import Book, shifted
from cloche.proof.shapes import all_shapes
from cloche.proof.trial import Trials
from cloche.run_grader import load_grader

GRADER = """
from cloche import check, criterion, grade

@criterion("right")
def right(run):
    found = run.workspace.file("out.txt").lines(strip=True, blank=False)
    check(found == ["bolt 12", "hinge 7", "screw 2026-03-02"], f"found {found}")
    return True

grade()
"""
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
STATE_GRADER = """
from cloche import check, criterion, grade

@criterion("right")
def right(run):
    state = run.state
    found = (len(state.calendar.events()), len(state.mail.sent()),
             len(state.mail.mailbox("ben@example.test").inbox()), len(state.memory.entities()))
    check(found == (0, 0, 0, 1), f"found {found}")
    return True

grade()
"""
ADDITIONS = ("sheet added", "column added", "cell added on the right", "cell added below")
LINES = "bolt 12\nhinge 7\nscrew 2026-03-02\n"
ME, BOSS, COPY = "ana@example.test", "ben@example.test", "cy@example.test"


class MutantsCase(FolderCase):
    def ground(
        self,
        after: dict[str, Any],
        before: dict[str, Any] | None = None,
        grader: str = GRADER,
        state: tuple[dict[str, Any], dict[str, Any]] | None = None,
        steps: list[dict[str, Any]] | None = None,
    ) -> Ground:
        from support import write_tree

        run = self.folder / "run"
        run.mkdir()
        self.folder = run
        self.run_folder(grader, before or {}, after, steps)
        if state:
            write_tree(run, "state-before", state[0])
            write_tree(run, "state-after", state[1])
        return Ground(run)

    def mutants(self, ground: Ground, uses: tuple[str, ...] = (), free: tuple[str, ...] = ()):
        return all_mutants(ground, "seed", uses, free, 500)

    def passes(self, ground: Ground, all_edits: list[Edits]) -> list[bool]:
        """Whether the grader of the ground lets each variation pass."""
        found: dict[int, bool] = {}
        trials = Trials(ground, load_grader(ground.root), at_once=2, seconds=30)
        trials.grade(all_edits, lambda at, v: found.update({at: all(c["score"] == 1 for c in v)}))
        return [found[at] for at in range(len(all_edits))]


class Texts(MutantsCase):
    def test_a_strict_grader_notices_every_mutant_and_lets_every_shape_pass(self) -> None:
        ground = self.ground({"out.txt": LINES})
        mutants = [each for each in self.mutants(ground) if each.place == "workspace/out.txt"]
        operators = {each.operator for each in mutants}
        self.assertLessEqual(
            {
                "file gone",
                "file empty",
                "file moved",
                "line dropped",
                "line doubled",
                "lines swapped",
                "line added",
                "number off by one",
                "date shifted",
            },
            operators,
        )
        passed = self.passes(ground, [each.edits for each in mutants])
        self.assertEqual([m.name for m, ok in zip(mutants, passed) if ok], [])
        shapes = all_shapes(ground, "seed", (), [], ())
        self.assertLessEqual(
            {"crlf", "final-newline", "trailing-blanks"}, {s.shape for s in shapes}
        )
        self.assertEqual(set(self.passes(ground, [each.edits for each in shapes])), {True})

    def test_a_table_gets_a_column_too_many(self) -> None:
        tables = {
            "a.csv": ("a;b\r\nbolt, long;12\r\n", "a;b;helper\r\nbolt, long;12;1\r\n"),
            "b.tsv": ("item\tpieces\n\nbolt\t12", "item\tpieces\thelper\n\nbolt\t12\t1"),
            "c.csv": ("item\nbolt\n", "item,helper\nbolt,1\n"),
        }
        broken = {"d.csv": 'item,note\nbolt,"in two\nlines"\n', "e.txt": "item,pieces\nbolt,12\n"}
        ground = self.ground({**{path: text for path, (text, _) in tables.items()}, **broken})
        wider = [m for m in self.mutants(ground) if m.operator == "column added"]
        found = {path: data for each in wider for (_, path), data in each.edits.files.items()}
        self.assertEqual(found, {path: text.encode() for path, (_, text) in tables.items()})
        self.assertTrue(all(each.grave for each in wider))

    def test_the_run_itself_passes_and_is_not_changed_by_its_mutants(self) -> None:
        ground = self.ground({"out.txt": LINES, "sub/kept.txt": "x"})
        edits = [each.edits for each in self.mutants(ground)]
        self.assertEqual(
            self.passes(ground, [Edits(), *edits, Edits()])[:: len(edits) + 1], [True] * 2
        )
        self.assertEqual((ground.root / "after/out.txt").read_text(), LINES)

    def test_the_same_seed_makes_the_same_mutants_and_another_one_others(self) -> None:
        text = "".join(f"item{at} {at * 7}\n" for at in range(80))
        ground = self.ground({"out.txt": text})
        names = [[m.name for m in all_mutants(ground, s, (), (), 30)] for s in ("a", "a", "b")]
        self.assertEqual(names[0], names[1])
        self.assertNotEqual(names[0], names[2])

    def test_free_files_are_left_alone(self) -> None:
        ground = self.ground({"out.txt": LINES, "scratch/notes.txt": "1 2 3\n"})
        places = {each.place for each in self.mutants(ground, free=("scratch/**",))}
        self.assertIn("workspace/out.txt", places)
        self.assertNotIn("workspace/scratch/notes.txt", places)

    def test_a_grader_that_dies_gives_no_verdict_and_stops_no_other(self) -> None:
        grader = GRADER.replace("    found =", "    import os\n    os._exit(3)\n    found =")
        ground = self.ground({"out.txt": LINES}, grader=grader)
        self.assertEqual(self.passes(ground, [Edits(), Edits()]), [False, False])


class Workbooks(MutantsCase):
    def book(self, rows: list[list[Any]]) -> bytes:
        book = openpyxl.Workbook()
        page = book.active
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
            page = Book(mine[where].edits.files["after", "book.xlsx"] or b"").page("Orders")
            numbers = [int(row.get("r")) for row in page.rows]
            self.assertEqual(numbers, sorted(set(numbers)), where)
            for row in page.rows:
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


class Documents(MutantsCase):
    def test_a_paragraph_too_many_stands_at_the_end(self) -> None:
        document = docx.Document()
        document.add_heading("Findings", 1)
        document.add_paragraph("Of 12 bolts 3 are bent.")
        buffer = io.BytesIO()
        document.save(buffer)
        ground = self.ground({"report.docx": buffer.getvalue()})
        mine = {m.operator: m for m in self.mutants(ground) if m.place == "workspace/report.docx"}
        wanted = {"number off by one", "paragraph dropped", "paragraph doubled", "paragraph added"}
        self.assertLessEqual(wanted, set(mine))
        data = mine["paragraph added"].edits.files["after", "report.docx"]
        texts = [each.text for each in docx.Document(io.BytesIO(data or b"")).paragraphs]
        self.assertEqual(texts, ["Findings", "Of 12 bolts 3 are bent.", "Nobody asked for this."])


class Services(MutantsCase):
    people = json.dumps(
        {"me": ME, "people": [{"email": each, "name": each} for each in (ME, BOSS, COPY)]}
    )

    def mail(self, attached: bytes = b"") -> bytes:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = ME, BOSS, "Done"
        message["Message-ID"] = "<1@example.test>"
        message.set_content("The total is 12.50 EUR for 2026-03-02.")
        if attached:
            message.add_attachment(attached, maintype="text", subtype="plain", filename="out.txt")
        return message.as_bytes()

    def test_a_sent_mail_is_dropped_doubled_sent_to_one_more_and_says_wrong_facts(self) -> None:
        sent = {f"mail/{ME}/.Sent/cur/1:2,S": self.mail(), f"mail/{BOSS}/new/1": self.mail()}
        old = {
            f"mail/{ME}/new/0": self.mail().replace(b"<1@", b"<0@"),
            "people/people.json": self.people,
        }
        ground = self.ground({"out.txt": LINES}, state=(old, {**old, **sent}))
        mine = {m.operator: m for m in self.mutants(ground) if m.place == "state/mail"}
        self.assertLessEqual(
            {
                "mail not sent",
                "one more mail sent",
                "mail sent twice",
                "mail sent to one more",
                "number off by one",
                "date shifted",
                "old mail deleted",
                "mail left as a draft",
            },
            set(mine),
        )
        wrong = mine["date shifted"].edits.files
        self.assertEqual(len(wrong), 2)  # Both copies.
        for data in wrong.values():
            text = email.message_from_bytes(data or b"").get_payload(decode=True)
            self.assertIn(b"2026-03-03", text)

    def test_a_changed_file_is_changed_in_the_mail_that_has_it_attached(self) -> None:
        text = LINES * 4
        whole = self.mail(text.encode())
        self.assertIn(base64.encodebytes(text.encode()).strip(), whole)
        state = {f"mail/{ME}/.Sent/cur/1:2,S": whole, "people/people.json": self.people}
        ground = self.ground({"out.txt": text}, state=({}, state))
        mutant = next(m for m in self.mutants(ground) if m.operator == "line dropped")
        changed = mutant.edits.files["after", "out.txt"] or b""
        mailed = mutant.edits.files["state-after", f"mail/{ME}/.Sent/cur/1:2,S"] or b""
        self.assertIn(base64.encodebytes(changed).strip(), mailed)

    def test_an_event_is_missing_later_longer_with_others_and_twice(self) -> None:
        event = (
            "BEGIN:VEVENT\r\nUID:new\r\nSUMMARY:Workshop\r\n"
            "DTSTART;TZID=Europe/Madrid:20260311T120000\r\n"
            "DTEND;TZID=Europe/Madrid:20260311T143000\r\n"
            f"ATTENDEE:mailto:{BOSS}\r\nEND:VEVENT\r\n"
        )
        old = event.replace("UID:new", "UID:old").replace("Workshop", "Dentist")
        calendar = f"BEGIN:VCALENDAR\r\n{old}%sEND:VCALENDAR\r\n"
        path = f"calendar/{ME}/main.ics"
        state = (
            {path: calendar % "", "people/people.json": self.people},
            {path: calendar % event, "people/people.json": self.people},
        )
        ground = self.ground({}, state=state)
        mine = {m.operator: m for m in self.mutants(ground) if m.place == "state/calendar"}
        self.assertLessEqual(
            {
                "event missing",
                "event made twice",
                "event a day later",
                "event a quarter longer",
                "one more attendee",
                "attendee missing",
                "old event moved",
                "old event removed",
            },
            set(mine),
        )
        later = mine["event a day later"].edits.files["state-after", path] or b""
        self.assertIn(b"DTSTART;TZID=Europe/Madrid:20260312T120000", later)
        self.assertIn(old.encode(), later)
        utc = next(s for s in all_shapes(ground, "seed", (), [], ()) if s.shape == "utc-times")
        self.assertIn(b"DTSTART:20260311T110000Z", utc.edits.files["state-after", path] or b"")

    def test_a_service_in_which_nothing_was_made_holds_one_thing_too_many(self) -> None:
        thing = {"type": "entity", "name": "A", "entityType": "b", "observations": []}
        state = {
            f"calendar/{ME}/main.ics": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n",
            f"mail/{ME}/new/0": self.mail(),
            "memory/memory.jsonl": json.dumps(thing),
            "people/people.json": self.people,
        }
        state |= {folder: None for path in state for folder in parents(path)}
        for right, verdicts in (
            ("== (0, 0, 0, 1)", [True, False, False, False]),
            ("in ((0, 0, 0, 2), (0, 1, 1, 1), (1, 0, 0, 1))", [False, True, True, True]),
        ):
            grader = STATE_GRADER.replace("== (0, 0, 0, 1)", right)
            ground = self.ground({"out.txt": LINES}, grader=grader, state=(state, state))
            mine = {m.operator: m.edits for m in self.mutants(ground)}
            made = [mine[each] for each in ("entity added", "mail sent", "event added")]
            self.assertEqual(self.passes(ground, [Edits(), *made]), verdicts)

    def test_where_there_is_no_such_service_nothing_is_made_in_it(self) -> None:
        state = {"people/people.json": self.people}
        ground = self.ground({"out.txt": LINES}, state=(state, state))
        self.assertFalse([m for m in self.mutants(ground) if m.place.startswith("state/")])

    def test_rows_of_a_site_are_missing_twice_and_wrong(self) -> None:
        row = {
            "id": "SO-2",
            "status": "placed",
            "placed_at": "2026-03-02T09:00:00Z",
            "lines": [{"sku": "A", "quantity": 4}],
            "delivery": "standard",
        }
        old = {"id": "SO-1", "status": "shipped", "lines": []}
        path = "web/shop/data.json"
        state = ({path: json.dumps({"orders": [old]})}, {path: json.dumps({"orders": [old, row]})})
        mine = [m for m in self.mutants(self.ground({}, state=state)) if m.place == f"state/{path}"]
        operators = {each.operator for each in mine}
        self.assertLessEqual(
            {
                "row missing",
                "row made twice",
                "number off by one",
                "line missing",
                "word changed",
                "old row removed",
                "old row cancelled",
                "row added",
            },
            operators,
        )
        self.assertFalse([each.where for each in mine if "placed_at" in each.where])


class Calls(MutantsCase):
    def test_calls_are_left_out_only_where_a_grader_looks_at_them(self) -> None:
        steps = [step_line(1, "read_file"), step_line(2, "write_file"), step_line(3, "read_file")]
        ground = self.ground({"out.txt": LINES}, steps=steps)
        self.assertFalse([m for m in self.mutants(ground) if m.place == "steps"])
        mine = {m.operator: m for m in self.mutants(ground, uses=("steps",)) if m.place == "steps"}
        self.assertLessEqual(
            {
                "no calls",
                "never looked before the last change",
                "never looked after the last change",
            },
            set(mine),
        )
        left = mine["never looked after the last change"].edits.steps
        self.assertEqual([step["tool"] for step in left or []], ["read_file", "write_file"])

    def test_an_answer_is_wrong_and_missing(self) -> None:
        ground = self.ground({"out.txt": LINES})
        mine = {m.operator for m in self.mutants(ground, uses=("answer",)) if m.place == "answer"}
        self.assertIn("answer missing", mine)


class Leaks(MutantsCase):
    def test_the_answer_the_programs_and_their_names_are_found(self) -> None:
        source = (
            "def generate(variant):\n    totals = sum(each for each in rows)\n"
            "    return {'totals': totals}\n    for item in sorted(totals):\n"
        )
        before = {
            "hint.txt": LINES,
            "old/grader.py": "print('x')",
            "notes.md": source,
            "harmless.txt": "bolt and hinge\n",
        }
        ground = self.ground({**before, "out.txt": LINES}, before)
        found = {each["place"] for each in leaks(ground, {"generate.py": source})}
        self.assertEqual(
            found, {"workspace/hint.txt", "workspace/old/grader.py", "workspace/notes.md"}
        )


    def test_a_copy_that_agents_may_keep_is_no_answer(self) -> None:
        before = {"in.txt": LINES}
        ground = self.ground({**before, "kept/in.txt": LINES, "out.txt": LINES}, before)
        self.assertEqual(leaks(ground, {}, ["kept/**", "out.txt"]), [])
        self.assertNotEqual(leaks(ground, {}, ["kept/**"]), [])

    def test_what_a_pdf_or_an_attachment_says_is_read_too(self) -> None:
        rows = LINES.splitlines()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.pdf"
            make_pdf(path, rows)
            pdf = path.read_bytes()
        self.assertNotIn(rows[-1].encode(), pdf)
        mail = EmailMessage()
        mail["Subject"] = "The list"
        mail.set_content("See the file.")
        mail.add_attachment(LINES.encode(), maintype="text", subtype="csv", filename="list.csv")
        before = {"list.pdf": pdf, "list.eml": mail.as_bytes(), "broken.pdf": b"%PDF-1.4 none"}
        ground = self.ground({**before, "out.txt": LINES}, before)
        found = {each["place"] for each in leaks(ground, {})}
        self.assertEqual(found, {"workspace/list.pdf", "workspace/list.eml"})


class Facts(unittest.TestCase):
    def test_a_wrong_date_is_still_a_date(self) -> None:
        from cloche.proof.changes import next_day, next_number, other_word

        self.assertEqual(next_day("by 2026-02-28, please"), "by 2026-03-01, please")
        self.assertIsNone(next_day("2026-13-40"))
        self.assertEqual(next_number("SO-1029", random.Random(0)), "SO-1020")
        self.assertIsNone(other_word("12 %", random.Random(0)))


if __name__ == "__main__":
    unittest.main()
