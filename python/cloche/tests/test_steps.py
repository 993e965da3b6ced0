"""Calls, and what they could have shown or changed."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from cloche.criteria import Failed, Unreadable
from cloche.shell import commands
from cloche.steps import Steps
from support import step_line, steps_of

DELIVERY = "reports/delivery.docx"
UPDATES = "updates.txt"
PATHS = (DELIVERY, "reports/damage.pdf", UPDATES, "reports/note.txt", "old/note.txt")

#: A command, a path, and which of: R could have shown it, W could have written it, V shows it as it
#: was left, t names it.
COMMANDS = [
    ("cat /workspace/reports/delivery.docx", DELIVERY, "Rt"),
    ("cd reports && pandoc delivery.docx", DELIVERY, "Rt"),
    ("ls -l reports/delivery.docx", DELIVERY, "t"),
    ("ls reports", DELIVERY, ""),
    ("echo reports/delivery.docx # cat it", DELIVERY, "t"),
    ("true # cat reports/delivery.docx", DELIVERY, "t"),
    ("cat reports/delivery.docx.bak", DELIVERY, ""),
    ("cat xreports/delivery.docx", DELIVERY, ""),
    ("cat /tmp/delivery.docx", DELIVERY, ""),
    ("cat reports/note.txt", "reports/note.txt", "Rt"),
    ("cat note.txt", "reports/note.txt", ""),
    ('for f in reports/*.docx; do pandoc "$f"; done', DELIVERY, "Rt"),
    ('for f in reports/*; do echo "$f"; done', DELIVERY, "t"),
    ('F=/workspace/reports/delivery.docx\npandoc "$F" | head', DELIVERY, "Rt"),
    (
        "python3 - <<'EOF'\nimport docx\nd = docx.Document('reports/delivery.docx')\nEOF\n",
        DELIVERY,
        "Rt",
    ),
    ("python3 -c \"import docx; docx.Document('reports/delivery.docx')\"", DELIVERY, "Rt"),
    ("find reports | xargs cat", DELIVERY, "R"),
    ("find reports -name 'd*'", DELIVERY, "t"),
    ("grep -rn ISBN reports/", DELIVERY, "R"),
    ("grep -n ISBN reports/*", DELIVERY, "Rt"),
    ("cat reports/{delivery.docx,damage.pdf}", DELIVERY, "Rt"),
    ("cat < reports/delivery.docx", DELIVERY, "Rt"),
    ("ls reports/*.docx | while read f; do pandoc $f; done", DELIVERY, "Rt"),
    ("python3 -c \"import os\nfor f in os.listdir('/workspace/reports'): open(f)\"", DELIVERY, "R"),
    ("DIR=/workspace/reports; unzip -p $DIR/delivery.docx", DELIVERY, "Rt"),
    ("sudo -n timeout 5 cat reports/delivery.docx", DELIVERY, "Rt"),
    ("wc -l updates.txt", UPDATES, "t"),
    ("cat > updates.txt <<'EOF'\nADD 1\nEOF", UPDATES, "Wt"),
    ("printf x > /workspace/updates.txt && cat /workspace/updates.txt", UPDATES, "RWVt"),
    ("cat updates.txt; printf x > updates.txt", UPDATES, "RWt"),
    ("sort -o updates.txt updates.txt", UPDATES, "RWt"),
    ("sort -u x | tee updates.txt", UPDATES, "Wt"),
    ("sort -c updates.txt", UPDATES, "Rt"),
    ("python3 -c \"open('updates.txt', 'w').write('x')\"", UPDATES, "RWt"),
    ("python3 -c \"print(open('updates.txt').read().replace('a', 'b'))\"", UPDATES, "Rt"),
    ("sed -i s/a/b/ updates.txt", UPDATES, "Wt"),
    ("sed -n 1,5p updates.txt", UPDATES, "Rt"),
    ("cp /tmp/u updates.txt", UPDATES, "Wt"),
    ("cp updates.txt /tmp/u", UPDATES, "Rt"),
    ("bash -c 'cat updates.txt'", UPDATES, "Rt"),
    ('echo "$(cat updates.txt)"', UPDATES, "Rt"),
    ("test -f updates.txt && echo yes", UPDATES, "t"),
    ("cat updates.txt 2>/dev/null || true", UPDATES, "Rt"),
    ("echo hi 2> updates.txt", UPDATES, "Wt"),
    ("rm -f updates.txt", UPDATES, "Wt"),
]


#: A tool, what it is given, a path, and what the call could have done with it, as above.
TOOLS: list[tuple[str, dict[str, Any], str, str]] = [
    ("read_document", {"path": UPDATES}, UPDATES, "Rt"),
    ("extract_tables", {"path": "reports/damage.pdf"}, "reports/damage.pdf", "Rt"),
    ("filter_rows", {"path": "stock.xlsx", "where": []}, "stock.xlsx", "Rt"),
    ("describe_workbook", {"path": "stock.xlsx"}, "stock.xlsx", "t"),
    ("find_in_document", {"path": DELIVERY, "query": "x"}, DELIVERY, "t"),
    ("sort_range", {"path": "stock.xlsx"}, "stock.xlsx", "Wt"),
    ("recalculate_workbook", {"path": "stock.xlsx"}, "stock.xlsx", "Wt"),
    ("set_header_footer", {"path": DELIVERY, "text": "x"}, DELIVERY, "Wt"),
    ("export_csv", {"path": "stock.xlsx", "csv": UPDATES}, UPDATES, "Wt"),
    ("export_csv", {"path": "stock.xlsx", "csv": UPDATES}, "stock.xlsx", "t"),
    ("import_csv", {"csv": UPDATES, "path": "stock.xlsx"}, UPDATES, "t"),
    ("import_csv", {"csv": UPDATES, "path": "stock.xlsx"}, "stock.xlsx", "Wt"),
    ("convert_document", {"path": DELIVERY, "to": UPDATES}, DELIVERY, "t"),
    ("convert_document", {"path": DELIVERY, "to": UPDATES}, UPDATES, "Wt"),
    ("fill_form", {"path": "form.pdf", "values": {}}, "form.pdf", "Wt"),
    ("fill_form", {"path": "form.pdf", "values": {}, "to": "done.pdf"}, "form.pdf", "t"),
]


class OfTools(unittest.TestCase):
    def test_a_tool_is_known_by_its_name_and_by_what_names_the_file_that_it_makes(self) -> None:
        for tool, given, path, wanted in TOOLS:
            with self.subTest(f"{tool} {given} {path}"):
                steps = steps_of(step_line(1, tool, **given), paths=(*PATHS, "stock.xlsx"))
                uses = (("R", steps.reads_of), ("W", steps.writes_to), ("t", steps.touching))
                found = "".join(letter for letter, narrowed in uses if narrowed(path))
                self.assertEqual(found, wanted)


class OfCommands(unittest.TestCase):
    def test_a_command_is_read_for_what_it_does_with_a_path(self) -> None:
        for command, path, wanted in COMMANDS:
            with self.subTest(command):
                steps = steps_of(step_line(1, "run_command", command=command), paths=PATHS)
                found = [
                    letter
                    for letter, narrowed in (
                        ("R", steps.reads_of(path)),
                        ("W", steps.writes_to(path)),
                        ("V", steps.last_write_to(path) and steps.reads_after_last_write(path)),
                        ("t", steps.touching(path)),
                    )
                    if narrowed
                ]
                self.assertEqual("".join(found), wanted)

    def test_a_command_that_broke_down_shows_nothing(self) -> None:
        def line(code: int | None) -> Steps:
            given = {"command": "cat updates.txt", "structured": {"exitCode": code}}
            return steps_of(step_line(1, "run_command", **given))

        self.assertFalse(line(127).reads_of(UPDATES))
        self.assertFalse(line(137).reads_of(UPDATES))
        self.assertTrue(line(0).reads_of(UPDATES))
        self.assertTrue(line(None).reads_of(UPDATES))

    def test_a_script_that_was_written_before_stands_for_what_it_names(self) -> None:
        body = "import docx\ndocx.Document('reports/delivery.docx')\nopen('updates.txt', 'w')"
        written = step_line(
            1, "write_file", path="/workspace/make.py", content=body, server="filesystem"
        )
        run = step_line(2, "run_command", command="python3 make.py")
        self.assertFalse(steps_of(written).reads_of(DELIVERY))
        self.assertEqual([s.number for s in steps_of(written, run).reads_of(DELIVERY)], [2])
        self.assertEqual([s.number for s in steps_of(written, run).writes_to(UPDATES)], [2])
        heredoc = step_line(1, "run_command", command=f"cat > make.py <<'X'\n{body}\nX")
        self.assertEqual([s.number for s in steps_of(heredoc, run).reads_of(DELIVERY)], [2])

    def test_a_crafted_command_is_read_to_its_end(self) -> None:
        for evil in ("$(" * 5000, "(" * 9000, '"`' * 5000, "<<A\n" * 2000, "{a,b}" * 500,
                     "'" * 99_999, "$x/" * 30_000, "/" * 99_999, "a" * 150_000,
                     "| while read x " * 500):  # fmt: skip
            steps = steps_of(step_line(1, "run_command", command=f"cat {evil} updates.txt"))
            steps.reads_of(UPDATES)

    def test_calls_that_would_take_hours_to_judge_fail_the_criterion(self) -> None:
        long = [
            "read a|" * 28_000,
            "find a|" * 28_000,
            " ".join(f"*{number}*t*t*s*/*p*e*" for number in range(8_000)),
            "$(" * 99_000,
            "cat > s.sh <<E\n" + "bash s.sh s.sh s.sh\n" * 9_000 + "E\n" + "bash s.sh;" * 9_000,
            "cat > s.py <<E\n" + "#" * 900_000 + "\nE\n" + "python3 s.py;" * 9_000,
        ]
        for command in long:
            steps = steps_of(step_line(1, "run_command", command=command), paths=PATHS)
            with self.subTest(command[:20]), self.assertRaises(Failed):
                for _ in range(3):
                    steps.writes_to(UPDATES)
                    steps = steps_of(
                        *(
                            step_line(number, "run_command", command=f"{command} {number}")
                            for number in range(1, 30)
                        ),
                        paths=PATHS,
                    )

    def test_words_of_braces_and_stars_are_counted_before_they_take_minutes(self) -> None:
        words = " ".join(f"'{('{a,b}*' * 600)[:4080]}{n}'" for n in range(40))
        opened = " ".join("'{" + "," * 4000 + f"{n}'" for n in range(40))
        crafted = step_line(1, "run_command", command=f"cat {words}")
        with self.assertRaises(Unreadable):
            steps_of(crafted, paths=("a/b/u.txt",)).reads_of("a/b/u.txt")
        for command in (f"cat {opened}", f"cat '{'**/' * 1300}x'"):
            steps = steps_of(step_line(1, "run_command", command=command), paths=("a/b/u.txt",))
            self.assertFalse(steps.reads_of("a/b/u.txt"))

    def test_a_word_that_could_be_the_file_for_all_that_is_known_was_written_to(self) -> None:
        for command, writes in (
            ("f=upd; cat > /workspace/${f}ates.txt <<E\nADD\nE", True),
            ("printf x > $OUT", True),
            ("cp list.txt /workspace/upd*.txt; cp list.txt $(ls | head -1)", True),
            ("OUT=/tmp/x; printf x > $OUT", False),
            ("for f in a.docx b.docx; do pandoc $f > scratch/$f.txt; done", False),
            ("printf x > scratch/$NAME.txt", False),
        ):
            with self.subTest(command):
                steps = steps_of(step_line(1, "run_command", command=command))
                self.assertEqual(bool(steps.writes_to("updates.txt")), writes)

    def test_a_call_whose_end_nobody_saw_may_have_written_and_has_shown_nothing(self) -> None:
        command = "sort -o updates.txt updates.txt; cat updates.txt"
        for outcome in ("timeout", "cancelled", "upstream_lost", "interrupted", "tool_error"):
            steps = steps_of(step_line(1, "run_command", command=command, outcome=outcome))
            self.assertEqual(bool(steps.writes_to("updates.txt")), outcome != "tool_error")
            self.assertFalse(steps.reads_of("updates.txt"))
        cut = {**step_line(1, "run_command", command=command), "truncated": {"from": 9, "to": 1}}
        late = step_line(1, "run_command", command=command, structured={"timedOut": True})
        for line in (cut, late):
            self.assertFalse(steps_of(line).reads_of("updates.txt"))
            self.assertTrue(steps_of(line).writes_to("updates.txt"))

    def test_a_long_argument_is_no_path_and_costs_nothing(self) -> None:
        line = step_line(1, "read_file", path="/" * 3_000_000)
        self.assertFalse(steps_of(line, paths=PATHS).reads_of(UPDATES))

    def test_a_script_is_taken_apart_as_a_shell_would(self) -> None:
        found = commands("A=1 sudo -u x 'my prog' \"a $B\" c\\ d >out 2>>err <in # no\nnext|last")
        self.assertEqual([command.program for command in found][1:], ["next", "last"])
        first, second, third = found
        self.assertEqual(first.outputs, ["out", "err"])
        self.assertEqual(first.inputs, ["in"])
        self.assertEqual(first.words[-3:], ["my prog", "a $B", "c d"])
        self.assertEqual(second.pipeline, third.pipeline)
        self.assertNotEqual(first.pipeline, second.pipeline)


class OfFileTools(unittest.TestCase):
    def setUp(self) -> None:
        self.steps = steps_of(
            step_line(1, "read_text_file", path="/workspace/updates.txt", outcome="tool_error"),
            step_line(2, "write_file", path="updates.txt", content="read reports/delivery.docx"),
            step_line(3, "get_file_info", path="/workspace/reports/delivery.docx"),
            step_line(
                4, "read_multiple_files", paths=["reports/damage.pdf", "/workspace/x"], overlaps=[5]
            ),
            step_line(5, "read_text_file", path="/workspace/updates.txt", overlaps=[4]),
            step_line(6, "move_file", source="/workspace/a", destination="/workspace/old/note.txt"),
            paths=PATHS,
        )

    def numbers(self, steps: Steps) -> list[int]:
        return [step.number for step in steps]

    def test_a_call_that_failed_showed_nothing(self) -> None:
        self.assertEqual(self.numbers(self.steps.reads_of(UPDATES)), [5])
        self.assertEqual(self.numbers(self.steps.touching(UPDATES)), [2, 5])
        self.assertEqual(self.numbers(self.steps.touching(UPDATES, ok=None)), [1, 2, 5])

    def test_what_a_written_text_names_was_not_read(self) -> None:
        self.assertFalse(self.steps.reads_of(DELIVERY))

    def test_looking_at_ones_work_comes_after_the_last_write(self) -> None:
        self.assertEqual(self.steps.last_write_to(UPDATES), self.steps[1])
        self.assertEqual(self.numbers(self.steps.reads_after_last_write(UPDATES)), [5])
        self.assertEqual(self.numbers(self.steps.writes_to("old/note.txt")), [6])
        self.assertFalse(self.steps.reads_after_last_write("reports/damage.pdf"))

    def test_what_overlaps_is_neither_before_nor_after(self) -> None:
        self.assertEqual(self.numbers(self.steps.after(self.steps[3])), [6])
        self.assertEqual(self.numbers(self.steps.before(self.steps[4])), [1, 2, 3])
        self.assertFalse(self.steps.after(None))

    def test_calls_are_narrowed_by_tool_server_and_outcome(self) -> None:
        self.assertEqual(self.numbers(self.steps.calls("read_text_file")), [5])
        self.assertEqual(
            self.numbers(self.steps.calls(("read_text_file", "move_file"), ok=None)), [1, 5, 6]
        )
        self.assertEqual(self.numbers(self.steps.calls(ok=False)), [1])
        self.assertFalse(self.steps.calls(server="elsewhere"))
        self.assertIsInstance(self.steps[1:3], Steps)


class OfResults(unittest.TestCase):
    def test_showing_finds_what_a_result_held(self) -> None:
        steps = steps_of(
            step_line(1, "run_command", command="x", text="Ref. DL-2026\n  031 ok"),
            step_line(2, "run_command", command="x", text="DL-2026 031", outcome="timeout"),
        )
        self.assertEqual([step.number for step in steps.showing("DL-2026 031")], [1])

    def test_steps_come_in_the_order_of_asking_with_all_fields(self) -> None:
        line = step_line(7, "t", exposed="s__t", structured={"a": 1}, text="hi", x=[1])
        line["result"]["content"].append({"type": "image", "data": "…"})
        [step] = steps_of(line)
        self.assertEqual((step.number, step.call_id, step.exposed_name), (7, "r0-7", "s__t"))
        self.assertEqual((step.text, step.structured, step.argument("x")), ("hi", {"a": 1}, [1]))
        self.assertEqual(step.at.tzinfo is not None, True)
        lost = steps_of({**line, "result": None, "outcome": "upstream_lost"})[0]
        self.assertEqual((lost.text, lost.structured, lost.ok), ("", None, False))

    def test_a_number_of_very_many_digits_is_read(self) -> None:
        line = json.dumps(step_line(1, "add", amount=0)).replace(
            '"amount": 0', f'"amount": {"9" * 5000}'
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "steps.jsonl")
            path.write_text(line + "\n")
            self.assertEqual(Steps.load(path)[0].argument("amount"), float("inf"))
