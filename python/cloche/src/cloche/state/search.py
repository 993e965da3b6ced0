"""The corpora that the agent could search: ``run.state.search``. No service changes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..files import File, Tree
from .people import People
from .records import parse_json

CORPUS_FILE = "corpus.json"
ENDINGS = (".md", ".markdown", ".txt", ".html", ".htm", ".json", ".jsonl")


@dataclass(frozen=True)
class Document:
    """One file of a corpus. A JSON file may hold several documents for the agent: see ``json``."""

    #: The name of the corpus.
    corpus: str
    #: From the corpus's folder on; the id that the agent sees for all but JSON files.
    path: str
    _file: File

    def text(self) -> str:
        """All that is in the file."""
        return self._file.text()

    def json(self) -> Any:
        """The value of a JSON file; a list of values for JSON Lines."""
        text = self._file.text()
        if not self.path.endswith(".jsonl"):
            return parse_json(self._file, text)
        lines = [line for line in text.split("\n") if line.strip()]
        return [parse_json(self._file, line, f"line {n}") for n, line in enumerate(lines, 1)]


class Search:
    """``search/<corpus>/``: every corpus with its documents."""

    def __init__(self, tree: Tree, people: People | None = None) -> None:
        self._tree = tree
        self._people = people

    def corpora(self) -> list[str]:
        """The names of all corpora, sorted."""
        return sorted({document.corpus for document in self._documents})

    def documents(self, corpus: str | None = None) -> list[Document]:
        """All documents, or those of one corpus, in the order of their paths."""
        return [each for each in self._documents if corpus in (None, each.corpus)]

    def document(self, corpus: str, path: str) -> Document | None:
        """The document at a path of a corpus; None if there is none."""
        found = (each for each in self.documents(corpus) if each.path == path)
        return next(found, None)

    @cached_property
    def _documents(self) -> list[Document]:
        return list(self._found())

    def _found(self) -> Iterator[Document]:
        for file in self._tree.files("**"):
            corpus, slash, path = file.path.partition("/")
            hidden = any(part.startswith(".") for part in file.path.split("/"))
            if slash and not hidden and path != CORPUS_FILE and path.lower().endswith(ENDINGS):
                yield Document(corpus, path, file)
