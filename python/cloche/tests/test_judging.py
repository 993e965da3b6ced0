"""What breaks a criterion while it looks at the agent's work costs that criterion, and no other."""

from __future__ import annotations

import shutil
import unittest
from typing import Any

from support import FolderCase, run_module, step_line

HEAD = "import os, signal, sys, time\nfrom cloche import check, criterion, fail, grade\n"
#: What is done where the agent made a file, and how the reason tells of it.
BREAKS = {
    "raise": ("raise ValueError('an odd cell')", "raised ValueError: an odd cell"),
    "exit": ("raise SystemExit(0)", "raised SystemExit"),
    "bad score": ("return float('nan')", "raised ValueError: the criterion returned nan"),
    "deep": ("f = lambda n: f(n + 1); f(0)", "RecursionError"),
    "hang": ("while True: pass", "took longer than its share of the grader's time"),
    "leave": ("os._exit(0)", "ended with its process (exit code 0)"),
    "kill": ("os.kill(os.getpid(), 9)", "ended with its process (SIGKILL"),
    "crash": ("import ctypes; ctypes.string_at(0)", "ended with its process (SIGSEGV)"),
    "fill": ("x = [bytes(1 << 20) for _ in range(4096)]", "raised MemoryError"),
    "close": ("os.closerange(3, 256)", "ended with its process"),
}


class Breaking(FolderCase):
    def graded(self, grader: str, seconds: float = 8, **run: Any) -> dict[str, dict[str, Any]]:
        root = self.run_folder(HEAD + grader + "\ngrade()\n", **run)
        request = {"nonce": "n1", "root": str(root), "seconds": seconds}
        lines, printed, code = run_module("run_grader", request)
        self.assertEqual((len(lines), code), (1, 0), printed)
        self.assertIn("criteria", lines[0])
        return {each["name"]: each for each in lines[0]["criteria"]}

    def test_each_way_to_break_a_criterion_scores_it_0_and_leaves_the_others(self) -> None:
        criteria = "".join(
            f"""
@criterion({way!r})
def breaks(run):
    if run.workspace.file("made.txt").exists():
        {code}
    return False
@criterion("beside " + {way!r})
def good(run): return run.workspace.file("made.txt").text() == "1"
"""
            for way, (code, _) in BREAKS.items()
        )
        found = self.graded(criteria, seconds=16, after={"made.txt": "1"})
        for way, (_, words) in BREAKS.items():
            with self.subTest(way):
                broken, other = found[way], found[f"beside {way}"]
                self.assertEqual((broken["score"], broken["unreadable"]), (0, True))
                self.assertIn("what the agent left can't be judged: ", broken["reason"])
                self.assertIn(words, broken["reason"])
                self.assertTrue(broken["error"])
                self.assertEqual((other["score"], other["unreadable"]), (1, False), other)

    def test_several_that_hang_leave_the_rest_of_a_grade(self) -> None:
        hangs = "".join(
            f'@criterion("hangs {n}")\ndef h{n}(run):\n'
            "    if run.steps: time.sleep(60)\n    return False\n"
            for n in range(3)
        )
        found = self.graded(
            hangs + '@criterion("judged")\ndef j(run): return bool(run.steps)',
            seconds=4,
            steps=[step_line(1, "run_command", command="ls")],
        )
        self.assertEqual([each["score"] for each in found.values()], [0, 0, 0, 1])

    def test_what_breaks_on_the_untouched_state_has_no_score_whatever_the_agent_does(self) -> None:
        grader = """
@criterion("first call")
def a(run): return run.steps[0].tool == "run_command"
@criterion("other")
def b(run): return bool(run.steps)
"""
        for steps in ([], [step_line(1, "run_command", command="ls")]):
            found = self.graded(grader, steps=steps)
            self.assertIsNone(found["first call"]["score"])
            self.assertIn("IndexError", found["first call"]["error"])
            self.assertFalse(found["first call"]["unreadable"])
            self.assertEqual(found["other"]["score"], 1 if steps else 0)

    def test_memory_that_others_have_taken_is_not_charged_to_a_criterion(self) -> None:
        found = self.graded(
            """
kept = []
@criterion("keeps")
def a(run): kept.append(bytearray(300 << 20)); return bool(run.steps)
@criterion("needs")
def b(run): return len(bytearray(300 << 20)) > 0 and bool(run.steps)
""",
            steps=[step_line(1, "run_command", command="ls")],
        )
        self.assertEqual([each["score"] for each in found.values()], [1, 1], found)

    def test_a_program_to_be_run_fails_a_criterion_where_nothing_was_made(self) -> None:
        root = self.run_folder(
            HEAD
            + '@criterion("runs")\ndef a(run): return run.execute(["true"]).exit_code == 0\ngrade()'
        )
        request = {"nonce": "n1", "root": str(root)}
        answer = {"execute": {"id": 1, "exitCode": 0, "stdout": "", "stderr": "", "cut": False}}
        lines, _, _ = run_module("run_grader", request, answer)
        (runs,) = lines[-1]["criteria"]
        self.assertEqual((runs["score"], runs["baseline"]), (1, 0))

    def test_a_grader_that_its_files_break_while_it_is_loaded_scores_nothing(self) -> None:
        load = """
import json, pathlib
run = pathlib.Path(__file__).parents[1]
made = run / "after" / "made.json"
MADE = json.loads(made.read_text()) if made.exists() else None
@criterion("made")
def a(run): return MADE == 1
@criterion("other")
def b(run): return True
"""
        for content, scores in (("1", [1, 1]), ("]", [0, 0])):
            found = self.streamed(load, content)
            self.assertEqual([each["score"] for each in found], scores, found)
            self.assertEqual([each["unreadable"] for each in found], [not s for s in scores])

    def streamed(self, grader: str, content: str) -> list[dict[str, Any]]:
        """The verdict on a run that comes as the host sends it."""
        from test_arrival import sent

        root = self.run_folder(HEAD + grader + "\ngrade()\n", after={"made.json": content})
        text = {path: (root / path).read_bytes() for path in ("before.json", "context.json")}
        code = (root / "task" / "grader.py").read_bytes()
        began = sent(("before", None), *text.items(), ("task", None), ("task/grader.py", code))
        after = (root / "after.json").read_bytes()
        files = [("after", None), ("after/made.json", content.encode()), ("after.json", after)]
        left = sent(*files, ("context.json", text["context.json"]), ("steps.jsonl", b""))
        place = self.folder / "streamed"
        place.mkdir()
        request = {"nonce": "n1", "root": str(place), "seconds": 20, "files": True}
        lines, printed, _ = run_module("run_grader", request, more=began + left)
        shutil.rmtree(place)
        self.assertIn("criteria", lines[0], printed)
        criteria: list[dict[str, Any]] = lines[0]["criteria"]
        return criteria

    def test_a_grader_that_hangs_where_no_agent_has_been_is_late_as_a_whole(self) -> None:
        root = self.run_folder(
            HEAD + '@criterion("a")\ndef a(run): time.sleep(60)\ngrade()', steps=[]
        )
        request = {"nonce": "n1", "root": str(root), "seconds": 0.5}
        lines, _, _ = run_module("run_grader", request)
        self.assertIn("no answer within 0.5 s on the untouched state", lines[0]["late"])


if __name__ == "__main__":
    unittest.main()
