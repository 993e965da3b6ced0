"""A snapshot as the host writes it: one line of JSON for all that lay in a tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal["file", "directory", "link"]


@dataclass(frozen=True)
class Entry:
    """One line of a snapshot."""

    path: str
    kind: Kind
    mode: int | None = None
    size: int | None = None
    sha256: str | None = None
    target: str | None = None

    @property
    def content(self) -> tuple[str, str | None]:
        """What makes two entries of one path the same, permissions aside."""
        return self.kind, self.target if self.kind == "link" else self.sha256


@lru_cache(maxsize=8)
def read_snapshot(path: Path, _changed: int, _inode: int) -> tuple[dict[str, Entry], list[str]]:
    """Entries and what was skipped, which nobody changes: each criterion loads the same trees."""
    data = json.loads(path.read_text(encoding="utf-8"))
    entries = {each["path"]: _entry(each) for each in data["entries"]}
    return entries, [each["path"] for each in data.get("skipped", [])]


def _entry(data: dict[str, Any]) -> Entry:
    return Entry(
        path=data["path"],
        kind=data["type"],
        mode=data.get("mode"),
        size=data.get("size"),
        sha256=data.get("sha256"),
        target=data.get("target"),
    )
