"""CSV as people and programs write it, read as ``import_csv`` reads it."""

from __future__ import annotations

import codecs
import re

from .charsets import text_in
from .files import File

_DELIMITERS = (",", ";", "\t", "|")
_LIMIT = 16 * 1024 * 1024


def csv_rows(file: File, *, delimiter: str | None = None) -> list[list[str]]:
    """The records of a CSV file, each field as text; empty lines are left out.

    Lines may end in LF, CRLF or CR, fields may be in quotes and of any length, the text may have a
    byte order mark, be UTF-8, UTF-16 or Windows' Latin. Without ``delimiter`` it is the comma,
    semicolon, tab or bar that the first record has most of. A quote that never ends is rejected.
    """
    text = _decoded(file.bytes(limit=_LIMIT))
    try:
        return _records(text, delimiter or _guessed(text))
    except ValueError as error:
        file.unreadable(f"is no sound CSV: {error}")


def _decoded(data: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(name, "replace")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return text_in(data, "cp1252")


def _guessed(text: str) -> str:
    """Of the first line that holds something, what is in quotes aside; a comma if there is none."""
    plain = re.sub(r'"[^"]*"', "", text[:65_536]).lstrip("\r\n")
    first = re.split(r"[\r\n]", plain, maxsplit=1)[0]
    return max(_DELIMITERS, key=first.count)


def _records(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    row: list[str] = []
    at, end = 0, len(text)
    ends = re.compile(f"[{re.escape(delimiter)}\r\n]")
    while at <= end:
        if text.startswith('"', at):
            field, at = _quoted(text, at, delimiter)
        else:
            found = ends.search(text, at)
            stop = found.start() if found else end
            field, at = text[at:stop], stop
        row.append(field)
        if text.startswith(delimiter, at):
            at += 1
            continue
        if row != [""]:
            rows.append(row)
        row = []
        if at >= end:
            break
        at += 2 if text.startswith("\r\n", at) else 1
    return rows


def _quoted(text: str, start: int, delimiter: str) -> tuple[str, int]:
    parts: list[str] = []
    at = start + 1
    while True:
        close = text.find('"', at)
        if close < 0:
            line = len(re.findall(r"\r\n|\r|\n", text[:start])) + 1
            raise ValueError(f"a quote that opens in line {line} is never closed")
        parts.append(text[at:close])
        at = close + 1
        if not text.startswith('"', at):
            break
        parts.append('"')
        at += 1
    if at < len(text) and text[at] not in f"{delimiter}\r\n":
        # Something follows the closing quote: the field is as it is written.
        found = re.compile(f"[{re.escape(delimiter)}\r\n]").search(text, at)
        stop = found.start() if found else len(text)
        return text[start:stop], stop
    return "".join(parts), at
