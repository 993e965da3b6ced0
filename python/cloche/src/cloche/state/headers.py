"""Headers of mails, decoded: words in every charset, 8-bit letters, people with commas in names."""

from __future__ import annotations

import base64
import binascii
import re
from email.message import Message as Raw
from email.utils import getaddresses

from ..charsets import text_in

_WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")


def with_readable_head(data: bytes) -> bytes:
    """The message with a head in UTF-8: old programs wrote headers in an 8-bit code of theirs."""
    ends = [at for at in (data.find(b"\n\n"), data.find(b"\n\r\n")) if at >= 0]
    end = min(ends, default=len(data))
    try:
        data[:end].decode("utf-8")
    except UnicodeDecodeError:
        return text_in(data[:end], "cp1252").encode("utf-8") + data[end:]
    return data


def values_of(message: Raw, name: str) -> list[str]:
    """Everything that stands in the headers of this name, unfolded and not decoded."""
    found = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    # What is not ASCII lies in it as the bytes that it was.
    return [
        re.sub(r"[\r\n]+", "", each).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for each in found
    ]


def decoded(text: str) -> str:
    """With its encoded words read, in one line."""
    parts: list[str] = []
    held, charset, at = b"", "", 0
    for match in _WORD.finditer(text):
        between = text[at : match.start()]
        at = match.end()
        if held and (between.strip(" \t") or match[1].lower() != charset):
            parts.append(text_in(held, charset))
            held = b""
        if between.strip(" \t") or (not parts and not held):
            parts.append(between)
        charset = match[1].lower()
        held += _bytes(match[2], match[3])
    if held:
        parts.append(text_in(held, charset))
    return " ".join("".join([*parts, text[at:]]).split())


def addresses_in(values: list[str]) -> list[tuple[str, str]]:
    """Names and addresses. People are told apart before their names are decoded."""
    return [(decoded(name), decoded(address)) for name, address in getaddresses(values) if address]


def _bytes(kind: str, text: str) -> bytes:
    if kind in "qQ":
        plain = text.replace("_", " ").encode("utf-8", "replace")
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda each: bytes([int(each[1], 16)]), plain)
    letters = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4))
    except binascii.Error:
        return text.encode("utf-8", "replace")
