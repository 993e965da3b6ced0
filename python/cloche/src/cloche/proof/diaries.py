"""Mutants of calendars: an event is missing, at another time, with others, or one too many."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from .changes import Mutant, short, some
from .ground import Edits, Files, Ground

STATE = "state-after"
EVENTS, OLD = 3, 2
_EVENT = re.compile(r"BEGIN:VEVENT\r?\n.*?END:VEVENT\r?\n", re.DOTALL)
_TIME = re.compile(r"^(DTSTART|DTEND)([^:\n]*:)(\d{8})(T\d{6})?(Z?)", re.MULTILINE)


def diary_mutants(ground: Ground, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of the calendars, by event: every copy of one changes with it."""
    calendars = {
        path: ground.read(STATE, path).decode("utf-8", "replace")
        for path in ground.files(STATE)
        if path.startswith("calendar/") and path.endswith(".ics")
    }
    old = {
        path: _blocks((ground.before(STATE, path) or b"").decode("utf-8", "replace"))
        for path in calendars
    }
    known = {uid(block) for blocks in old.values() for block in blocks}
    changed: dict[str, list[str]] = {}
    mine: dict[str, str] = {}
    for path, text in calendars.items():
        for block in _blocks(text):
            if block not in old[path]:
                changed.setdefault(uid(block), []).append(path)
            elif path.startswith(f"calendar/{ground.me}/") and ground.me:
                mine[uid(block)] = path
    for one in some(list(changed), EVENTS, rng):
        yield from _of_event(ground, calendars, one, one not in known)
    for one in some([each for each in mine if each not in changed], OLD, rng):
        yield from _old_event(calendars, one, mine[one])
    yield from _one_more(ground, calendars)


def _of_event(
    ground: Ground, calendars: dict[str, str], one: str, is_new: bool
) -> Iterator[Mutant]:
    where = _title(calendars, one)

    def mutant(family: Any, operator: str, change: str, edit: Callable[[str, str], str]) -> Mutant:
        return Mutant(
            family, "state/calendar", where, operator, change, Edits(_edited(calendars, one, edit))
        )

    if is_new:
        yield mutant("partial", "event missing", where, lambda _, block: "")
        copy = lambda _, block: block + block.replace(f"UID:{one}", f"UID:x{one}")  # noqa: E731
        yield mutant("extra", "event made twice", where, copy)
    for minutes, operator in ((15, "event a quarter later"), (1440, "event a day later")):
        later = lambda _, block, by=minutes: moved(block, ("DTSTART", "DTEND"), by)  # noqa: E731
        yield mutant("wrong", operator, f"by {minutes} minutes", later)
    longer = lambda _, block: moved(block, ("DTEND",), 15)  # noqa: E731
    yield mutant("wrong", "event a quarter longer", "until later", longer)
    yield mutant(
        "wrong",
        "title changed",
        where,
        lambda _, b: re.sub(
            r"^(SUMMARY[^:\n]*:.*?)(\r?)$", r"\1ix\2", b, count=1, flags=re.MULTILINE
        ),
    )
    yield mutant(
        "wrong",
        "event repeats",
        "weekly",
        lambda _, b: b.replace("END:VEVENT", "RRULE:FREQ=WEEKLY;COUNT=4\r\nEND:VEVENT"),
    )
    yield mutant(
        "partial",
        "event cancelled",
        where,
        lambda _, b: _with_line(b, "STATUS", "STATUS:CANCELLED"),
    )
    yield from _guests(ground, calendars, one, mutant)


def _guests(
    ground: Ground, calendars: dict[str, str], one: str, mutant: Callable[..., Mutant]
) -> Iterator[Mutant]:
    # The own copy comes first: who was taken off may keep another, with guests as they were.
    own = [text for path, text in calendars.items() if path.startswith(f"calendar/{ground.me}/")]
    copies = (b for text in [*own, *calendars.values()] for b in _blocks(text))
    block = next(b for b in copies if uid(b) == one)
    asked = re.findall(
        r"^ATTENDEE.*?mailto:([^\s\"]+)", unfolded(block), re.MULTILINE | re.IGNORECASE
    )
    guests = [each.lower() for each in asked if each.lower() != ground.me]
    other = next((a for a in ground.addresses if a != ground.me and a not in guests), None)
    if other is not None:
        line = f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{other}\r\nEND:VEVENT"
        yield mutant(
            "extra", "one more attendee", other, lambda _, b: b.replace("END:VEVENT", line)
        )
    for guest in guests[:3]:

        def without(path: str, b: str, guest: str = guest) -> str:
            if path.startswith(f"calendar/{guest}/"):
                return ""
            pattern = rf"^ATTENDEE[^\n]*mailto:{re.escape(guest)}\r?\n"
            return re.sub(pattern, "", unfolded(b), flags=re.MULTILINE | re.IGNORECASE)

        yield mutant("partial", "attendee missing", guest, without)


def _old_event(calendars: dict[str, str], one: str, path: str) -> Iterator[Mutant]:
    where = _title(calendars, one)
    here = {path: calendars[path]}
    for operator, edit in (
        ("old event removed", lambda _, block: ""),
        ("old event moved", lambda _, block: moved(block, ("DTSTART", "DTEND"), 60)),
        (
            "old event renamed",
            lambda _, b: re.sub(
                r"^(SUMMARY[^:\n]*:.*?)(\r?)$", r"\1ix\2", b, count=1, flags=re.MULTILINE
            ),
        ),
    ):
        files = _edited(here, one, edit)
        yield Mutant("forbidden", "state/calendar", where, operator, path, Edits(files))


def _one_more(ground: Ground, calendars: dict[str, str]) -> Iterator[Mutant]:
    """An event of an hour on the next day, in the own calendar, with nobody invited."""
    head = f"calendar/{ground.me}/"
    path = next((each for each in calendars if ground.me and each.startswith(head)), None)
    if path is None or "END:VCALENDAR" not in calendars[path]:
        return
    now = datetime.fromisoformat(ground.context["now"])
    day = now + timedelta(days=1)
    lines = ["BEGIN:VEVENT", "UID:one-more@proof.example.test", f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"]
    lines += [f"DTSTART:{day:%Y%m%d}T130000Z", f"DTEND:{day:%Y%m%d}T140000Z"]
    lines += ["SUMMARY:Something else", "END:VEVENT", ""]
    before, _, after = calendars[path].rpartition("END:VCALENDAR")
    text = "\r\n".join(lines).join([before, f"END:VCALENDAR{after}"])
    edits = Edits({(STATE, path): text.encode()})
    where, change = "Something else", f"on {day:%Y-%m-%d}"
    yield Mutant("extra", "state/calendar", where, "event added", change, edits)


def _edited(calendars: dict[str, str], one: str, edit: Callable[[str, str], str]) -> Files:
    files: Files = {}
    for path, text in calendars.items():

        def changed(block: re.Match[str], at: str = path) -> str:
            return edit(at, block[0]) if uid(block[0]) == one else block[0]

        new = _EVENT.sub(changed, text)
        if new != text:
            files[(STATE, path)] = new.encode()
    return files


def moved(block: str, names: tuple[str, ...], minutes: int) -> str:
    """The event with these times later; one of whole days by whole days."""

    def later(found: re.Match[str]) -> str:
        name, head, day, time, zone = found.groups()
        if name not in names:
            return found[0]
        if time is None:
            moment = datetime.strptime(day, "%Y%m%d") + timedelta(days=max(1, minutes // 1440))
            return f"{name}{head}{moment:%Y%m%d}"
        moment = datetime.strptime(day + time, "%Y%m%dT%H%M%S") + timedelta(minutes=minutes)
        return f"{name}{head}{moment:%Y%m%dT%H%M%S}{zone}"

    return _TIME.sub(later, block)


def _with_line(block: str, name: str, line: str) -> str:
    if re.search(rf"^{name}:", block, re.MULTILINE):
        return re.sub(rf"^{name}:[^\r\n]*", line, block, flags=re.MULTILINE)
    return block.replace("END:VEVENT", f"{line}\r\nEND:VEVENT")


def unfolded(text: str) -> str:
    """The text with each of its long lines whole."""
    return re.sub(r"\r?\n[ \t]", "", text)


def _blocks(text: str) -> list[str]:
    return [found[0] for found in _EVENT.finditer(text)]


def uid(block: str) -> str:
    """The UID of an event."""
    found = re.search(r"^UID:(\S+)", unfolded(block), re.MULTILINE)
    return found[1] if found else ""


def _title(calendars: dict[str, str], one: str) -> str:
    for text in calendars.values():
        for block in _blocks(text):
            if uid(block) == one:
                found = re.search(r"^SUMMARY[^:\n]*:(.*)$", unfolded(block), re.MULTILINE)
                return short(found[1], 40) if found else one
    return one
