"""A workspace, or services' state, at one moment: read-only files, links as data, changes."""

from __future__ import annotations

import builtins
import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from .changes import Changes
from .criteria import Failed, Unreadable
from .globs import matches
from .snapshots import Entry, Kind, read_snapshot
from .text import decode, split_lines

#: Where the agent sees its workspace.
WORKSPACE = "/workspace"
READ_LIMIT = 64 * 1024 * 1024


class FixtureError(Exception):
    """Something of the task's own is not as the grader expects: a mistake of the task's author."""


class Tree:
    """All files of a workspace, or of services' state, at one moment. Nothing follows a link."""

    def __init__(
        self,
        entries: dict[str, Entry],
        root: Path,
        *,
        agents_work: bool,
        baseline: Callable[[], Tree] | None = None,
        skipped: Sequence[str] = (),
        place: str = WORKSPACE,
    ) -> None:
        #: Where this tree lay in the sandbox.
        self.place = place
        #: Paths of what was neither file, directory nor link (a socket, a device, …).
        self.skipped = list(skipped)
        self._entries = entries
        self._root = root
        self._agents_work = agents_work
        self._baseline = baseline

    @classmethod
    def load(
        cls,
        snapshot: Path,
        root: Path,
        *,
        agents_work: bool,
        baseline: Callable[[], Tree] | None = None,
        place: str = WORKSPACE,
    ) -> Tree:
        """Reads a snapshot's JSON; the bytes of its files lie under ``root``."""
        known = snapshot.stat()
        entries, skipped = read_snapshot(snapshot, known.st_mtime_ns, known.st_ino)
        return cls(
            entries,
            root,
            agents_work=agents_work,
            baseline=baseline,
            skipped=skipped,
            place=place,
        )

    def within(self, folder: str) -> Tree:
        """What lies below a folder, as a tree of its own whose paths start there; maybe empty."""
        name = workspace_path(folder, self.place)
        head = f"{name}/"
        inner = {path: each for path, each in self._entries.items() if path.startswith(head)}
        baseline = self._baseline
        return Tree(
            {
                path.removeprefix(head): replace(each, path=path.removeprefix(head))
                for path, each in inner.items()
            },
            self._root / name,
            agents_work=self._agents_work,
            baseline=None if baseline is None else lambda: baseline().within(name),
            skipped=[path.removeprefix(head) for path in self.skipped if path.startswith(head)],
            place=f"{self.place}/{name}",
        )

    @property
    def entries(self) -> list[Entry]:
        """Everything in the snapshot, in its order."""
        return list(self._entries.values())

    def file(self, path: str) -> File:
        """The file at a path, relative or from ``/workspace/…`` on; it need not exist."""
        name = workspace_path(path, self.place)
        shown = name if self.place == WORKSPACE else f"{self.place}/{name}"
        return File(name, self._entries.get(name), self._root / name, self._agents_work, shown)

    def files(self, glob: str = "**") -> list[File]:
        """All regular files that match, sorted. ``*`` stays in a folder, ``**`` does not."""
        return [self.file(path) for path in self._matching(glob, "file")]

    def directories(self, glob: str = "**") -> list[str]:
        """Paths of all directories that match, sorted."""
        return list(self._matching(glob, "directory"))

    def links(self, glob: str = "**") -> list[File]:
        """All links that match, sorted; ``link_target`` says where each would lead."""
        return [self.file(path) for path in self._matching(glob, "link")]

    def changed(self, *, modes: bool = False, directories: bool = False) -> Changes:
        """What differs from the files as the agent found them.

        Files and links by content; permissions and directories only if asked for. What no snapshot
        can carry counts too: a pipe, a device, whatever has a name that is not UTF-8 (``skipped``).
        """
        base = self._baseline() if self._baseline else self
        before = base._entries
        strange = set(self.skipped) ^ set(base.skipped)
        kinds = {"file", "link", "directory"} if directories else {"file", "link"}
        old = {path: each for path, each in before.items() if each.kind in kinds}
        new = {path: each for path, each in self._entries.items() if each.kind in kinds}
        return Changes(
            added=sorted({*(new.keys() - old.keys()), *(strange - old.keys())}),
            removed=sorted(old.keys() - new.keys()),
            modified=sorted(
                path
                for path in old.keys() & new.keys()
                if old[path].content != new[path].content
                or (modes and old[path].mode != new[path].mode)
            ),
        )

    def _matching(self, glob: str, kind: Kind) -> Iterator[str]:
        found = (path for path, each in self._entries.items() if each.kind == kind)
        return iter(sorted(path for path in found if matches(path, glob)))


class File:
    """One path of a tree. Reading what is not there fails the criterion, with a reason."""

    def __init__(
        self,
        path: str,
        entry: Entry | None,
        source: Path,
        agents_work: bool,
        shown: str | None = None,
    ) -> None:
        self.path = path
        self._shown = path if shown is None else shown
        self._entry = entry
        self._source = source
        self._agents_work = agents_work

    def exists(self) -> bool:
        """Whether a regular file is here. A directory or a link is none."""
        return self.kind == "file"

    @property
    def kind(self) -> Kind | None:
        """What is here; None for nothing."""
        return self._entry.kind if self._entry else None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path)

    @property
    def is_link(self) -> bool:
        """Whether a link is here."""
        return self.kind == "link"

    @property
    def link_target(self) -> str | None:
        """The text of the link, which nobody followed; None if there is no link."""
        return self._entry.target if self._entry else None

    @property
    def size(self) -> int:
        """In bytes."""
        return self._required().size or 0

    @property
    def sha256(self) -> str:
        """Of the content, 64 hexadecimal letters."""
        return str(self._required().sha256)

    @property
    def mode(self) -> int:
        """Permission bits."""
        return self._required().mode or 0

    def bytes(self, *, limit: int = READ_LIMIT) -> builtins.bytes:
        """The content. A file above ``limit`` bytes fails the criterion."""
        if self.size > limit:
            self.unreadable(f"has {self.size} bytes; at most {limit} are read")
        return self._content

    def text(self, encoding: str = "utf-8", *, limit: int = READ_LIMIT) -> str:
        """The content as text, strictly decoded, without a byte order mark."""
        try:
            return decode(self.bytes(limit=limit), encoding)
        except ValueError as error:
            self.unreadable(str(error))

    def lines(
        self, encoding: str = "utf-8", *, strip: bool = False, blank: bool = True
    ) -> list[str]:
        """The lines without their ends (LF, CRLF or CR; nothing else ends a line).

        ``strip`` takes blanks off both sides; ``blank=False`` leaves empty lines out.
        """
        lines = split_lines(self.text(encoding))
        lines = [line.strip() for line in lines] if strip else lines
        return lines if blank else [line for line in lines if line.strip()]

    def reject(self, reason: str) -> NoReturn:
        """Fails the criterion for what is wrong with this file: ``<path> <reason>``.

        For a file that the task itself brought it is an error of the grader instead.
        """
        sentence = f"{self._shown} {reason}"
        raise Failed(sentence) if self._agents_work else FixtureError(sentence)

    def unreadable(self, reason: str) -> NoReturn:
        """As ``reject``, for a file that can't be read as what it should be: damaged or crafted."""
        sentence = f"{self._shown} {reason}"
        raise Unreadable(sentence) if self._agents_work else FixtureError(sentence)

    @cached_property
    def _content(self) -> builtins.bytes:
        # The snapshot decides what is here; a materialised path that is a link is never followed.
        handle = os.open(self._source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            data = stream.read()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise RuntimeError(f"{self.path} in the grader's box is not the file of the snapshot")
        return data

    def _required(self) -> Entry:
        if self._entry is None:
            self.reject("does not exist")
        if self._entry.kind == "link":
            self.reject(f"is a link to {self._entry.target!r}, not a file")
        if self._entry.kind == "directory":
            self.reject("is a directory, not a file")
        return self._entry

    def __repr__(self) -> str:
        return f"File({self.path!r})"


def workspace_path(path: str, place: str = WORKSPACE) -> str:
    """The path as snapshots write it. Raises ValueError for one that leaves ``place``."""
    name = posixpath.normpath(path).removeprefix(f"{place}/")
    if name in (".", "..") or name.startswith(("/", "../")):
        where = "the workspace" if place == WORKSPACE else place
        raise ValueError(f"{path!r} is not the path of a file in {where}")
    return name
