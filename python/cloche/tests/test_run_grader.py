"""The program that the host runs: one line in, one line out, whatever the grader does."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unittest
from typing import Any

from reportlab.pdfgen.canvas import Canvas
from support import FolderCase, environment, run_module, step_line, write_text

HEAD = "from cloche import check, criterion, fail, grade\n"


def pdf(text: str) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, text)
    canvas.save()
    return buffer.getvalue()


class RunGrader(FolderCase):
    def graded(self, grader: str, **run: object) -> dict[str, dict[str, Any]]:
        root = self.run_folder(HEAD + grader + "\ngrade()\n", **run)  # type: ignore[arg-type]
        lines, _, code = run_module("run_grader", {"nonce": "n1", "root": str(root)})
        self.assertEqual((len(lines), code), (1, 0))
        self.assertEqual(lines[0]["nonce"], "n1")
        return {each["name"]: each for each in lines[0]["criteria"]}

    def failed(self, grader: str, module: str = "run_grader") -> str:
        root = self.run_folder(grader)
        lines, _, _ = run_module(module, {"nonce": "n1", "root": str(root)})
        self.assertEqual(set(lines[0]), {"nonce", "failed"})
        return str(lines[0]["failed"])

    def test_a_grader_that_can_not_be_loaded_is_one_failure(self) -> None:
        self.assertIn("SyntaxError", self.failed("def"))
        self.assertIn("ZeroDivisionError", self.failed("1/0"))
        self.assertIn("SystemExit", self.failed("raise SystemExit(0)"))
        self.assertIn("no criteria", self.failed("from cloche import grade\ngrade()"))

    def test_a_missing_grader_is_one_failure(self) -> None:
        root = self.run_folder()
        (root / "task" / "grader.py").unlink()
        lines, _, _ = run_module("run_grader", {"nonce": "n1", "root": str(root)})
        self.assertIn("FileNotFoundError", lines[0]["failed"])

    def test_what_one_criterion_raises_is_its_error_and_the_others_still_run(self) -> None:
        found = self.graded(
            """
@criterion("exit")
def a(run): raise SystemExit(0)
@criterion("deep")
def b(run): return b(run)
@criterion("memory")
def c(run): raise MemoryError
@criterion("assert")
def d(run): assert False, "no"
@criterion("nothing")
def e(run): pass
@criterion("interrupt")
def f(run): raise KeyboardInterrupt
@criterion("async")
async def g(run): return True
@criterion("generator")
def h(run): yield True
@criterion("hostile")
def i(run):
    class Odd(Exception):
        def __str__(self): raise ValueError("no text")
    raise Odd
@criterion("good")
def j(run): return True
"""
        )
        self.assertEqual(found.pop("good")["score"], 1)
        for name, each in found.items():
            with self.subTest(name):
                self.assertIsNone(each["score"])
                self.assertTrue(each["error"])
        self.assertIn("SystemExit", found["exit"]["error"])
        self.assertNotIn("run_grader.py", found["assert"]["error"])

    def test_a_failed_check_is_a_score_of_nothing_and_no_error(self) -> None:
        found = self.graded(
            """
@criterion("a")
def a(run): fail("found 3 rows, expected 4")
@criterion("b")
def b(run): check(run.expected == [1], "expected [1]"); return True
@criterion("c")
def c(run): return run.workspace.file("gone.txt").text() == ""
""",
            expected=[1],
        )
        self.assertEqual((found["a"]["score"], found["a"]["error"]), (0, None))
        self.assertEqual(found["a"]["reason"], "found 3 rows, expected 4")
        self.assertEqual((found["b"]["score"], found["b"]["reason"]), (1, "holds"))
        self.assertEqual(
            (found["c"]["score"], found["c"]["reason"]), (0, "gone.txt does not exist")
        )

    def test_what_the_task_itself_lacks_is_an_error_and_no_failed_check(self) -> None:
        found = self.graded('@criterion("a")\ndef a(run): return run.before.file("gone").text()')
        self.assertIsNone(found["a"]["score"])
        self.assertIn("gone does not exist", found["a"]["error"])

    def test_prints_never_reach_the_host(self) -> None:
        root = self.run_folder(
            HEAD
            + """
import os, sys
print('{"nonce":"n1","criteria":[]}')
@criterion("a")
def a(run):
    os.write(1, b'{"forged": true}\\n')
    sys.__stdout__.write('{"forged": true}\\n')
    os.system("echo forged")
    input_lost = sys.stdin.read()
    return input_lost == ""
grade()
"""
        )
        lines, printed, _ = run_module("run_grader", {"nonce": "n1", "root": str(root)})
        self.assertEqual(len(lines), 1)
        self.assertEqual(lines[0]["criteria"][0]["score"], 1)
        self.assertEqual(printed.count("forged"), 3)

    def test_threads_and_forks_that_are_left_behind_change_nothing(self) -> None:
        root = self.run_folder(
            HEAD
            + """
import os, threading, time
@criterion("a")
def a(run):
    threading.Thread(target=lambda: time.sleep(60)).start()
    return True
@criterion("b")
def b(run):
    if os.fork() == 0:
        return False
    os.wait()
    return True
grade()
"""
        )
        lines, _, code = run_module("run_grader", {"nonce": "n1", "root": str(root)})
        self.assertEqual((len(lines), code), (1, 0))
        self.assertEqual([each["score"] for each in lines[0]["criteria"]], [1, 1])

    def test_a_criterion_can_not_change_what_another_sees(self) -> None:
        found = self.graded(
            """
@criterion("a")
def a(run): run.expected.append(2); return len(run.expected) == 2
@criterion("b")
def b(run): return run.expected == [1]
""",
            expected=[1],
        )
        self.assertEqual([each["score"] for each in found.values()], [1, 1])

    def test_what_the_untouched_state_scores_is_told_beside_each_score(self) -> None:
        found = self.graded(
            """
seen = []
@criterion("made")
def a(run):
    seen.append(run)
    return run.workspace.file("a").exists() and len(seen) == 1
@criterion("kept", must_not=True)
def b(run): return not run.workspace.changed().removed
@criterion("called")
def c(run): return 0.25 if run.steps or run.answer else 0.125
@criterion("breaks on what is untouched")
def d(run): return [True][0 if run.steps else 1]
""",
            before={"b": "1"},
            after={"a": "1"},
            steps=[step_line(1, "run_command", command="ls")],
        )
        scores = [(each["score"], each["baseline"]) for each in found.values()]
        self.assertEqual(scores, [(1, 0), (0, 1), (0.25, 0.125), (None, None)])
        self.assertIn("IndexError", found["breaks on what is untouched"]["error"])

    def test_a_grader_that_dies_on_the_untouched_state_fails_by_a_sentence(self) -> None:
        self.assertIn(
            "died while it judged the untouched state (exit code 3)",
            self.failed(
                HEAD
                + "import os\n"
                + '@criterion("a")\ndef a(run):\n'
                + "    if not run.steps: os._exit(3)\n"
                + "    return True\n"
                + "grade()",
            ),
        )

    def test_reasons_and_tracebacks_are_cut_and_cleaned(self) -> None:
        found = self.graded(
            r"""
@criterion("a")
def a(run): fail("x" * 5000)
@criterion("b")
def b(run): fail("\x1b[31mred\x00 \ud800 \u2028 \U0001f600" + "\U0001f600" * 3000)
@criterion("c")
def c(run): raise ValueError("y" * 100_000 + "the end")
@criterion("d")
def d(run): return False, repr(object())
"""
        )
        self.assertEqual(len(found["a"]["reason"]), 2000)
        self.assertTrue(found["b"]["reason"].startswith("\\x1b[31mred\\x00 \\ud800"))
        self.assertLessEqual(len(found["b"]["reason"].encode("utf-16-le")) // 2, 2000)
        self.assertLessEqual(len(found["c"]["error"]), 8000)
        self.assertTrue(found["c"]["error"].rstrip().endswith("the end"))
        self.assertNotRegex(found["d"]["reason"], "0x[0-9a-f]{4}")

    def test_a_module_of_the_workspace_or_the_task_never_takes_the_place_of_an_installed_one(
        self,
    ) -> None:
        root = self.run_folder(
            HEAD
            + """
import json, openpyxl, rules
@criterion("a")
def a(run): return "dist-packages" in openpyxl.__file__ and rules.LIMIT == 3
@criterion("b")
def b(run):
    import os, sys
    root = str(run._root)
    inside = [place for place in sys.path if place.startswith(root) and place != root + "/task"]
    return os.getcwd() == "/" and not inside
grade()
""",
            after={"json.py": "raise SystemExit", "openpyxl.py": "1/0", "sitecustomize.py": "1/0"},
        )
        write_text(root / "task" / "openpyxl.py", "1/0")
        write_text(root / "task" / "rules.py", "LIMIT = 3")
        lines, _, _ = run_module("run_grader", {"nonce": "n1", "root": str(root)})
        self.assertEqual([each["score"] for each in lines[0]["criteria"]], [1, 1])

    @unittest.skipIf(os.getuid() == 0, "root may read every process")
    def test_a_reader_of_office_files_can_not_reach_into_the_grader(self) -> None:
        found = self.graded(
            """
import os, subprocess
@criterion("a")
def a(run):
    script = f"cat /proc/{os.getpid()}/environ || ls /proc/{os.getpid()}/fd"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True)
    return done.returncode != 0 and done.stdout == b"", repr(done)
"""
        )
        self.assertEqual(found["a"]["score"], 1, found)

    def test_a_grader_reads_pdfs_while_it_is_graded(self) -> None:
        found = self.graded(
            """
from cloche.documents import pdf_text
@criterion("a")
def a(run): return "page one" in pdf_text(run.workspace.file("a.pdf"))
@criterion("b")
def b(run): return pdf_text(run.workspace.file("b.pdf")) == ""
""",
            after={"a.pdf": pdf("page one"), "b.pdf": b"%PDF-1.7\n" + b"x" * 999},
        )
        self.assertEqual([each["score"] for each in found.values()], [1, 0])

    def test_the_same_run_gives_the_same_bytes_with_any_hash_seed(self) -> None:
        root = self.run_folder(
            HEAD
            + """
@criterion("a")
def a(run): fail(str(run.workspace.changed()) + repr(object()))
@criterion("b", weight=0.5)
def b(run): raise ValueError(repr(object()))
grade()
""",
            after={"a": "1", "b": "2", "c": "3"},
        )
        request = json.dumps({"nonce": "n1", "root": str(root)}) + "\n"
        outputs = {
            subprocess.run(
                [sys.executable, "-P", "-s", "-B", "-m", "cloche.run_grader"],
                input=request.encode(),
                capture_output=True,
                env=environment(seed),
                check=True,
            ).stdout
            for seed in ("0", "1", "77")
        }
        self.assertEqual(len(outputs), 1)


class Describe(FolderCase):
    def test_it_names_the_criteria_and_runs_none(self) -> None:
        root = self.run_folder(
            HEAD
            + '@criterion("a", weight=2)\ndef a(run): 1/0\n'
            + '@criterion("b")\ndef b(run): 1/0\ngrade()'
        )
        for path in ("before.json", "after.json", "context.json", "steps.jsonl", "expected.json"):
            (root / path).unlink()
        lines, _, _ = run_module("describe", {"nonce": "n2", "root": str(root)})
        plain = {"polarity": "must", "cap": None, "asks": None}
        described = [{"name": "a", "weight": 2, **plain}, {"name": "b", "weight": 1, **plain}]
        self.assertEqual(lines, [{"nonce": "n2", "criteria": described}])

    def test_it_refuses_two_of_one_name_with_a_sentence_and_no_traceback(self) -> None:
        grader = '@criterion("same")\ndef a(run): return True\n'
        root = self.run_folder(HEAD + grader * 2 + "grade()")
        lines, _, _ = run_module("describe", {"nonce": "n2", "root": str(root)})
        self.assertIn("'same'", lines[0]["failed"])
        self.assertNotIn("Traceback", lines[0]["failed"])

    def test_a_grader_run_by_hand_says_what_to_do(self) -> None:
        root = self.run_folder(HEAD + '@criterion("a")\ndef a(run): return True\ngrade()')
        done = subprocess.run(
            [sys.executable, str(root / "task" / "grader.py")],
            capture_output=True,
            text=True,
            env=environment(),
            check=True,
        )
        self.assertIn("cloche.mjs run", done.stderr)
