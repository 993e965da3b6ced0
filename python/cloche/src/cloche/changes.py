"""What differs between two moments of a tree of files."""

from __future__ import annotations

from dataclasses import dataclass

from .globs import matches


@dataclass(frozen=True)
class Changes:
    """Paths that differ between two moments, each list sorted."""

    added: list[str]
    removed: list[str]
    modified: list[str]

    @property
    def paths(self) -> list[str]:
        """All of them, sorted."""
        return sorted([*self.added, *self.removed, *self.modified])

    def outside(self, *globs: str) -> list[str]:
        """The changed paths that match none of these patterns: what should have been left alone."""
        return [path for path in self.paths if not any(matches(path, glob) for glob in globs)]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.modified)
