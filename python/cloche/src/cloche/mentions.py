"""Whether a text names a file of the workspace, in whatever form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Any

from .files import WORKSPACE, workspace_path
from .globs import matches

_BRACES = re.compile(r"\{([^{}]*)\}")
_EXPANSIONS = 64
_WILD = re.compile(r"[*?\[]")
#: No path is longer, and no word that is longer means one.
_WORD_LIMIT = 4_096
_BEFORE = r"(?<![\w./~-])"
#: A variable that stands for a folder: $DIR/, ${DIR}/, {base}/ in an f-string.
_VARIABLE = r"(?:\$\w+|\$?\{[^{}\s]*\})/"
_AFTER = r"(?![\w/-])(?!\.\w)"


@dataclass(frozen=True)
class Target:
    """A file that is looked for, and the names that mean it and no other file."""

    path: str
    #: Relative names: the whole path, and its ends that no other file shares.
    names: tuple[str, ...]
    #: Names of the folders that hold it, the workspace itself not among them.
    folders: tuple[str, ...]

    @classmethod
    def of(cls, path: str, paths: Collection[str]) -> Target:
        """The target for a path; ``paths`` are all that the workspace had at some time."""
        name = workspace_path(path)
        parts = name.split("/")
        ends = ["/".join(parts[start:]) for start in range(len(parts))]
        others = [other for other in paths if other != name]
        names = [end for end in ends if end == name or not _shared(end, others)]
        folders = ["/".join(parts[:stop]) for stop in range(1, len(parts))]
        return cls(name, tuple(names), tuple(folders))

    @property
    def absolute(self) -> str:
        """The path as the agent sees it."""
        return f"{WORKSPACE}/{self.path}"

    def is_path(self, text: object) -> bool:
        """Whether a tool's argument is this very path."""
        try:
            if not isinstance(text, str) or len(text) > _WORD_LIMIT:
                return False
            return workspace_path(text) == self.path
        except ValueError:
            return False

    def in_text(self, text: str) -> bool:
        """Whether a text (code, a command) names the file somewhere."""
        return self._pattern.search(text) is not None

    def in_word(self, word: str) -> bool:
        """Whether a word of a command names the file, also by a pattern (``reports/*.docx``)."""
        if self.in_text(word):
            return True
        if len(word) > _WORD_LIMIT:
            return False
        for plain in _expanded(word):
            plain = plain.removeprefix("./")
            if plain != word and self.in_text(plain):
                return True
            if _WILD.search(plain) and self._is_matched_by(plain):
                return True
        return False

    def _is_matched_by(self, pattern: str) -> bool:
        """Whether a pattern means the file. One that is far longer than its names means no file."""
        plain = re.sub(r"(?:\*\*/){2,}", "**/", re.sub(r"\*{3,}", "**", pattern))
        longest = 2 * max(map(len, self._forms)) + 64
        return len(plain) <= longest and any(matches(name, plain) for name in self._forms)

    def folder_in_word(self, word: str) -> bool:
        """Whether a word is a folder that holds the file, or the workspace itself."""
        plain = word.rstrip("/").removeprefix("./")
        whole = (
            WORKSPACE,
            ".",
            "..",
            *self.folders,
            *(f"{WORKSPACE}/{name}" for name in self.folders),
        )
        return plain in whole

    def folder_in_text(self, text: str) -> bool:
        """Whether code names a folder that holds the file."""
        return self._folder_pattern.search(text) is not None

    @property
    def _forms(self) -> tuple[str, ...]:
        return (self.absolute, *self.names)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name) for name in self.names)
        absolute = rf"(?<![\w.-]){re.escape(self.absolute)}"
        dotted = rf"(?<![\w./-])\./(?:{names})"
        return re.compile(
            rf"(?:{absolute}|{dotted}|{_BEFORE}(?:{names})|{_VARIABLE}(?:{names})){_AFTER}"
        )

    @cached_property
    def _folder_pattern(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name) for name in (WORKSPACE, *self.folders))
        return re.compile(rf"(?<![\w.-])(?:{re.escape(WORKSPACE)}/)?(?:{names})/?(?![\w./-])")


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of members aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def guesses(word: str) -> int:
    """How many words `Target.in_word` makes of one that it tries, for who has to bound that."""
    if len(word) > _WORD_LIMIT or (not _WILD.search(word) and "{" not in word):
        return 0
    return len(_expanded(word))


def _shared(end: str, others: Collection[str]) -> bool:
    return any(other == end or other.endswith(f"/{end}") for other in others)


def _expanded(word: str) -> list[str]:
    """A word with its ``{a,b}`` spelt out."""
    pieces = _BRACES.split(word)
    choices = [
        [piece] if index % 2 == 0 else piece.split(",") if "," in piece else ["{" + piece + "}"]
        for index, piece in enumerate(pieces)
    ]
    return ["".join(parts) for parts in islice(product(*choices), _EXPANSIONS)]
