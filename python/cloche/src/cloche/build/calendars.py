"""Calendars as the calendar service keeps them: ``state/calendar/<owner>/<name>.ics``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from .files import in_utc
from .persons import Person

if TYPE_CHECKING:
    from ..state.calendar import Event

_LINE_BYTES = 75
_END = "END:VCALENDAR\r\n"
_STATUSES = ("confirmed", "tentative", "cancelled")
_ANSWERS = ("needs-action", "accepted", "declined", "tentative")

#: A moment with its time zone, or a day for an event of whole days.
When = datetime | date


class CalendarFile:
    """One calendar of a person or a room. What it holds already stays: events are added."""

    def __init__(self, path: Path, owner: Person, now: datetime) -> None:
        self._path = path
        self._owner = owner
        self._stamp = f"{in_utc(now):%Y%m%dT%H%M%SZ}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Calendar//EN"]
            self._write([*head, f"X-WR-CALNAME:{_text(owner.name)}"])

    def event(
        self,
        title: str,
        start: When,
        end: When,
        *,
        uid: str = "",
        location: str = "",
        description: str = "",
        repeat: str = "",
        without: Sequence[When] = (),
        moved: Mapping[When, tuple[When, When]] | None = None,
        status: str = "confirmed",
        busy: bool = True,
        organizer: Person | None = None,
        attendees: Sequence[Person | tuple[Person, str]] = (),
    ) -> str:
        """Adds an event; returns its uid.

        ``repeat`` is a rule ("FREQ=WEEKLY;COUNT=12"), ``without`` are starts of it that are
        dropped, ``moved`` starts that are at another time. An attendee has accepted unless it is
        given with another answer.
        """
        if status not in _STATUSES:
            raise ValueError(f"an event's status is one of {', '.join(_STATUSES)}, not {status!r}")
        uid = uid or f"{self._count() + 1}-{self._owner.email}"
        own = [f"STATUS:{status.upper()}"] + ([] if busy else ["TRANSP:TRANSPARENT"])
        own += [f"LOCATION:{_text(location)}"] if location else []
        own += [f"DESCRIPTION:{_text(description)}"] if description else []
        if organizer is not None:
            own.append(f"ORGANIZER;CN={_parameter(organizer.name)}:mailto:{organizer.email}")
        own += [_attendee(each) for each in attendees]
        rule = [f"RRULE:{repeat}"] if repeat else []
        rule += [f"EXDATE{_at(each)}" for each in without]
        self._add(uid, title, start, end, [*rule, *own])
        for was, (begins, ends) in (moved or {}).items():
            self._add(uid, title, begins, ends, [f"RECURRENCE-ID{_at(was)}", *own])
        return uid

    def events(self, start: datetime, end: datetime) -> list[Event]:
        """What is in it from ``start`` to ``end``, each occurrence an event of its own."""
        from ..files import File
        from ..snapshots import Entry
        from ..state.calendar import events_of

        data = self._path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        entry = Entry(self._path.name, "file", 0o644, len(data), digest)
        file = File(self._path.name, entry, self._path, agents_work=False)
        zone = ZoneInfo(self._owner.timezone)
        return events_of(file, self._owner.email, self._path.stem, zone, (start, end))

    def _add(self, uid: str, title: str, start: When, end: When, more: Sequence[str]) -> None:
        if isinstance(start, datetime) != isinstance(end, datetime) or not start < end:
            raise ValueError(f"{title!r} begins at {start} and ends at {end}")
        self._write(
            [
                *("BEGIN:VEVENT", f"UID:{uid}", f"DTSTAMP:{self._stamp}"),
                *(f"SUMMARY:{_text(title)}", f"DTSTART{_at(start)}", f"DTEND{_at(end)}"),
                *(*more, "END:VEVENT"),
            ]
        )

    def _count(self) -> int:
        return len(set(re.findall(r"^UID:.*$", self._read(), re.MULTILINE)))

    def _read(self) -> str:
        return self._path.read_bytes().decode() if self._path.exists() else ""

    def _write(self, lines: Sequence[str]) -> None:
        held = self._read().rstrip()
        if held and not held.endswith("END:VCALENDAR"):
            raise ValueError(f"{self._path.name} of {self._owner} is no calendar")
        more = "".join(f"{_folded(line)}\r\n" for line in lines)
        text = f"{held.removesuffix('END:VCALENDAR')}{more}{_END}"
        self._path.write_bytes(text.encode("utf-8"))


def _at(when: When) -> str:
    if not isinstance(when, datetime):
        return f";VALUE=DATE:{when:%Y%m%d}"
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone: give it one, such as ZoneInfo('Europe/Madrid')")
    # The second of two hours of one name is said in UTC: with its zone it would be the first.
    is_second = when.fold and when.utcoffset() != when.replace(fold=0).utcoffset()
    if isinstance(when.tzinfo, ZoneInfo) and when.tzinfo.key != "UTC" and not is_second:
        return f";TZID={when.tzinfo.key}:{when:%Y%m%dT%H%M%S}"
    return f":{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _attendee(given: Person | tuple[Person, str]) -> str:
    who, answer = given if isinstance(given, tuple) else (given, "accepted")
    if answer not in _ANSWERS:
        raise ValueError(f"{who} can't have answered {answer!r}; it is {', '.join(_ANSWERS)}")
    kind = "ROOM" if who.is_room else "INDIVIDUAL"
    said = f"CUTYPE={kind};ROLE=REQ-PARTICIPANT;PARTSTAT={answer.upper()}"
    return f"ATTENDEE;CN={_parameter(who.name)};{said}:mailto:{who.email}"


def _text(text: str) -> str:
    escaped = re.sub(r"([\\;,])", r"\\\1", text)
    return escaped.replace("\r\n", "\n").replace("\n", "\\n")


def _parameter(text: str) -> str:
    if re.search(r'["\x00-\x1f]', text):
        raise ValueError(f"a name in a calendar can't be {text!r}")
    return f'"{text}"' if re.search(r"[:;,]", text) else text


def _folded(line: str) -> str:
    """Lines are at most 75 bytes long; a letter is never cut in two."""
    pieces, held = [], b""
    for letter in line:
        data = letter.encode()
        if len(held) + len(data) > _LINE_BYTES:
            pieces.append(held)
            held = b" "
        held += data
    return b"\r\n".join([*pieces, held]).decode()
