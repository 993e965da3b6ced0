"""Calendars as graders see them: ``run.state.calendar``, read with Python's icalendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import icalendar

from ..criteria import Failed
from ..dates import Moment, parse_datetime
from ..files import File, FixtureError, Tree
from ..text import decode
from .moments import instant, later, listed, placed, zone_named, zone_of
from .people import People, plain_address
from .recurrence import end_of, starts_of

#: What icalendar leaves out of an event where it can't read it, and without which it is another.
_TELLING = {"DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"}
#: As later releases have it: a rule's day may be the 20th Monday, not only the 9th.
icalendar.prop.WEEKDAY_RULE = re.compile(  # type: ignore[misc]  # Its type says that none may.
    r"(?P<signal>[+-]?)(?P<relative>\d{0,2})(?P<weekday>\w{2})$"
)
#: Events by what they were read from: nobody changes them, and each criterion asks for the same.
_KNOWN: dict[tuple[Any, ...], tuple[Event, ...]] = {}
_KNOWN_MAX = 256
_FILES_MAX, _BYTES_MAX = 100, 1 << 20


@dataclass(frozen=True)
class Attendee:
    """Someone, or a room, who is asked to an event."""

    #: In lower case.
    email: str
    name: str
    #: "needs-action", "accepted", "declined", "tentative", …
    answer: str
    optional: bool


@dataclass(frozen=True)
class Event:
    """An event; a repeating one as a whole, or one of its occurrences if these were asked for."""

    #: Address of whose calendar holds it, and the calendar's name of file without ".ics".
    owner: str
    calendar: str
    uid: str
    title: str
    location: str
    description: str
    #: With its time zone; a date for an event of whole days.
    start: datetime | date
    #: An all-day event ends with the day before this one, as in the file.
    end: datetime | date
    all_day: bool
    #: "confirmed", "tentative" or "cancelled".
    status: str
    #: Address in lower case; None for an event without guests.
    organizer: str | None
    attendees: tuple[Attendee, ...]
    #: The rule as it stands in the file ("FREQ=WEEKLY;BYDAY=MO"); None if it does not repeat.
    recurrence: str | None
    #: Which occurrence of the series this one stands for; None for a whole series.
    occurrence: datetime | date | None
    sequence: int
    #: Whether it takes its owner's time.
    busy: bool
    #: Minutes before the start; None without an alarm.
    reminder_minutes: int | None
    #: Whatever else the file says of it: ``component.get("URL")``.
    component: Any

    @property
    def cancelled(self) -> bool:
        """Whether it was called off. It stays in the file."""
        return self.status == "cancelled"

    @property
    def duration(self) -> timedelta:
        """From start to end; whole days for an all-day event."""
        return instant(self.end) - instant(self.start)

    @property
    def emails(self) -> set[str]:
        """The addresses of all who are asked, rooms included."""
        return {each.email for each in self.attendees}

    def answer_of(self, address: str) -> str | None:
        """What this attendee said; None if they were not asked."""
        wanted = plain_address(address)
        return next((each.answer for each in self.attendees if each.email == wanted), None)


class Calendar:
    """``calendar/<owner>/<calendar>.ics``. A file that can't be read fails the criterion."""

    def __init__(self, tree: Tree, people: People | None = None) -> None:
        self._tree = tree
        self._people = people

    def owners(self) -> list[str]:
        """The addresses of all who have a calendar, sorted."""
        return sorted({owner for owner, _ in self._files})

    def calendars(self, owner: str | None = None) -> list[str]:
        """The names of files, without ".ics", of one owner's calendars; see ``events``."""
        wanted = self._owner(owner)
        return sorted(name for each, name in self._files if each == wanted)

    def events(
        self,
        owner: str | None = None,
        calendar: str | None = None,
        *,
        expand: tuple[Moment, Moment] | None = None,
        cancelled: bool = False,
    ) -> list[Event]:
        """The events of an owner (by default whom the agent acts for), by start.

        A repeating event is one event, and each occurrence that differs from it another. With
        ``expand=(start, end)`` each occurrence that touches this span is an event of its own.
        """
        wanted = self._owner(owner)
        found: list[Event] = []
        for (each, name), file in self._files.items():
            if each != wanted or calendar not in (None, name):
                continue
            span = (parse_datetime(expand[0]), parse_datetime(expand[1])) if expand else None
            events = events_of(file, each, name, self._home(each), span)
            found += [event for event in events if cancelled or not event.cancelled]
        return sorted(found, key=lambda event: (instant(event.start), event.uid))

    def event(self, uid: str, owner: str | None = None) -> Event | None:
        """The event of this id, cancelled or not; the series of a repeating one. None if none."""
        events = [each for each in self.events(owner, cancelled=True) if each.uid == uid]
        series = (each for each in events if each.occurrence is None)
        return next(series, next(iter(events), None))

    def _owner(self, owner: str | None) -> str:
        if owner is not None:
            return plain_address(owner)
        me = self._people.me if self._people else None
        return me.email if me else ""

    def _home(self, owner: str) -> tzinfo:
        person = self._people.find(owner) if self._people else None
        return zone_of(person.timezone if person else None) or UTC

    @cached_property
    def _files(self) -> dict[tuple[str, str], File]:
        found: dict[tuple[str, str], File] = {}
        for file in self._tree.files("*/*.ics"):
            owner, _, name = file.path.rpartition("/")
            found[plain_address(owner), name.removesuffix(".ics")] = file
        return found


def events_of(
    file: File, owner: str, name: str, home: tzinfo, span: tuple[datetime, datetime] | None = None
) -> list[Event]:
    """All events of one file, cancelled ones too; with a span each occurrence that touches it."""
    key = (file.text(), owner, name, home, span)
    if key not in _KNOWN:
        if len(_KNOWN) >= _KNOWN_MAX:
            _KNOWN.clear()
        try:
            events = _read(file, owner, name, home)
            _KNOWN[key] = tuple(events if span is None else _expanded(file, events, span))
        except (Failed, FixtureError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  Whatever the parsers meet in a crafted file.
            file.unreadable(f"is no calendar that can be read: {error}")
    return list(_KNOWN[key])


def _read(file: File, owner: str, name: str, home: tzinfo) -> list[Event]:
    text = file.text().strip()
    if not text:
        file.unreadable("is empty, no calendar")
    if not text.upper().endswith("END:VCALENDAR"):
        file.unreadable("is no calendar that can be read: it does not end with END:VCALENDAR")
    events = [_event(component, owner, name, home) for component in _components(text)]
    masters = {each.uid: each for each in events if each.occurrence is None}
    return [_in_zone_of(masters.get(each.uid), each) for each in events]


def remember(folder: Path) -> None:
    """Parses the calendars of a folder ahead of who asks; what can't be read is left to them."""
    for path in sorted(folder.glob("*/*.ics"))[:_FILES_MAX]:
        if path.is_symlink() or path.stat().st_size > _BYTES_MAX:
            continue
        try:
            _components(decode(path.read_bytes(), "utf-8").strip())
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  As above.
            pass


@lru_cache(maxsize=256)
def _components(text: str) -> tuple[Any, ...]:
    """The file's events, which nobody changes: each criterion reads the same files anew."""
    roots = icalendar.Calendar.from_ical(text, multiple=True)
    return tuple(component for root in roots for component in root.walk("VEVENT"))


def _event(component: Any, owner: str, name: str, home: tzinfo) -> Event:
    uid = str(component.get("UID", "")).strip()
    if getattr(component.get("DTSTART"), "dt", None) is None or not uid:
        title = component.get("SUMMARY", uid)
        raise ValueError(f"the event {str(title)!r} has no UID or no DTSTART that can be read")
    for property_, error in component.errors:
        if property_ in _TELLING:
            raise ValueError(f"its {property_} can't be read: {error}")
    start = _moment(component["DTSTART"], home)
    organizer = component.get("ORGANIZER")
    rules = listed(component.get("RRULE"))
    occurrence = component.get("RECURRENCE-ID")
    return Event(
        owner=owner,
        calendar=name,
        uid=uid,
        title=str(component.get("SUMMARY", "")),
        location=str(component.get("LOCATION", "")),
        description=str(component.get("DESCRIPTION", "")),
        start=start,
        end=_end(component, start, home),
        all_day=not isinstance(start, datetime),
        status=str(component.get("STATUS", "CONFIRMED")).strip().lower(),
        organizer=None if organizer is None else plain_address(str(organizer)),
        attendees=tuple(_attendee(each) for each in listed(component.get("ATTENDEE"))),
        recurrence=rules[0].to_ical().decode() if rules else None,
        occurrence=None if occurrence is None else _moment(occurrence, home),
        sequence=int(component.get("SEQUENCE", 0)),
        busy=str(component.get("TRANSP", "OPAQUE")).strip().upper() != "TRANSPARENT",
        reminder_minutes=_reminder(component),
        component=component,
    )


def _in_zone_of(master: Event | None, event: Event) -> Event:
    """An occurrence that is named without a zone is named on the clock of its series."""
    value = event.component.get("RECURRENCE-ID")
    if master is None or value is None or not isinstance(value.dt, datetime):
        return event
    if value.dt.tzinfo is not None or not isinstance(master.start, datetime):
        return event
    zone = master.start.tzinfo or UTC
    return replace(event, occurrence=placed(value.dt, zone))


def _attendee(value: Any) -> Attendee:
    return Attendee(
        email=plain_address(str(value)),
        name=str(value.params.get("CN", "")),
        answer=str(value.params.get("PARTSTAT", "NEEDS-ACTION")).lower(),
        optional=str(value.params.get("ROLE", "")).upper() == "OPT-PARTICIPANT",
    )


def _end(component: Any, start: datetime | date, home: tzinfo) -> datetime | date:
    if "DTEND" in component:
        end = _moment(component["DTEND"], home)
        return end if instant(end) >= instant(start) else start
    if "DURATION" in component:
        length: timedelta = component["DURATION"].dt
        if not isinstance(start, datetime):
            return start + length
        days = timedelta(length.days)
        wall = placed(start.replace(tzinfo=None) + days, start.tzinfo or UTC)
        return later(wall, length - days)
    return start if isinstance(start, datetime) else start + timedelta(days=1)


def _reminder(component: Any) -> int | None:
    for alarm in component.walk("VALARM"):
        trigger = alarm.get("TRIGGER")
        if trigger is not None and isinstance(trigger.dt, timedelta):
            return round(-trigger.dt.total_seconds() / 60)
    return None


def _moment(value: Any, home: tzinfo) -> datetime | date:
    """A property's date; what names no zone is in its owner's."""
    moment: datetime | date = value.dt
    if not isinstance(moment, datetime):
        return moment
    return placed(moment.replace(tzinfo=None), zone_named(value, moment) or home)


def _expanded(file: File, events: list[Event], span: tuple[datetime, datetime]) -> Iterator[Event]:
    changed = {
        (each.uid, instant(each.occurrence)) for each in events if each.occurrence is not None
    }
    for event in events:
        if event.occurrence is not None:
            yield from (event for _ in range(_touches(event, span)))
            continue
        for start in starts_of(file, event, span[1]):
            if (event.uid, instant(start)) in changed:
                continue
            repeats = event.recurrence is not None or "RDATE" in event.component
            one = replace(event, start=start, end=end_of(event, start))
            one = replace(one, occurrence=start) if repeats else one
            if _touches(one, span):
                yield one


def _touches(event: Event, span: tuple[datetime, datetime]) -> bool:
    start, end = instant(event.start), instant(event.end)
    return start < span[1] and (end > span[0] or start >= span[0])
