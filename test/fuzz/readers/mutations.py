"""What an agent could have done to a file's bytes, or to JSON; the same for a seed."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Sequence
from typing import Any

#: What breaks readers of many kinds.
TOKENS: Sequence[bytes] = [
    *(
        b"\x00",
        b"\r",
        b"\n",
        b"\r\n",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
    ),
    *(
        b'"',
        b"'",
        b"<",
        b">",
        b"&",
        b"&#0;",
        b"&#x110000;",
        b"<!--",
        b"]]>",
        b"{",
        b"}",
        b"[",
        b"]",
    ),
    *(
        b",",
        b";",
        b":",
        b"=",
        b"=?utf-8?Q?=FF?=",
        b"=?x?B?====?=",
        b"\t",
        b" ",
        b"\\",
        b"\\u0000",
        b"$(",
        b"`",
    ),
    *(
        b"0",
        b"-1",
        b"9999999999999999999999",
        b"1e999",
        b"NaN",
        b"null",
        b"true",
        b"../",
        b"/",
        b"%00",
        b"%n",
    ),
    *(
        b"BEGIN:VEVENT\n",
        b"END:VEVENT\n",
        b"RRULE:FREQ=SECONDLY\n",
        b"FREQ=DAILY;INTERVAL=0",
        b"00000000T000000Z",
    ),
    *(
        b"99999999T999999",
        b"TZID=Nowhere/Land",
        b"multipart/mixed",
        b"boundary=",
        b"charset=rot13",
        b"base64",
    ),
    *(
        b"SUM(",
        b"A1:XFD1048576",
        b"#REF!",
        b"1E308",
        b't="s"',
        b'r="A0"',
        b"<f>",
        b"</f>",
        b'xmlns=""',
    ),
]
_LONGEST = 256 * 1024


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Bytes that are like these, with one to eight things done to them."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        _mutate(rng, made)
    return bytes(made[:_LONGEST])


def _mutate(rng: random.Random, made: bytearray) -> None:
    at = rng.randrange(len(made) + 1)
    end = min(len(made), at + rng.choice((1, 2, 4, 16, 64, 512)))
    match rng.randrange(8):
        case 0:
            made[at:end] = bytes(rng.randrange(256) for _ in range(end - at))
        case 1:
            del made[at:end]
        case 2:
            made[at:at] = rng.choice(TOKENS)
        case 3:
            made[at:end] = rng.choice(TOKENS)
        case 4:
            made[at:at] = made[at:end] * rng.choice((1, 2, 10, 200))
        case 5:
            there = rng.randrange(len(made) + 1)
            made[at:at] = made[there : there + rng.choice((1, 8, 64, 512))]
        case 6:
            del made[at:]
        case _:
            made[at:at] = rng.choice(TOKENS) * rng.choice((1, 3, 50, 2000))


def mutated_zip(rng: random.Random, data: bytes) -> bytes:
    """A zip of which a member was changed, taken out or put in twice, or its own bytes."""
    if rng.random() < 0.15:
        return mutated(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(rng.choice((1, 1, 2, 3))):
        name = rng.choice(sorted(members))
        if rng.random() < 0.05 and len(members) > 1:
            del members[name]
        else:
            members[name] = mutated(rng, members[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def mutated_json(rng: random.Random, data: bytes) -> bytes:
    """JSON, or lines of it, with other values here and there, or other bytes."""
    if rng.random() < 0.25:
        return mutated(rng, data)
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    if lines[at].strip():
        lines[at] = json.dumps(mutated_value(rng, json.loads(lines[at]))).encode()
    return b"\n".join(lines)


def mutated_value(rng: random.Random, value: Any) -> Any:
    """A value of JSON that is like this one, with one thing in it another."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: mutated_value(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value * rng.choice((0, 2, 50))
        return [*value[:at], mutated_value(rng, value[at]), *value[at + 1 :]]
    if isinstance(value, str) and rng.random() < 0.7:
        return mutated(rng, value.encode("utf-8", "surrogatepass")).decode(
            "utf-8", "surrogateescape"
        )
    odd: list[Any] = [
        None,
        True,
        0,
        -1,
        1e308,
        10**30,
        "",
        "\x00",
        "\ud800",
        [],
        {},
        [[]],
        {"": None},
        "9" * 5000,
        "a" * 70000,
    ]
    return rng.choice(odd)
