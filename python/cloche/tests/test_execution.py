"""run.execute: what is asked of the host, and what is made of its answer."""

from __future__ import annotations

import base64
import json
import os
import unittest
from typing import Any

from cloche.execution import Executor
from cloche.run import Run
from support import FolderCase


class FakeWire:
    """The host's end, played by the test."""

    def __init__(self, *answers: object) -> None:
        self.said: list[dict[str, Any]] = []
        self.answers = list(answers)

    def write(self, message: dict[str, Any]) -> None:
        self.said.append(json.loads(json.dumps(message)))

    def read(self) -> Any:
        return self.answers.pop(0) if self.answers else None


def answer(**members: object) -> dict[str, Any]:
    said = {"id": 1, "exitCode": 0, "stdout": "", "stderr": "", "cut": False}
    return {"execute": {**said, **members}}


class Execution(FolderCase):
    def test_a_host_that_says_nothing_or_something_else_is_an_error(self) -> None:
        for wire in [FakeWire(), FakeWire({}), FakeWire(answer(id=2)), FakeWire({"execute": 5})]:
            with self.assertRaises(RuntimeError):
                Executor(wire, "n").run(["true"], b"", 1)

    def test_what_the_host_refuses_is_said(self) -> None:
        wire = FakeWire({"execute": {"id": 1, "refused": "too long"}})
        with self.assertRaisesRegex(ValueError, "too long"):
            Executor(wire, "n").run(["true"], b"", 1)

    def test_what_cannot_be_meant_is_not_asked(self) -> None:
        wire = FakeWire()
        wrong: list[tuple[Any, float]] = [("ls", 1), ([], 1), (["ls"], 0), (["ls"], 61)]
        for argv, timeout in wrong:
            with self.assertRaises((TypeError, ValueError)):
                Executor(wire, "n").run(argv, b"", timeout)
        self.assertEqual(wire.said, [])

    def test_outside_of_a_grade_there_is_nobody_to_ask(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "no host"):
            Run(self.folder).execute(["true"])

    def test_the_request_carries_nonce_and_input_and_the_answer_comes_back_as_bytes(self) -> None:
        out = base64.b64encode(b"\xff ok").decode()
        wire = FakeWire(answer(stdout=out, exitCode=3, cut=True), answer(id=2, exitCode=None))
        run = Run(self.folder, Executor(wire, "n"))
        done = run.execute(["python3", str(self.folder / "x")], stdin="é", timeout=0.5)
        self.assertEqual((done.exit_code, done.stdout, done.output), (3, b"\xff ok", "\ufffd ok"))
        self.assertTrue(done.cut)
        self.assertFalse(done.timed_out)
        self.assertTrue(run.execute(["sleep", "9"]).timed_out)
        first = wire.said[0]
        self.assertEqual(first["nonce"], "n")
        asked = first["execute"]
        self.assertEqual(asked["argv"], ["python3", os.fspath(self.folder / "x")])
        self.assertEqual(base64.b64decode(asked["stdin"]), "é".encode())
        self.assertEqual([said["execute"]["id"] for said in wire.said], [1, 2])
        self.assertEqual(asked["timeoutMs"], 500)


if __name__ == "__main__":
    unittest.main()
