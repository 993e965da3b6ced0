"""The files of a run, as the host sends them behind its first line."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys

from cloche.arrival import Torn, clear, unpack
from support import CONTEXT, FolderCase, environment

GRADER = b"""from cloche import criterion, grade
@criterion("it is there")
def there(run): return run.workspace.file("a/b.txt").text() == "still\\n"
grade()
"""


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


def sent(*entries: tuple[str, bytes | None]) -> bytes:
    parts = []
    for path, content in entries:
        if content is None:
            parts.append(line({"path": path, "mode": 0o2775}))
        else:
            parts.append(line({"path": path, "mode": 0o664, "size": len(content)}) + content)
    return b"".join(parts) + line({"entries": len(entries)})


class Arrival(FolderCase):
    def unpacked(self, data: bytes) -> None:
        unpack(io.BytesIO(data), str(self.folder))

    def test_a_stream_that_is_cut_anywhere_is_torn(self) -> None:
        whole = sent(("a", None), ("a/b.txt", b"still\n"))
        for end in range(len(whole)):
            with self.subTest(end=end), self.assertRaises((Torn, ValueError)):
                self.unpacked(whole[:end])

    def test_a_wrong_count_is_torn(self) -> None:
        with self.assertRaises(Torn):
            self.unpacked(line({"path": "a", "mode": 0o2775}) + line({"entries": 2}))

    def test_bytes_modes_and_times_are_as_sent(self) -> None:
        content = bytes(range(256)) * 4_096
        self.unpacked(sent(("a", None), ("a/b.bin", content), ("a/empty", b"")))
        path = self.folder / "a" / "b.bin"
        self.assertEqual(path.read_bytes(), content)
        self.assertEqual((self.folder / "a" / "empty").read_bytes(), b"")
        self.assertEqual(path.stat().st_mode & 0o7777, 0o664)
        times = {each.stat().st_mtime for each in (path, path.parent)}
        self.assertEqual(times, {315_532_800})

    def test_a_file_that_came_before_is_there_under_its_second_path_too(self) -> None:
        entries = [{"path": "a", "mode": 0o2775}, {"path": "b", "mode": 0o2775}]
        first = {"path": "a/x", "mode": 0o664, "size": 3}
        data = b"".join(map(line, [*entries, first])) + b"abc" + line({"path": "b/x", "as": "a/x"})
        self.unpacked(data + line({"entries": 4}))
        self.assertEqual((self.folder / "b" / "x").read_bytes(), b"abc")
        with self.assertRaises(FileNotFoundError):
            self.unpacked(line({"path": "y", "as": "z"}) + line({"entries": 1}))

    def test_what_a_process_that_died_left_is_replaced_and_no_link_is_followed(self) -> None:
        outside = self.folder / "outside"
        outside.write_text("mine")
        (self.folder / "a").mkdir()
        os.symlink(outside, self.folder / "a" / "b.txt")
        self.unpacked(sent(("a", None), ("a/b.txt", b"new")))
        self.assertEqual((self.folder / "a" / "b.txt").read_text(), "new")
        self.assertEqual(outside.read_text(), "mine")

    def graded(self, data: bytes) -> subprocess.CompletedProcess[bytes]:
        first = line({"nonce": "n1", "root": str(self.folder), "files": True})
        return subprocess.run(
            [sys.executable, "-P", "-s", "-B", "-m", "cloche.run_grader"],
            input=first + data,
            capture_output=True,
            env=environment(),
            timeout=120,
            check=False,
        )

    def test_a_run_that_arrives_whole_is_graded_and_a_torn_one_is_not(self) -> None:
        digest = hashlib.sha256(b"still\n").hexdigest()
        entry = {"type": "file", "path": "a/b.txt", "mode": 0o664, "size": 6, "sha256": digest}
        folder = {"type": "directory", "path": "a", "mode": 0o775}
        snapshot = {"schema": "cloche.snapshot/1", "entries": [folder, entry], "skipped": []}
        text = json.dumps({**snapshot, "bytes": 6}).encode()
        empty = json.dumps({**snapshot, "entries": [], "bytes": 0}).encode()
        began = sent(
            ("before", None),
            ("before.json", empty),
            ("context.json", json.dumps({**CONTEXT, "ending": None, "answer": None}).encode()),
            ("task", None),
            ("task/grader.py", GRADER),
        )
        left = sent(
            ("after", None),
            ("after/a", None),
            ("after/a/b.txt", b"still\n"),
            ("after.json", text),
            ("context.json", json.dumps(CONTEXT).encode()),
            ("steps.jsonl", b""),
        )
        whole = began + left
        done = self.graded(whole)
        self.assertEqual(done.returncode, 0, done.stderr)
        (verdict,) = json.loads(done.stdout)["criteria"]
        self.assertEqual((verdict["score"], verdict["baseline"]), (1, 0), verdict["error"])
        for torn in (self.graded(whole[:-1]), self.graded(began)):
            self.assertEqual(torn.stdout, b"")
            self.assertNotEqual(torn.returncode, 0)
        again = self.graded(whole)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(again.stdout, done.stdout)

    def test_what_a_grader_that_died_left_is_gone_and_nothing_outside_is_touched(self) -> None:
        root = self.folder / "grade"
        (root / "after" / "closed").mkdir(parents=True)
        (root / "after" / "closed" / "b.txt").write_text("old")
        os.symlink(self.folder / "outside", root / "link")
        (self.folder / "outside").mkdir(mode=0o500)
        (root / "after" / "closed").chmod(0o500)
        clear(str(root))
        self.assertEqual(list(root.iterdir()), [])
        self.assertEqual((self.folder / "outside").stat().st_mode & 0o777, 0o500)
