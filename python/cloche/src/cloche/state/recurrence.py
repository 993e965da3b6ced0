"""When the occurrences of a repeating event begin and end, as the calendar tools have it."""

from __future__ import annotations

import datetime as _datetime
from collections.abc import Iterator
from datetime import date, datetime, time, tzinfo
from typing import TYPE_CHECKING, Any

from dateutil import rrule

from ..files import File
from .moments import instant, is_plain, later, listed, placed, zone_named

if TYPE_CHECKING:
    from .calendar import Event

#: Occurrences that one event may have before the end of what is asked for.
OCCURRENCE_LIMIT = 20_000


class _UpTo2200:
    """The module datetime as dateutil has it: a rule that never matches is followed to its last
    year, for which the real one takes seconds."""

    MAXYEAR = 2200

    def __getattr__(self, name: str) -> Any:
        return getattr(_datetime, name)


rrule.datetime = _UpTo2200()  # type: ignore[assignment, attr-defined]  # As said there.


def starts_of(file: File, event: Event, end: datetime) -> list[datetime | date]:
    starts = {instant(event.start): event.start}
    component = event.component
    zone = event.start.tzinfo if isinstance(event.start, datetime) else None
    home = zone or _datetime.UTC
    for rule in listed(component.get("RRULE")):
        for count, start in enumerate(_ruled(file, event, rule)):
            if count > OCCURRENCE_LIMIT:
                file.unreadable(
                    f"has an event {event.title!r} that recurs too often to be followed"
                )
            if instant(start) >= end:
                break
            starts[instant(start)] = start
    for moment in _dates(component.get("RDATE"), home):
        starts[instant(moment)] = moment
    for moment in _dates(component.get("EXDATE"), home):
        starts.pop(instant(moment), None)
    return [starts[key] for key in sorted(starts)]


def _ruled(file: File, event: Event, rule: Any) -> Iterator[datetime | date]:
    frequency = str(listed(rule.get("FREQ"))[0]).upper()
    if frequency in ("SECONDLY", "MINUTELY", "HOURLY"):
        file.unreadable(f"has an event {event.title!r} that recurs {frequency.lower()}, too often")
    if int(listed(rule.get("INTERVAL", 1))[0]) < 1:
        file.unreadable(f"has an event {event.title!r} that recurs with an interval of less than 1")
    until = listed(rule.get("UNTIL"))
    plain = ";".join(
        part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")
    )
    start = event.start
    zone = (start.tzinfo or _datetime.UTC) if isinstance(start, datetime) else None
    wall = _wall(start)
    for each in _followed(file, event, plain, wall):
        moment = each.date() if zone is None else placed(each, zone)
        if until and _is_past(moment, until[0]):
            return
        yield moment


def _followed(file: File, event: Event, rule: str, start: datetime) -> Iterator[datetime]:
    """What dateutil makes of a rule. What it refuses, in whatever way, is rejected."""
    try:
        yield from rrule.rrulestr(rule, dtstart=start)
    except (ValueError, TypeError, OverflowError, LookupError, AttributeError, ArithmeticError):
        file.unreadable(
            f"has an event {event.title!r} whose recurrence can't be read: {rule[:200]}"
        )


def _wall(moment: datetime | date) -> datetime:
    """What a clock there shows; midnight of a day."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None)
    return datetime.combine(moment, time.min)


def _is_past(moment: datetime | date, until: datetime | date) -> bool:
    if not isinstance(moment, datetime) or not isinstance(until, datetime):
        first = moment.date() if isinstance(moment, datetime) else moment
        return first > (until.date() if isinstance(until, datetime) else until)
    if until.tzinfo is None:
        return moment.replace(tzinfo=None) > until
    return moment > until


def _dates(value: Any, home: tzinfo) -> list[datetime | date]:
    found: list[datetime | date] = []
    for line in listed(value):
        for each in line.dts:
            moment = each.dt[0] if isinstance(each.dt, tuple) else each.dt
            if isinstance(moment, datetime):
                moment = placed(moment.replace(tzinfo=None), zone_named(line, moment) or home)
            found.append(moment)
    return found


def end_of(event: Event, start: datetime | date) -> datetime | date:
    """The end of an occurrence: the same time on the clock as in the event itself, or, where a
    change of clocks skips or repeats that time, as long after the start."""
    first, last = event.start, event.end
    if not isinstance(start, datetime) or not isinstance(first, datetime):
        return start + event.duration
    if not isinstance(last, datetime):
        return start
    if getattr(last.tzinfo, "key", last.tzinfo) != getattr(first.tzinfo, "key", first.tzinfo):
        return (start.astimezone(_datetime.UTC) + event.duration).astimezone(last.tzinfo)
    length = last.replace(tzinfo=None) - first.replace(tzinfo=None)
    end = placed(start.replace(tzinfo=None) + length, start.tzinfo or _datetime.UTC)
    return end if is_plain(start) and is_plain(end) else later(start, event.duration)
