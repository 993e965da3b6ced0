"""Workspaces as graders see them."""

from __future__ import annotations

import json
import os
from typing import Any

from cloche import Failed
from cloche.files import FixtureError, Tree, workspace_path
from cloche.globs import matches
from cloche.run import Run
from support import FolderCase


class Reading(FolderCase):
    def tree(self, contents: dict[str, Any], agents_work: bool = True) -> Tree:
        root = self.run_folder(after=contents)
        return Tree.load(root / "after.json", root / "after", agents_work=agents_work)

    def test_a_path_that_leaves_the_workspace_is_refused(self) -> None:
        for path in (
            "..",
            "../x",
            "a/../../x",
            "/etc/passwd",
            "/workspace",
            "/workspace/../x",
            ".",
            "",
        ):
            with self.subTest(path), self.assertRaises(ValueError):
                workspace_path(path)
        self.assertEqual(workspace_path("/workspace/a//b/./c"), "a/b/c")

    def test_what_is_missing_fails_with_its_name(self) -> None:
        tree = self.tree({"d": None, "l": ("->", "/etc/passwd")})
        for path, words in (
            ("x", "does not exist"),
            ("d", "is a directory"),
            ("l", "is a link to '/etc"),
        ):
            for read in ("bytes", "text", "lines"):
                with self.subTest(path, read=read), self.assertRaisesRegex(Failed, words):
                    getattr(tree.file(path), read)()
            self.assertFalse(tree.file(path).exists())
        self.assertTrue(tree.file("l").is_link)
        self.assertEqual(tree.file("l").link_target, "/etc/passwd")

    def test_what_the_fixture_lacks_is_no_failed_check(self) -> None:
        with self.assertRaises(FixtureError):
            self.tree({}, agents_work=False).file("x").text()

    def test_a_link_on_the_graders_disk_is_never_followed(self) -> None:
        tree = self.tree({"a": "x"})
        os.unlink(self.folder / "after" / "a")
        os.symlink("/etc/passwd", self.folder / "after" / "a")
        with self.assertRaises(OSError):
            tree.file("a").bytes()

    def test_a_file_that_is_not_the_snapshots_is_an_error(self) -> None:
        tree = self.tree({"a": "x"})
        (self.folder / "after" / "a").write_text("y")
        with self.assertRaisesRegex(RuntimeError, "not the file of the snapshot"):
            tree.file("a").bytes()

    def test_text_is_decoded_strictly_and_says_where_it_is_not(self) -> None:
        tree = self.tree(
            {"a": b"fine\nb\xe9d\n", "b": b"\xff\xfeh\x00i\x00", "c": b"\xef\xbb\xbfhi"}
        )
        with self.assertRaisesRegex(Failed, "a is not utf-8 text: byte 0xe9 in line 2"):
            tree.file("a").text()
        with self.assertRaisesRegex(Failed, "starts like utf-16"):
            tree.file("b").text()
        self.assertEqual(tree.file("c").text(), "hi")
        self.assertEqual(tree.file("b").text("utf-16"), "hi")

    def test_lines_end_where_editors_end_them(self) -> None:
        tree = self.tree({"a": "one\r\ntwo \n\nfour\u2028same\x0bline\rfive"})
        self.assertEqual(
            tree.file("a").lines(), ["one", "two ", "", "four\u2028same\x0bline", "five"]
        )
        self.assertEqual(len(tree.file("a").lines(strip=True, blank=False)), 4)

    def test_a_file_above_the_limit_fails_unread(self) -> None:
        with self.assertRaisesRegex(Failed, "has 10 bytes; at most 5 are read"):
            self.tree({"a": "0123456789"}).file("a").bytes(limit=5)

    def test_names_with_blanks_and_other_letters_are_found(self) -> None:
        tree = self.tree({"dir/a b é\n.txt": "x"})
        self.assertEqual(tree.files("dir/*")[0].text(), "x")


class Globs(FolderCase):
    def test_stars_stay_in_a_folder_and_double_stars_do_not(self) -> None:
        for path, glob, wanted in (
            ("a.txt", "*.txt", True),
            ("d/a.txt", "*.txt", False),
            ("d/a.txt", "**/*.txt", True),
            ("a.txt", "**/*.txt", True),
            ("d/e/a.txt", "d/**", True),
            ("d", "d/**", False),
            ("d/a", "d?a", False),
            ("a/b", "[a]*", False),
            ("a+b.txt", "a+b.*", True),
            ("x", "**", True),
        ):
            with self.subTest(path, glob=glob):
                self.assertEqual(matches(path, glob), wanted)


class Changed(FolderCase):
    def test_it_tells_added_removed_and_modified_apart(self) -> None:
        root = self.run_folder(
            before={"same": "1", "gone": "2", "edited": "3", "relinked": ("->", "a"), "d": None},
            after={"same": "1", "edited": "4", "new/x": "5", "relinked": ("->", "b"), "new": None},
        )
        changes = Run(root).workspace.changed()
        self.assertEqual(changes.added, ["new/x"])
        self.assertEqual(changes.removed, ["gone"])
        self.assertEqual(changes.modified, ["edited", "relinked"])
        self.assertEqual(changes.outside("new/**", "edited"), ["gone", "relinked"])
        self.assertEqual(Run(root).workspace.changed(directories=True).added, ["new", "new/x"])

    def test_a_file_that_became_a_link_to_its_copy_is_modified(self) -> None:
        root = self.run_folder(before={"a": "1"}, after={"a": ("->", "b"), "b": "1"})
        self.assertEqual(Run(root).workspace.changed().modified, ["a"])

    def test_what_no_snapshot_can_carry_is_a_change_too(self) -> None:
        root = self.run_folder(before={"a": "1", "p": "2"}, after={"a": "1"})
        snapshot = json.loads((root / "after.json").read_text())
        names = (("extra\\xff.txt", "file"), ("p", "fifo"), ("scratch/pipe", "fifo"))
        snapshot["skipped"] = [{"path": path, "type": kind} for path, kind in names]
        (root / "after.json").write_text(json.dumps(snapshot))
        changes = Run(root).workspace.changed()
        self.assertEqual(changes.added, ["extra\\xff.txt", "scratch/pipe"])
        self.assertEqual(changes.removed, ["p"])
        self.assertEqual(changes.outside("scratch/**", "p"), ["extra\\xff.txt"])

    def test_an_untouched_workspace_has_no_changes(self) -> None:
        root = self.run_folder(before={"a": "1"}, after={"a": "1"})
        self.assertFalse(Run(root).workspace.changed())


class Context(FolderCase):
    def test_the_clock_is_the_tasks_and_knows_its_zone(self) -> None:
        run = Run(self.run_folder())
        self.assertEqual(run.context.now.isoformat(), "2026-03-02T09:00:00+00:00")
        self.assertEqual((run.answer, run.context.ending.kind), ("done", "submitted"))

    def test_a_task_without_a_generator_expects_none(self) -> None:
        root = self.run_folder()
        (root / "expected.json").unlink()
        self.assertIsNone(Run(root).expected)
