"""Mails, and the Maildirs in which the mail service keeps them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime, formataddr
from pathlib import Path
from urllib.parse import quote

from .files import save_text
from .persons import Person

_OFFICE = "application/vnd.openxmlformats-officedocument"
_TYPES = {
    ".csv": "text/csv",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".txt": "text/plain",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".zip": "application/zip",
}
_PLAIN = 'text/plain; charset="utf-8"'

#: Whom a mail names: a person, or "Name <name@example.org>".
Who = Person | str


def email_text(
    *,
    sender: Who,
    to: Who | Sequence[Who],
    subject: str,
    date: datetime,
    body: str,
    cc: Who | Sequence[Who] = (),
    message_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    attached: Mapping[str, bytes] | None = None,
) -> str:
    """A mail as it lies in an .eml file, with LF line ends: plain text, and files by name.

    The Message-ID is made of the rest unless given.
    """
    recipients, copies = _names(to), _names(cc)
    people = {"From": [str(sender)], "To": recipients, "Cc": copies}
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    seed = "\0".join([str(sender), *recipients, subject, date.isoformat(), body])
    digest = hashlib.sha256(seed.encode()).hexdigest()
    lines = {
        "From": str(sender),
        "To": ", ".join(recipients),
        **({"Cc": ", ".join(copies)} if copies else {}),
        "Subject": subject,
        # The offset alone: a zone with a name may be written without one.
        "Date": format_datetime(date.astimezone(timezone(date.utcoffset() or timedelta()))),
        "Message-ID": message_id or f"<{digest[:24]}@{_domain(sender)}>",
        "MIME-Version": "1.0",
    }
    own = body.rstrip() + "\n"
    if attached:
        boundary = f"=_{digest[:16]}"
        lines["Content-Type"] = f'multipart/mixed; boundary="{boundary}"'
        own = _parts(own, attached, boundary)
    else:
        lines |= {"Content-Type": _PLAIN, "Content-Transfer-Encoding": "8bit"}
    lines |= headers or {}
    for name, value in lines.items():
        if re.search(r"[\r\n]", name + value):
            raise ValueError(f"the mail's header {name} has a line end in it")
        if value == ", ".join(people.get(name, [])):
            lines[name] = ", ".join(_mailbox(each) for each in people[name])
        elif not value.isascii():
            lines[name] = Header(value, "utf-8", header_name=name).encode()
    head = "".join(f"{name}: {value}\n" for name, value in lines.items())
    return f"{head}\n{own}"


class Mail:
    """All mailboxes: ``state/mail``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(
        self,
        owner: Who,
        *,
        sender: Who,
        subject: str,
        at: datetime,
        body: str,
        to: Who | Sequence[Who] | None = None,
        cc: Who | Sequence[Who] = (),
        answers: str | Sequence[str] = (),
        attached: Mapping[str, bytes] | None = None,
        folder: str = "INBOX",
        flags: str = "",
        message_id: str | None = None,
    ) -> str:
        """Puts a mail into one mailbox, its inbox unless told; returns its Message-ID.

        ``to`` is the owner unless told. ``answers``: the Message-IDs of its thread, oldest first.
        ``flags``: S seen, R replied, F flagged; without any the mail is new.
        """
        box = self._box(owner)
        number = 1 + sum(1 for each in box.rglob("*.mail*") if each.is_file())
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        named = message_id or _made_id(sender, at, number)
        thread = [answers] if isinstance(answers, str) else list(answers)
        headers = {"In-Reply-To": thread[-1], "References": " ".join(thread)} if thread else {}
        text = email_text(
            sender=sender,
            to=owner if to is None else to,
            cc=cc,
            subject=subject,
            date=at,
            body=body,
            message_id=named,
            headers=headers,
            attached=attached,
        )
        place = box if folder == "INBOX" else box / f".{folder.replace('/', '.')}"
        for name in ("cur", "new", "tmp"):
            (place / name).mkdir(parents=True, exist_ok=True)
        key = f"{int(at.timestamp())}.M{number}P1Q{number}.mail"
        letters = "".join(sorted(set(flags)))
        save_text(place / (f"cur/{key}:2,{letters}" if letters else f"new/{key}"), text)
        return named

    def send(
        self,
        sender: Person,
        to: Sequence[Person],
        *,
        subject: str,
        at: datetime,
        body: str,
        cc: Sequence[Person] = (),
        answers: str | Sequence[str] = (),
        attached: Mapping[str, bytes] | None = None,
        flags: str = "",
    ) -> str:
        """Puts a mail into the inbox of all who get it and into what its sender has sent.

        ``flags`` are those of its copies in the inboxes. Returns its Message-ID.
        """
        said = {"sender": sender, "to": to, "cc": cc, "subject": subject, "at": at, "body": body}
        said |= {"answers": answers, "attached": attached}
        named = self.deliver(sender, folder="Sent", flags="S", **said)  # type: ignore[arg-type]
        for each in {one.email: one for one in [*to, *cc] if not one.is_room}.values():
            self.deliver(each, flags=flags, message_id=named, **said)  # type: ignore[arg-type]
        return named

    def _box(self, owner: Who) -> Path:
        address = owner.email if isinstance(owner, Person) else _address(owner)
        return self._folder / address


def _parts(body: str, attached: Mapping[str, bytes], boundary: str) -> str:
    lines = [
        *(f"--{boundary}", f"Content-Type: {_PLAIN}", "Content-Transfer-Encoding: 8bit", ""),
        body.rstrip("\n"),
    ]
    for name, data in attached.items():
        if re.search(r'["\\\r\n]', name):
            raise ValueError(f"a file that is attached can't be named {name!r}")
        type_ = _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        lines += [
            f"--{boundary}",
            f"Content-Type: {type_}; {_parameter('name', name)}",
            "Content-Transfer-Encoding: base64",
            f"Content-Disposition: attachment; {_parameter('filename', name)}",
            "",
            base64.encodebytes(data).decode().rstrip("\n"),
        ]
    return "\n".join([*lines, f"--{boundary}--", ""])


def _parameter(key: str, name: str) -> str:
    return f'{key}="{name}"' if name.isascii() else f"{key}*=utf-8''{quote(name, safe='')}"


def _mailbox(who: str) -> str:
    """As a header has it: the name quoted where it must be, encoded where it is not ASCII."""
    name, bracket, rest = who.rpartition("<")
    name = name.strip()
    if not bracket or not name:
        return who
    plain = name[1:-1].replace('\\"', '"') if re.fullmatch(r'"[^"]*"', name) else name
    if plain.isascii():
        return formataddr((plain, rest.rstrip("> ")))
    word = Header(plain, "utf-8").encode(maxlinelen=0)
    return f"{word} <{rest.rstrip('> ')}>"


def _names(given: Who | Sequence[Who]) -> list[str]:
    return [str(given)] if isinstance(given, (str, Person)) else [str(each) for each in given]


def _made_id(sender: Who, at: datetime, number: int) -> str:
    local = re.sub(r"[^\w.+-]", "", _address(str(sender)).partition("@")[0])
    return f"<{number}.{at:%Y%m%d%H%M}.{local}@{_domain(sender)}>"


def _address(who: str) -> str:
    return who.rpartition("<")[2].strip("> ")


def _domain(who: Who) -> str:
    return _address(str(who)).rpartition("@")[2] or "example.org"
