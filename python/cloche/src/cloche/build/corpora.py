"""Collections of documents that the search service searches: ``state/search/<corpus>/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from .files import save_json, save_text

Field = str | int | float | bool | list[str]


class Corpus:
    """One collection of Markdown documents with fields."""

    def __init__(
        self,
        folder: Path,
        *,
        title: str = "",
        description: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """``fields``: what each field means, for who searches."""
        self._folder = folder
        said = {"title": title or folder.name, "description": description}
        save_json(folder / "corpus.json", {**said, **({"fields": dict(fields)} if fields else {})})

    def add(self, path: str, title: str, text: str, **fields: Field) -> str:
        """Adds a document, such as "guides/returns.md"; returns its path, which is its id."""
        if not path.endswith(".md") or path.startswith("/") or ".." in path.split("/"):
            raise ValueError(f"a document of a corpus can't be at {path!r}; it ends with .md")
        place = self._folder / path
        if place.exists():
            raise ValueError(f"the corpus {self._folder.name} has a document at {path!r} already")
        lines = [f"{name}: {_shown(value)}" for name, value in {"title": title, **fields}.items()]
        save_text(place, "\n".join(["---", *lines, "---", "", text.strip(), ""]))
        return path


def _shown(value: Field) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_shown(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
