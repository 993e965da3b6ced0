"""Hostile and damaged mail: what a mail tool writes of what an agent tells it, and worse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .raw import Dose

_HOSTILE = {
    "a subject in a charset that nobody has": b"Subject: =?x-nobody?b?4pyT?= =?utf-8?b?!!!?=",
    "a subject of 1 MiB": b"Subject: " + b"x" * (1 << 20),
    "a subject of 20,000 encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000,
    "a date that is none": b"Date: Fri, 99 Foo 99999 99:99:99 +9999",
    "a date before all days": b"Date: Mon, 01 Jan 0000 00:00:00 -0000",
    "receivers that are none": b'To: <<<<@@@>,,,;:\\"(((',
    "10,000 receivers": b"To: " + b", ".join(b"a%d@x.test" % at for at in range(10_000)),
    "comments in comments": b"To: " + b"(" * 20_000 + b")" * 20_000 + b" a@x.test",
    "a type with a charset that nobody has": b"Content-Type: text/plain; charset=x-nobody",
    "a charset that is no text's": b"Content-Type: text/plain; charset=rot13",
    "a charset with a NUL": b'Content-Type: text/plain; charset="ut\x00f-8"',
    "parts without a boundary": b"Content-Type: multipart/mixed",
    "a boundary that nobody has": b'Content-Type: multipart/mixed; boundary="()<>@,;:\\\\ "',
    "a type that is none": b"Content-Type: /;;;=;charset*0*=x''%GG",
    "an encoding that nobody has": b"Content-Transfer-Encoding: x-nobody",
    "base64 that is none": b"Content-Transfer-Encoding: base64",
    "uuencode that is none": b"Content-Transfer-Encoding: x-uuencode",
    "Latin-1 in a header": b"Subject: caf\xe9 \xff",
    "a NUL in a header": b"Subject: a\x00b",
    "a header without a name": b": x\n\x00\nx",
}


def letter_damages(data: bytes) -> Iterator[Dose]:
    """A mail with something hostile in it."""
    end = b"\r\n" if b"\r\n" in data else b"\n"
    head, _, body = data.partition(end * 2)
    for kind, line in _HOSTILE.items():
        name = line.partition(b":")[0]
        if not name:
            yield Dose(kind, line + end + data)
            continue
        pattern = rb"(?im)^" + re.escape(name) + rb":.*(?:\r?\n[ \t].*)*"
        found = re.search(pattern, head)
        where = found.span() if found else (len(head), len(head))
        changed = head[: where[0]] + (b"" if found else end) + line + head[where[1] :]
        yield Dose(kind, changed + end * 2 + body)
    plain = re.sub(rb"(?im)^Content-[\w-]+:.*(?:\r?\n[ \t].*)*\r?\n?", b"", head).rstrip(b"\r\n")
    for kind, more in _bodies():
        yield Dose(kind, plain + end + more.replace(b"\n", end))
    yield Dose("no head", body)
    yield Dose("no body", head + end)
    yield Dose("a line of 4 MiB", data + b"x" * (4 << 20) + end)


def _bodies() -> Iterator[tuple[str, bytes]]:
    parts = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at) for at in range(500)
    )
    yield "parts nested 500 deep", parts + b"\nx\n"
    mail = b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(300))
    yield "mails in mails, 300 deep", mail + b"x\n"
    attached = (
        b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nx\n--b\n'
        b"Content-Type: %s\nContent-Disposition: attachment; filename=%s\n"
        b"Content-Transfer-Encoding: %s\n\n%s\n--b--\n"
    )
    yield (
        "an attached mail with a charset that nobody has",
        attached
        % (
            b"message/rfc822",
            b'"a.eml"',
            b"8bit",
            b"Content-Type: text/plain; charset=x-nobody\nSubject: =?x?q?a?=\n\n\xff",
        ),
    )
    yield (
        "an attached mail with a boundary that nobody has",
        attached
        % (
            b"message/rfc822",
            b'"a.eml"',
            b"7bit",
            b"Content-Type: multipart/mixed; boundary=none\n\nx",
        ),
    )
    yield (
        "an attachment that is no base64",
        attached
        % (
            b"application/octet-stream",
            b'"a.bin"',
            b"base64",
            b"=" * 999 + b"\xff!",
        ),
    )
    yield (
        "an attachment with a name in a charset that nobody has",
        attached
        % (
            b"text/plain",
            b"x; filename*0*=x-nobody''%ff; filename*2=b",
            b"7bit",
            b"x",
        ),
    )
    yield (
        "an attachment named as a path",
        attached
        % (
            b"text/plain",
            b'"../../grade/run/expected.json"',
            b"7bit",
            b"x",
        ),
    )
    html = b"Content-Type: text/html\n\n"
    yield "HTML of 50,000 elements", html + b"<div>" * 50_000
    yield "HTML that ends in a tag", html + b"<p>x<script>" + b"<!--" * 9_999 + b"<a b='"
    yield "HTML of many ampersands", html + b"&#99999999999;&" * 20_000
