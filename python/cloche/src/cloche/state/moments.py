"""Moments of calendars: on the clock of a zone, and as instants that can be compared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from ..dates import parse_datetime


def placed(wall: datetime, zone: tzinfo) -> datetime:
    """A time on the clock of a zone. Zones that a file defines are pytz's, which want asking."""
    localize = getattr(zone, "localize", None)
    moment: datetime = localize(wall) if localize else wall.replace(tzinfo=zone)
    return moment


def zone_of(name: str | None) -> tzinfo | None:
    """Of an IANA name; None for what is none."""
    if not name:
        return None
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        return None


def zone_named(value: Any, moment: datetime) -> tzinfo | None:
    """The zone that a property names for its moment, if any. ValueError for an unknown one."""
    name = value.params.get("TZID")
    zone = zone_of(name) or moment.tzinfo
    if name and zone is None:
        raise ValueError(f"a moment is in a time zone that nobody knows: {name}")
    return zone


def is_plain(moment: datetime) -> bool:
    """Whether clocks there show its time once."""
    return moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset()


def later(moment: datetime, length: timedelta) -> datetime:
    """So much later by a stop watch, in the same zone."""
    return (moment.astimezone(UTC) + length).astimezone(moment.tzinfo)


def instant(moment: datetime | date) -> datetime:
    """In UTC, so that moments of all zones can be compared; a day is its midnight there."""
    return parse_datetime(moment).astimezone(UTC)


def listed(value: Any) -> list[Any]:
    """A property that may stand once or several times."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
