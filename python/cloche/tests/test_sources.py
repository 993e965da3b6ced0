"""What is told of a task's sources by their syntax."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import cloche

PROGRAM = Path(cloche.__file__).with_name("sources.py")
CRITERION = "@criterion('right')\ndef right(run): return True\n"
HEAD = f"from cloche import criterion, grade\n{CRITERION}"
NO_GRADE = "never calls grade(); make it the last line"
NO_CRITERIA = "defines no criteria; decorate functions with @criterion"


def told(**sources: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(PROGRAM)],
        input=json.dumps({f"{name}.py": text for name, text in sources.items()}),
        capture_output=True,
        text=True,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


class Graders(unittest.TestCase):
    def test_one_that_never_calls_grade_lacks_it(self) -> None:
        for end in (
            "",
            "end = grade",  # What may be a call in disguise is taken for one.
            "later = lambda: grade()\n",
            "def end():\n    grade()\n",
            "if __name__ == '__main__':\n    grade()\n",
            "if False:\n    grade()\n",
            "class End:\n    def now(self):\n        grade()\n",
        ):
            with self.subTest(end):
                lacks = [] if "=" in end.split("==")[0] else [NO_GRADE]
                self.assertEqual(told(grader=HEAD + end)["grader"], lacks)
        own = "from cloche import criterion\ndef grade(): pass\n" + CRITERION + "grade()\n"
        self.assertEqual(told(grader=own)["grader"], [NO_GRADE])
        self.assertEqual(told(grader="# grade()\n")["grader"], [NO_CRITERIA, NO_GRADE])

    def test_one_that_calls_it_in_a_way_of_its_own_lacks_nothing(self) -> None:
        for text in (
            HEAD + "grade()\n",
            HEAD.replace("grade", "grade as end") + "end()\n",
            "import cloche\n" + CRITERION.replace("@", "@cloche.") + "cloche.grade()\n",
            "import cloche as c\n" + CRITERION.replace("@", "@c.") + "c.grade()\n",
            "from cloche import *\n" + CRITERION + "grade()\n",
            HEAD + "def end():\n    grade()\nend()\n",
            HEAD + "end = grade\nend()\n",
            HEAD + "if True:\n    grade()\nelse:\n    pass\n",
            HEAD + "class End:\n    def now(self):\n        grade()\nEnd().now()\n",
        ):
            with self.subTest(text):
                self.assertEqual(told(grader=text)["grader"], [])

    def test_modules_beside_it_may_do_it(self) -> None:
        shared = "from cloche import criterion, grade\ndef end():\n    grade()\n"
        for first in ("from shared import *\n", "from shared import criterion, end\n"):
            text = f"{first}{CRITERION}"
            self.assertEqual(told(grader=f"{text}end()\n", shared=shared)["grader"], [])
            self.assertEqual(told(grader=text, shared=shared)["grader"], [NO_GRADE])
        whole = "import shared\nshared.end()\n"
        self.assertEqual(told(grader=whole, shared=shared + CRITERION)["grader"], [])

    def test_of_one_that_is_no_python_only_that_is_told(self) -> None:
        found = told(grader="def\n", generate="variant.variables['a'] = 1\n")
        self.assertEqual([each["path"] for each in found["mistakes"]], ["grader.py"])
        self.assertEqual(found["grader"], [])
        self.assertEqual(found["variables"]["names"], ["a"])


class Variables(unittest.TestCase):
    def test_names_that_are_written_out_are_all_there_are(self) -> None:
        text = """
def generate(variant):
    variant.variables["a"] = 1
    variant.variables.update({"b": 2}, c=3)
    variant.variables |= dict(d=4)
    variant.variables.setdefault("e", variant.variables["nowhere"])
"""
        found = told(generate=text, grader="x.variables['z'] = 1")["variables"]
        self.assertEqual((found["names"], found["sure"]), (["a", "b", "c", "d", "e"], True))
        found = told(generate="def generate(v): v.variables = {'a': 1}")["variables"]
        self.assertEqual((found["names"], found["sure"]), (["a"], True))

    def test_names_that_are_made_at_run_are_not_known(self) -> None:
        for line in (
            "for name in ('a', 'b'): v.variables[name] = 1",
            "v.variables.update(found)",
            "v.variables |= {**found}",
            "held = v.variables",
            "fill(v.variables)",
        ):
            with self.subTest(line):
                self.assertFalse(told(generate=f"def generate(v): \n  {line}")["variables"]["sure"])
        self.assertIsNone(told(generate="def")["variables"])


if __name__ == "__main__":
    unittest.main()
