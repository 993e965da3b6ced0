"""Hostile and damaged contents of any file, and of texts, tables and JSON."""

from __future__ import annotations

import io
import json
import posixpath
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import docx

from ...build import new_workbook, workbook_bytes
from ..ground import Odd

LONG, DEEP = 4 << 20, 100_000
#: A field that Python's csv does not read.
FIELD = 200_000
TABLES, JSONS = (".csv", ".tsv"), (".json", ".jsonl")
_DAY = datetime(2026, 1, 1, tzinfo=UTC)
OFFICE = (".xlsx", ".xlsm", ".docx")


@dataclass(frozen=True)
class Dose:
    """One hostile content, and what it is called."""

    kind: str
    #: The content, or what makes it, if that takes long; that gives None where it can't be made.
    content: bytes | Odd | Callable[[], bytes | None]
    #: Whether nothing is left of what stood there: then a right answer can't be in it any more.
    ruins: bool = False


def ruins(path: str, rng: random.Random) -> Iterator[Dose]:
    """What can stand at a path instead of a file that can be read."""
    yield Dose("empty file", b"", True)
    yield Dose("a folder in its place", Odd("directory"), True)
    yield Dose("a link to itself", Odd("link", posixpath.basename(path)), True)
    yield Dose("a link out of the sandbox", Odd("link", "/grade/run/expected.json"), True)
    yield Dose("a pipe in its place", Odd("fifo"), True)
    yield Dose("random bytes", rng.randbytes(4096), True)
    yield Dose("8 MiB of NUL, as of a sparse file", bytes(8 << 20), True)
    yield Dose("one line of 4 MiB", b"x" * LONG, True)
    yield Dose("a million empty lines", b"\n" * 1_000_000, True)
    yield Dose("a hundred thousand brackets", b"[" * DEEP, True)
    yield Dose("a hundred thousand tags", b"<a>" * DEEP, True)
    yield Dose("half a letter of UTF-16", b"\xff\xfea\x00\x00\xd8x", True)
    yield Dose("half a letter of UTF-8", b"\xe2\x82", True)
    yield Dose("a wrong office file", b"PK\x03\x04" + rng.randbytes(200), True)
    yield Dose("the first line of a PDF", b"%PDF-1.7\n", True)


def damages(path: str, data: bytes, rng: random.Random) -> Iterator[Dose]:
    """The content, damaged or with something hostile in it."""
    if len(data) > 64:
        yield Dose("cut in half", data[: len(data) // 2])
    if data:
        yield Dose("some bits flipped", flipped(data, rng))
        yield Dose("a NUL in the middle", _within(data, b"\0"))
        yield Dose("half of a surrogate pair in the middle", _within(data, b"\xed\xa0\x80"))
        yield Dose("two byte order marks", b"\xef\xbb\xbf" * 2 + data)
    kind = posixpath.splitext(path)[1].lower()
    if kind in OFFICE or b"\0" in data[:1024] or data[:4] in (b"PK\x03\x04", b"%PDF"):
        return
    text = data.decode("utf-8", "replace")
    yield Dose("in UTF-16", text.encode("utf-16", "replace"))
    yield Dose("in UTF-7 with a mark", b"+/v8-" + text.encode("utf-7", "replace"))
    yield Dose("letters of Latin-1", data + b"caf\xe9 \xff\n")
    yield Dose("a bare carriage return", _in_line(data, b"\r"))
    yield Dose("form feeds and other ends of lines", _in_line(data, "\f\v\x85\u2028".encode()))
    yield Dose("right-to-left marks", _in_line(data, "\u202e\u2066".encode()))
    yield Dose("a number of 10,000 digits", data + b"1" * 10_000 + b"\n")
    yield Dose("numbers beyond all bounds", data + b"1e999,-1e999,NaN,Infinity,0x10,1_0\n")
    yield Dose("no first line", data.partition(b"\n")[2])
    if kind in (*TABLES, ".txt", ".md", ""):
        yield from _table(data)
    if kind in JSONS:
        yield from json_damages(data)


def flipped(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one bit in each of some places another."""
    found = bytearray(data)
    for at in rng.sample(range(len(found)), min(16, len(found))):
        found[at] ^= 1 << rng.randrange(8)
    return bytes(found)


def _within(data: bytes, more: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + more + data[middle:]


def _in_line(data: bytes, more: bytes) -> bytes:
    """With something in the first line behind the heading, or else in the first."""
    lines = data.split(b"\n")
    at = 1 if len(lines) > 2 else 0
    lines[at] = lines[at][: len(lines[at]) // 2] + more + lines[at][len(lines[at]) // 2 :]
    return b"\n".join(lines)


def _table(data: bytes) -> Iterator[Dose]:
    comma = b";" if b";" in data.partition(b"\n")[0] else b","
    yield Dose("a field of 200,000 letters", data + b"x" * FIELD + comma + b"1\n")
    yield Dose("a quoted field of 200,000 letters", data + b'"' + b"x" * FIELD + b'"\n')
    yield Dose("a quote that never ends", data + b'"' + comma + b"1\n")
    yield Dose("a quote in the first field", b'"' + data)
    yield Dose("20,000 columns", data + comma.join([b"1"] * 20_000) + b"\n")
    yield Dose("lines of many lengths", data + b"\n".join(comma * at for at in range(40)) + b"\n")
    yield Dose("formulas in fields", data + b'"=SUM(1E308,1E308)"' + comma + b"=cmd|' /C x'!A0\n")


def json_damages(data: bytes) -> Iterator[Dose]:
    """JSON, or lines of JSON, with something in it that readers stumble over."""
    yield Dose("JSON of 100,000 brackets", data + b"[" * DEEP + b"]" * DEEP)
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    for kind, value in (
        ("values nested 5,000 deep", deep),
        ("numbers of 10,000 digits", b"9" * 10_000),
        ("NaN for values", b"NaN"),
        ("1e999 for values", b"1e999"),
        ("half of a surrogate pair for values", b'"\\ud800"'),
        ("null for values", b"null"),
        ("lists for values", b"[[]]"),
        ("texts of 1 MiB for values", b'"' + b"x" * (1 << 20) + b'"'),
    ):
        changed = _with_values(data, value)
        if changed is not None:
            yield Dose(kind, changed)
    yield Dose("a list for the whole", b"[1, 2, 3]", True)
    yield Dose("a text for the whole", b'"x"', True)
    yield Dose("a member twice", re.sub(rb"\{", b'{"id": [], "name": 0, "id": {},', data, count=3))


_VALUE = re.compile(rb'(?<=[:,\[])\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)(?=\s*[,\]}])')


def _with_values(data: bytes, value: bytes) -> bytes | None:
    """The JSON with another value in two places; None if it has none."""
    found = list(_VALUE.finditer(data))
    if not found:
        return None
    places = sorted({found[len(found) // 3].span(1), found[-1].span(1)}, reverse=True)
    for start, end in places:
        data = data[:start] + value + data[end:]
    return data


def sample(path: str) -> bytes:
    """What an agent might have written at a path of this kind, right in nothing."""
    kind = posixpath.splitext(path)[1].lower()
    if kind in (".xlsx", ".xlsm"):
        return workbook_bytes(
            new_workbook({"Sheet1": [["Name", "Amount"], ["x", 1], ["y", 2]]}), _DAY
        )
    if kind == ".docx":
        document, buffer = docx.Document(), io.BytesIO()
        document.add_paragraph("A paragraph.")
        document.save(buffer)
        return buffer.getvalue()
    if kind == ".json":
        return json.dumps({"name": "x", "rows": [{"amount": 1}]}).encode()
    if kind in TABLES:
        return b"name,amount\nx,1\ny,2\n"
    return b"A line.\nAnother line: 12.\n"
