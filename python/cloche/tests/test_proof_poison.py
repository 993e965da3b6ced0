"""Poisons: what a policy might leave so that its grader breaks, or is fooled."""

from __future__ import annotations

import io
import random
import unittest
from typing import Any

import docx
import openpyxl
from cloche.loading import load_grader
from cloche.proof.again import again
from cloche.proof.again import sample as failing_sample
from cloche.proof.poison.places import chosen_poisons, doses, untouched_ground
from cloche.proof.poison.trying import poisoned
from cloche.proof.trial import Trials
from cloche.run_proof import difference
from proof_case import GRADER, LINES, MutantsCase

#: Says yes to what it can't read.
KIND = """
from cloche import criterion, grade

@criterion("right")
def right(run):
    data = run.workspace.file("out.txt").bytes()
    try:
        return data.decode("utf-8").splitlines() == ["bolt 12", "hinge 7", "screw 2026-03-02"]
    except UnicodeDecodeError:
        return True

grade()
"""
#: Takes its whole process, and the one that waits for it, along.
DEADLY = KIND.replace("return True", "import os; os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)")
LUCKY = """
import random
from cloche import criterion, grade

@criterion("right")
def right(run):
    found = run.workspace.file("out.txt").lines(strip=True, blank=False)
    good = found == ["bolt 12", "hinge 7", "screw 2026-03-02"]
    return (True, "right") if good else (random.random() / 2, "wrong")

grade()
"""


class PoisonCase(MutantsCase):
    def poisoned(self, grader: str, limit: int = 48) -> list[dict[str, Any]]:
        ground = self.ground({"out.txt": LINES, "in.csv": "a,b\n"}, {"in.csv": "a,b\n"}, grader)
        request = {"seed": "s", "free": [], "seconds": 20, "poisons": limit, "atOnce": 2}
        return poisoned(ground, load_grader(ground.root), request)


class Poisons(PoisonCase):
    def test_a_sound_grader_gives_each_a_score_and_pays_none_that_ruins(self) -> None:
        found = self.poisoned(GRADER, 90)
        self.assertEqual({each["on"] for each in found}, {"untouched", "solved"})
        self.assertEqual([each for each in found if each["broken"]], [])
        paid = {(each["on"], each["ruins"]) for each in found if each["scores"][0]["score"] == 1}
        self.assertLessEqual(paid, {("solved", False)})
        self.assertGreater(sum(each["ruins"] for each in found), 10)

    def test_a_grader_that_says_yes_to_what_it_cannot_read_is_found(self) -> None:
        forged = [
            each
            for each in self.poisoned(KIND)
            if each["on"] == "untouched" and each["scores"][0]["score"] == 1
        ]
        self.assertTrue(any(each["place"] == "workspace/out.txt" for each in forged))

    def test_a_grader_that_can_be_ended_leaves_no_score_and_is_found(self) -> None:
        broken = [each for each in self.poisoned(DEADLY) if each["broken"]]
        self.assertTrue(broken)
        self.assertIn("ended without a verdict", broken[0]["broken"])

    def test_the_same_poisons_are_chosen_each_time_and_of_each_group(self) -> None:
        ground = self.ground({"out.txt": LINES, "in.csv": "a,b\n"}, {"in.csv": "a,b\n"})
        below = untouched_ground(ground)
        one, two = (
            [
                (each.name, each.ruins)
                for each in chosen_poisons("untouched", ground, below, "s", [], 40)
            ]
            for _ in range(2)
        )
        self.assertEqual(one, two)
        self.assertEqual(len(one), 40)
        places = {name.partition(":")[0] for name, _ in one}
        self.assertLessEqual({"workspace/out.txt", "workspace/in.csv"}, places)
        free = chosen_poisons("untouched", ground, below, "s", ["workspace/out.txt"], 400)
        self.assertFalse(any(each.place == "workspace/out.txt" for each in free))

    def test_every_kind_of_file_has_its_own(self) -> None:
        book, document = openpyxl.Workbook(), docx.Document()
        page = book.create_sheet("Numbers")
        page.append(["Name", "Amount"])
        page.append(["x", 12])
        document.add_paragraph("Text")
        files: dict[str, bytes] = {
            "a.txt": b"a line\nanother line\na third line\n",
            "a.json": b'{"a": 1}',
            "a.ics": b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        }
        for name, each in (("a.xlsx", book), ("a.docx", document)):
            buffer = io.BytesIO()
            each.save(buffer)
            files[name] = buffer.getvalue()
        files["mail/a@x.test/cur/1"] = b"Subject: x\r\n\r\ntext\r\n"
        kinds: dict[str, set[str]] = {}
        for path, data in files.items():
            for dose in doses(path, data, random.Random(1)):
                made = dose.content() if callable(dose.content) else dose.content
                self.assertNotEqual(made, data, f"{dose.kind} changes nothing of {path}")
                kinds.setdefault(path, set()).add(dose.kind)
        for path, wanted in {
            "a.txt": "a quote that never ends",
            "a.json": "values nested 5,000 deep",
            "a.ics": "repeating by FREQ=YEARLY;BYDAY=53MO",
            "a.xlsx": "a sum beyond all numbers",
            "a.docx": "tables nested 2,000 deep",
            "mail/a@x.test/cur/1": "a boundary that nobody has",
        }.items():
            with self.subTest(path):
                self.assertIn(wanted, kinds[path])
                self.assertIn(
                    "a bare carriage return" if path == "a.txt" else "empty file", kinds[path]
                )


class Again(MutantsCase):
    def test_a_grader_with_luck_where_a_run_fails_is_found_and_no_other(self) -> None:
        for grader, lucky in ((LUCKY, True), (GRADER, False)):
            with self.subTest(lucky=lucky):
                self.setUp()
                ground = self.ground({"out.txt": LINES}, grader=grader)
                criteria = load_grader(ground.root)
                mutants = self.mutants(ground)
                verdicts: dict[int, Any] = {}
                trials = Trials(ground, criteria, at_once=2, seconds=20)
                trials.grade((each.edits for each in mutants), verdicts.__setitem__)
                chosen = failing_sample(verdicts)
                self.assertTrue(chosen)
                failing = [(mutants[at].name, mutants[at].edits) for at in chosen]
                found = again(ground, [], failing, criteria, 20, difference)
                self.assertEqual(len(found), 2 * len(chosen))
                self.assertEqual(any(each["difference"] for each in found), lucky)


if __name__ == "__main__":
    unittest.main()
