"""Looks for what no agent may find in what it is given: the answer, the generator, the grader."""

from __future__ import annotations

import email
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from ..documents import text_of_pdf
from .ground import TREES, Ground
from .mutants import is_free
from .office import Book

NAMES = ("generate.py", "grader.py", "solution.py", "expected.json")
_CODE = re.compile(
    r"^(def \w+\(|class \w+|import \w|from [\w.]+ import|return\b.{8}|for .+ in .+:|if .{8,}:|@\w+"
    r"|check\(|[\w.\[\]]+ [+*-]?= .{8})"
)
_MAIL = re.compile(rb"^content-transfer-encoding:", re.IGNORECASE | re.MULTILINE)
CODE_LINES, SHARE, LEAST, LETTERS = 3, 0.8, 3, 6


def leaks(
    ground: Ground, secrets: dict[str, str], free: Iterable[str] = ()
) -> list[dict[str, str]]:
    """What lies in the beginning's files that should not: where, and what it is.

    ``secrets`` are the task's own programs by name; an agent must not find their lines either.
    ``free`` are globs of files that agents may leave as they like: what lies there is no answer.
    """
    found: list[dict[str, str]] = []
    programs = {name: _code_lines(text) for name, text in secrets.items()}
    values = _values(ground.expected)
    made = [
        path
        for path in ground.changed("after")
        if not is_free(ground.place("after", path), list(free))
    ]
    outputs = _outputs(ground, made)
    hashes = _hashes(ground, made)
    for tree, path, data in _given(ground):
        place = f"{'workspace' if tree == 'before' else 'state'}/{path}"
        if PurePosixPath(path).name in NAMES:
            found.append({"place": place, "what": "is named as a file of the task's own"})
        text = _text_of(data)
        plain = "".join(text.split())
        for name, lines in programs.items():
            seen = [line for line in lines if line in text]
            if len(seen) >= CODE_LINES:
                found.append(
                    {"place": place, "what": f"holds {len(seen)} lines of {name}: {seen[0]}"}
                )
        for way, value in values:
            if value in plain:
                found.append(
                    {"place": place, "what": f"holds the expected value {way}: {value[:80]}"}
                )
                break
        for output, lines in outputs.items():
            seen = [line for line in lines if line in text]
            if len(lines) >= LEAST and len(seen) >= SHARE * len(lines):
                what = (
                    f"holds {len(seen)} of the {len(lines)} lines of the right {output}: {seen[0]}"
                )
                found.append({"place": place, "what": what})
        if hashlib.sha256(data).hexdigest() in hashes and data:
            found.append({"place": place, "what": "is a file as the solution leaves it"})
    return found


def reasons_seen(ground: Ground, reasons: list[str]) -> list[str]:
    """Reasons of failed criteria that the agent was shown, in files or in results of its calls."""
    shown = "\n".join(json.dumps(step.get("result"), ensure_ascii=False) for step in ground.steps)
    texts = [shown, *(_text_of(data) for _, _, data in _given(ground))]
    return [each for each in reasons if len(each) >= 40 and any(each in text for text in texts)]


def _given(ground: Ground) -> Iterator[tuple[str, str, bytes]]:
    for tree, _ in TREES.values():
        for path in ground.files(tree):
            yield tree, path, ground.read(tree, path)


def _code_lines(text: str) -> list[str]:
    lines = {line.strip() for line in text.splitlines()}
    return sorted(line for line in lines if len(line) >= 24 and _CODE.match(line))


def _values(expected: Any) -> list[tuple[str, str]]:
    """The expected value and the larger parts of it, each as JSON without blanks."""
    found: list[tuple[str, str]] = []

    def add(way: str, value: Any) -> None:
        if not isinstance(value, (dict, list)) or len(value) < LEAST:
            return
        text = "".join(json.dumps(value, ensure_ascii=False).split())
        if len(text) >= 80:
            found.append((way or "as a whole", text))
        inner = value.items() if isinstance(value, dict) else ()
        for key, each in inner:
            add(f"{way}.{key}".lstrip("."), each)

    add("", expected)
    return found


def _outputs(ground: Ground, made: list[str]) -> dict[str, list[str]]:
    """Lines of the files that the solution made, where they say something that was not given."""
    found: dict[str, list[str]] = {}
    for path in made:
        old = _text_of(ground.before("after", path) or b"")
        lines = {line.strip() for line in _text_of(ground.read("after", path)).splitlines()}
        mine = sorted(line for line in lines if len(line) >= LETTERS and line not in old)
        if mine and not path.endswith((".py", ".sh")):
            found[path] = mine
    return found


def _hashes(ground: Ground, made: list[str]) -> set[str]:
    entries = ground.entries("after")
    return {entries[path]["sha256"] for path in made if entries[path]["size"] > 0}


@lru_cache(maxsize=1024)
def _text_of(data: bytes) -> str:
    """What a person could read in a file: its text, an office file's, a PDF's, a mail's parts'."""
    if b"%PDF-" in data[:1024]:
        return _pdf_text(data)
    if data[:2] != b"PK":
        text = data.decode("utf-8", "replace")
        return "\n".join([text, *_encoded_parts(data)]) if _MAIL.search(data) else text
    try:
        pages = [book.page(sheet) for book in (Book(data),) for sheet in book.sheets]
        rows = (" ".join(map(page.text, row)) for page in pages for row in page.rows)
        return "\n".join(rows)
    except ValueError:
        return _zip_text(data)


def _pdf_text(data: bytes) -> str:
    try:
        # Columns side by side, so that a row of a table is a line; blanks between them are one.
        return re.sub(r"[ \t]+", " ", text_of_pdf(data))
    except ValueError:
        return data.decode("utf-8", "replace")


def _encoded_parts(data: bytes) -> Iterator[str]:
    """What a mail carries encoded, its attachments above all."""
    for part in email.message_from_bytes(data).walk():
        coded = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if coded in ("base64", "quoted-printable") and not part.is_multipart():
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                yield _text_of(content)


def _zip_text(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [archive.read(each)[: 1 << 22] for each in archive.namelist()[:200]]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
        return ""
    texts = (part.decode("utf-8", "replace") for part in parts)
    return "\n".join(re.sub(r"<[^>]+>", "\n", text) for text in texts)
