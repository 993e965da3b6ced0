"""Mutants and shapes: what is changed, what is not, and that a grader is asked of each."""

from __future__ import annotations

import io
import random
import tempfile
import unittest
from email.message import EmailMessage
from pathlib import Path

import docx
from cloche.build import make_pdf
from cloche.proof.ground import Edits
from cloche.proof.leaks import leaks
from cloche.proof.mutants import all_mutants
from cloche.proof.shapes import all_shapes
from proof_case import GRADER, LINES, MutantsCase
from support import step_line


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
