"""What the tests build runs of: files, snapshots, steps, and programs of the package."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cloche
from cloche.files import File
from cloche.snapshots import Entry
from cloche.steps import Step, Steps

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONTEXT = {
    "task": "library/example",
    "variant": 3,
    "now": "2026-03-02T09:00:00Z",
    "ending": {"kind": "submitted", "answer": "done"},
    "answer": "done",
    "instruction": "Write updates.txt.",
}


class FolderCase(unittest.TestCase):
    """A test with an empty folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name: str, content: bytes | str, agents_work: bool = True) -> File:
        """A file of the workspace with this content."""
        data = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        return File(name, Entry(name, "file", 0o644, len(data), digest), path, agents_work)

    def workbook_file(self, workbook: Any, name: str = "book.xlsx") -> File:
        """An openpyxl workbook as a file of the workspace."""
        buffer = io.BytesIO()
        workbook.save(buffer)
        return self.file(name, buffer.getvalue())

    def run_folder(
        self,
        grader: str = "",
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
        steps: list[dict[str, Any]] | None = None,
        expected: Any = None,
    ) -> Path:
        """A folder as the host fills it: bytes, text, None for a directory, ("->", target)."""
        write_text(self.folder / "task" / "grader.py", grader)
        write_text(self.folder / "context.json", json.dumps(CONTEXT))
        write_text(self.folder / "expected.json", json.dumps(expected))
        write_text(
            self.folder / "steps.jsonl", "".join(json.dumps(step) + "\n" for step in steps or [])
        )
        write_tree(self.folder, "before", before or {})
        write_tree(self.folder, "after", after or {})
        return self.folder


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_tree(folder: Path, name: str, contents: dict[str, Any]) -> None:
    """A snapshot and the files that belong to it. Links are only in the snapshot."""
    entries: list[dict[str, Any]] = []
    (folder / name).mkdir(parents=True, exist_ok=True)
    for path, content in sorted(contents.items()):
        if content is None:
            (folder / name / path).mkdir(parents=True, exist_ok=True)
            entries.append({"type": "directory", "path": path, "mode": 0o755})
        elif isinstance(content, tuple):
            entries.append({"type": "link", "path": path, "target": content[1]})
        else:
            data = content.encode() if isinstance(content, str) else content
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            entries.append(
                {"type": "file", "path": path, "mode": 0o644, "size": len(data), "sha256": digest}
            )
    snapshot = {"schema": "cloche.snapshot/1", "entries": entries, "bytes": 0, "skipped": []}
    write_text(folder / f"{name}.json", json.dumps(snapshot))


def step_line(number: int, tool: str, **given: Any) -> dict[str, Any]:
    """A line of steps.jsonl; ``given`` are arguments, except the names listed here."""
    text = given.pop("text", "")
    structured = given.pop("structured", None)
    return {
        "step": number,
        "callId": f"r0-{number}",
        "server": given.pop("server", "terminal"),
        "tool": tool,
        "exposedName": given.pop("exposed", tool),
        "outcome": given.pop("outcome", "ok"),
        "overlaps": given.pop("overlaps", []),
        "arguments": given,
        "result": {"content": [{"type": "text", "text": text}], "structuredContent": structured},
        "error": None,
        "truncated": None,
        "at": "2026-03-02T09:00:00.000Z",
        "queueMs": 0,
        "upstreamMs": 1.5,
        "proxyMs": 0.1,
        "wire": [number, number],
        "previous": "0" * 64,
    }


def steps_of(*lines: dict[str, Any], paths: tuple[str, ...] = ()) -> Steps:
    """Steps as a Run has them."""
    return Steps((Step.from_json(line) for line in lines), paths)


def run_module(
    module: str, *lines: Any, seed: str = "0", more: bytes = b""
) -> tuple[list[Any], str, int]:
    """Runs a program of the package as the host does: its lines, its stderr, its exit code.

    ``more`` is what comes behind the lines that go in.
    """
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-B", "-m", f"cloche.{module}"],
        input="".join(json.dumps(line) + "\n" for line in lines).encode() + more,
        capture_output=True,
        env=environment(seed),
        timeout=120,
        check=False,
    )
    printed = done.stderr.decode("utf-8", "replace")
    return [json.loads(line) for line in done.stdout.splitlines()], printed, done.returncode


def environment(seed: str = "0") -> dict[str, str]:
    """What the host sets, and where this package lies."""
    place = os.path.dirname(os.path.dirname(cloche.__file__))
    return {"PYTHONHASHSEED": seed, "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONPATH": place}
