"""A captured run as mutants are made from it: its files before and after, its calls, its answer."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

#: Folder of the run's root: what stands before and after, and the names that people see.
TREES = {"after": ("before", "workspace"), "state-after": ("state-before", "state")}
READ_LIMIT = 32 * 1024 * 1024
#: By tree and path (``after``, ``a/b.txt``); None for one that is removed.
Files = dict[tuple[str, str], bytes | None]


@dataclass(frozen=True)
class Odd:
    """What stands at a path that is no file: a "directory", a "link" to somewhere, a "fifo"."""

    kind: str
    target: str = ""


@dataclass(frozen=True)
class Edits:
    """What a mutant changes."""

    files: Files = field(default_factory=dict)
    #: What stands at a path and is no file.
    odd: dict[tuple[str, str], Odd] = field(default_factory=dict)
    #: The calls instead of those that were made.
    steps: list[dict[str, Any]] | None = None
    #: The agent's answer instead of the one that it gave.
    answer: str | None = None


class Ground:
    """A run below ``root``, read-only, laid out as graders find it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[str, dict[str, dict[str, Any]]] = {}
        self._bytes: dict[tuple[str, str], bytes] = {}

    def entries(self, tree: str) -> dict[str, dict[str, Any]]:
        """All entries of a snapshot by path; none if the run has no such tree."""
        if tree not in self._entries:
            self._entries[tree] = {each["path"]: each for each in self._snapshot(tree)["entries"]}
        return self._entries[tree]

    def skipped(self, tree: str) -> list[dict[str, Any]]:
        """What a snapshot could not carry."""
        return list(self._snapshot(tree).get("skipped", []))

    def _snapshot(self, tree: str) -> dict[str, Any]:
        path = self.root / f"{tree}.json"
        if not path.exists():
            return {"entries": []}
        return dict(json.loads(path.read_text("utf-8")))

    def files(self, tree: str) -> list[str]:
        """Paths of all regular files, in the snapshot's order."""
        return [path for path, each in self.entries(tree).items() if each["type"] == "file"]

    def read(self, tree: str, path: str) -> bytes:
        """The content of a file; empty for one that is too large to be mutated."""
        key = (tree, path)
        if key not in self._bytes:
            entry = self.entries(tree)[path]
            large = entry["size"] > READ_LIMIT
            self._bytes[key] = b"" if large else (self.root / tree / path).read_bytes()
        return self._bytes[key]

    def before(self, tree: str, path: str) -> bytes | None:
        """What stood at the path of an after-tree in the beginning; None if nothing did."""
        old = TREES[tree][0]
        entry = self.entries(old).get(path)
        return self.read(old, path) if entry and entry["type"] == "file" else None

    def changed(self, tree: str) -> list[str]:
        """Files of an after-tree that are new or other than in the beginning."""
        old = self.entries(TREES[tree][0])
        return [
            path
            for path in self.files(tree)
            if old.get(path, {}).get("sha256") != self.entries(tree)[path]["sha256"]
        ]

    def unchanged(self, tree: str) -> list[str]:
        """Files of an after-tree that are as they were."""
        changed = set(self.changed(tree))
        return [path for path in self.files(tree) if path not in changed]

    def removed(self, tree: str) -> list[str]:
        """Files of the beginning that are not there any more."""
        return [p for p in self.files(TREES[tree][0]) if p not in self.entries(tree)]

    def place(self, tree: str, path: str) -> str:
        """The path as people see it: ``workspace/a/b.txt``."""
        return f"{TREES[tree][1]}/{path}"

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """The calls, in the order in which they were asked for."""
        text = (self.root / "steps.jsonl").read_text("utf-8")
        steps = [json.loads(line) for line in text.split("\n") if line.strip()]
        return sorted(steps, key=lambda step: step["step"])

    @cached_property
    def context(self) -> dict[str, Any]:
        """What the grader is told of the run's surroundings."""
        context: dict[str, Any] = json.loads((self.root / "context.json").read_text("utf-8"))
        return context

    @cached_property
    def expected(self) -> Any:
        """What the generator returned."""
        path = self.root / "expected.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    @cached_property
    def people(self) -> dict[str, Any]:
        """people.json of the services' state; empty without one."""
        if "people/people.json" not in self.entries("state-after"):
            return {}
        try:
            data = json.loads(self.read("state-after", "people/people.json"))
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    @property
    def me(self) -> str:
        """The address of whom the agent acts for; empty if nobody says."""
        return str(self.people.get("me", "")).lower()

    @property
    def addresses(self) -> list[str]:
        """Addresses of all people, rooms not among them, sorted."""
        found = self.people.get("people")
        people = found if isinstance(found, list) else []
        kinds = ("person", None)
        return sorted(
            str(each["email"]).lower()
            for each in people
            if isinstance(each, dict) and each.get("kind") in kinds and each.get("email")
        )


def parents(path: str) -> list[str]:
    """The folders above a path, outermost first."""
    found: list[str] = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found[::-1]
