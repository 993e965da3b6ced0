"""Mutants of mail: what was sent is missing, wrong or too much; old mail is touched."""

from __future__ import annotations

import email
import email.policy
import email.utils
import hashlib
import random
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.message import EmailMessage, Message
from functools import partial
from typing import Any, cast

from .changes import Mutant, next_day, next_number, short, some
from .ground import Edits, Files, Ground

STATE = "state-after"
_FACT = re.compile(r"(?<![\w.])[\w.:-]*\d[\w.:-]*\d(?![\w])|(?<!\w)\d+(?!\w)")
FACTS, SENT, OLD = 6, 4, 2


def letter_mutants(ground: Ground, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of the mailboxes, by message: every copy of one changes with it."""
    new = new_messages(ground)
    sent = [
        copies
        for copies in new.values()
        if any("/.Sent/" in path for path in copies) or ground.me == ""
    ]
    for copies in some(sent, SENT, rng):
        yield from _of_message(ground, copies, rng)
    if sent:
        yield from _one_more(ground, sent[-1])
    else:
        yield from _out_of_nothing(ground)
    yield from _old_mail(ground, {path for copies in new.values() for path in copies}, rng)


def _of_message(ground: Ground, copies: list[str], rng: random.Random) -> Iterator[Mutant]:
    message = _parsed(ground, copies[0])
    where = short(str(message["Subject"] or copies[0]), 40)

    def mutant(family: Any, operator: str, change: str, files: Files) -> Mutant:
        return Mutant(family, "state/mail", where, operator, change, Edits(files))

    gone: Files = {(STATE, path): None for path in copies}
    yield mutant("partial", "mail not sent", where, gone)
    drafts = {
        (STATE, p.replace("/.Sent/", "/.Drafts/")): ground.read(STATE, p)
        for p in copies
        if "/.Sent/" in p
    }
    if drafts:
        yield mutant("partial", "mail left as a draft", where, {**gone, **drafts})
    other = next((a for a in ground.addresses if a != ground.me and a not in str(message)), None)
    if other is not None:
        for header in ("Cc", "To"):
            changed = _each(ground, copies, partial(_add, header=header, address=other))
            changed[(STATE, _inbox(other, "proof"))] = next(iter(changed.values()))
            yield mutant("extra", "mail sent to one more", f"{header}: {other}", changed)
    for header in ("To", "Cc"):
        if message[header]:
            fewer = _each(ground, copies, partial(_remove_last, header=header))
            if fewer:
                shown = short(str(message[header]))
                yield mutant("partial", f"receiver missing in {header}", shown, fewer)
    yield from _facts(ground, copies, mutant, rng)
    parts = [part for part in message.walk() if part.get_filename()]
    if parts:
        name = parts[-1].get_filename()
        changed = _each(ground, copies, lambda m: _drop_attachment(m, name))
        yield mutant("partial", "attachment missing", str(name), changed)


def _facts(
    ground: Ground, copies: list[str], mutant: Callable[..., Mutant], rng: random.Random
) -> Iterator[Mutant]:
    text = _body(_parsed(ground, copies[0]))
    own = "\n".join(line for line in text.split("\n") if not line.startswith(">"))
    own = re.split(r"^On .+wrote:$", own, flags=re.MULTILINE)[0]
    facts = list(dict.fromkeys(found[0].strip(".:-") for found in _FACT.finditer(own)))
    for fact in some(facts, FACTS, rng):
        other = next_day(fact) or next_number(fact, rng)
        if other is None:
            continue
        whole = re.compile(rf"(?<![\w.]){re.escape(fact)}(?!\w)")
        changed = _each(ground, copies, partial(_reworded, whole=whole, other=other))
        operator = "date shifted" if next_day(fact) else "number off by one"
        yield mutant("wrong", operator, f"{fact} → {other}", changed)


def _one_more(ground: Ground, copies: list[str]) -> Iterator[Mutant]:
    """Another mail, to somebody who was written to, and the same mail twice."""
    path = next((each for each in copies if "/.Sent/" in each), copies[0])
    message = _parsed(ground, path)
    where = short(str(message["Subject"] or path), 40)
    for operator, subject in (("one more mail sent", "One more thing"), ("mail sent twice", None)):
        twin = _parsed(ground, path)
        twin.replace_header("Message-ID", f"<{operator.replace(' ', '-')}@proof.example.test>")
        if subject is not None and twin["Subject"]:
            twin.replace_header("Subject", subject)
        data = _written(twin)
        files: Files = {(STATE, _twin(each)): data for each in copies}
        yield Mutant("extra", "state/mail", where, operator, str(twin["To"]), Edits(files))


def _out_of_nothing(ground: Ground) -> Iterator[Mutant]:
    """A mail where none was to be sent."""
    other = next((each for each in ground.addresses if each != ground.me), None)
    has_mail = any(path.startswith(f"mail/{ground.me}/") for path in ground.files(STATE))
    if other is None or not ground.me or not has_mail:
        return
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ground.me, other, "One more thing"
    mail["Date"] = email.utils.format_datetime(datetime.fromisoformat(ground.context["now"]))
    mail["Message-ID"] = "<mail-sent@proof.example.test>"
    mail.set_content("Nobody asked for this.\n")
    data = mail.as_bytes()
    box = f"mail/{ground.me}/.Sent/cur/M9{hashlib.sha256(data).hexdigest()[:12]}:2,S"
    files: Files = {(STATE, box): data, (STATE, _inbox(other, "sent")): data}
    yield Mutant("extra", "state/mail", "One more thing", "mail sent", other, Edits(files))


def _old_mail(ground: Ground, new: set[str], rng: random.Random) -> Iterator[Mutant]:
    mine = [
        path
        for path in ground.files(STATE)
        if path.startswith(f"mail/{ground.me}/") and path not in new and ground.me
    ]
    for path in some(mine, OLD, rng):
        where = path.rpartition("/")[2]
        data = ground.read(STATE, path)
        gone: Files = {(STATE, path): None}
        subject = short(str(_parsed(ground, path)["Subject"]))
        yield Mutant("forbidden", "state/mail", where, "old mail deleted", subject, Edits(gone))
        moved: Files = {**gone, (STATE, f"mail/{ground.me}/.Trash/cur/{where}"): data}
        yield Mutant(
            "forbidden", "state/mail", where, "old mail thrown away", subject, Edits(moved)
        )


def new_messages(ground: Ground) -> dict[str, list[str]]:
    """Paths of the copies of each message that was not there before, by Message-ID."""
    known = {
        str(email.message_from_bytes(ground.read("state-before", path))["Message-ID"])
        for path in ground.files("state-before")
        if is_message(path)
    }
    found: dict[str, list[str]] = {}
    for path in ground.files(STATE):
        if is_message(path):
            key = str(_parsed(ground, path)["Message-ID"])
            if key not in known:
                found.setdefault(key, []).append(path)
    return found


def is_message(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == "mail" and len(parts) > 3 and parts[-2] in ("cur", "new")


def _parsed(ground: Ground, path: str) -> Message:
    return email.message_from_bytes(ground.read(STATE, path))


def _written(message: Message) -> bytes:
    return message.as_bytes(policy=email.policy.compat32)


def _each(ground: Ground, copies: list[str], change: Callable[[Message], bool | None]) -> Files:
    """Every copy with a change; none at all if it can't be made."""
    files: Files = {}
    for path in copies:
        message = _parsed(ground, path)
        if change(message) is False:
            return {}
        files[(STATE, path)] = _written(message)
    return files


def _add(message: Message, header: str, address: str) -> None:
    value = message[header]
    if value:
        message.replace_header(header, f"{value}, {address}")
    else:
        message[header] = address


def _remove_last(message: Message, header: str) -> bool | None:
    left = str(message[header]).rpartition(",")[0].strip()
    if left:
        message.replace_header(header, left)
    elif header == "To":
        return False
    else:
        del message[header]
    return None


def _body_part(message: Message) -> Message | None:
    parts = (p for p in message.walk() if p.get_content_type() == "text/plain")
    return next((p for p in parts if not p.get_filename()), None)


def _body(message: Message) -> str:
    part = _body_part(message)
    data = part.get_payload(decode=True) if part else b""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
    return text.replace("\r\n", "\n")


def _set_body(message: Message, text: str) -> bool | None:
    part = _body_part(message)
    if part is None:
        return False
    del part["Content-Transfer-Encoding"]
    part.set_payload(text, "utf-8")
    return None


def _reworded(message: Message, whole: re.Pattern[str], other: str) -> bool | None:
    return _set_body(message, whole.sub(other, _body(message)))


def _drop_attachment(message: Message, name: str | None) -> bool | None:
    if not message.is_multipart():
        return False
    parts = cast("list[Message]", message.get_payload())
    kept: list[Message | str] = [part for part in parts if part.get_filename() != name]
    if len(kept) == len(parts):
        return False
    message.set_payload(kept)
    return None


def _inbox(address: str, key: str) -> str:
    return f"mail/{address}/new/M9{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def _twin(path: str) -> str:
    folder, _, name = path.rpartition("/")
    flags = name.partition(":2,")
    key = hashlib.sha256(path.encode()).hexdigest()[:12]
    return f"{folder}/M9{key}{flags[1]}{flags[2]}"
