"""Dates and times as people and spreadsheets write them, compared as what they mean."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

UTC = UTC
_EPOCH = datetime(1899, 12, 30)
#: 9999-12-31, the last day that a spreadsheet knows.
_LAST_SERIAL = 2_958_465
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Moment = date | datetime | str | int | float


def parse_datetime(value: Moment) -> datetime:
    """A moment with its time zone: of ISO 8601 text, a date, a datetime or a spreadsheet's number.

    What names no zone is taken as UTC; a day alone is its midnight. Raises ValueError, for a bool
    and for text in other forms too ("3/4/2026" has two meanings).
    """
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a date")
    if isinstance(value, (int, float)):
        return from_serial(value).replace(tzinfo=UTC)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time.min, UTC)
    text = value.strip()
    if not _ISO_DATE.match(text):
        raise ValueError(
            f"{value!r} is not an ISO 8601 date, like 2026-03-02 or 2026-03-02T09:00:00Z"
        )
    return parse_datetime(datetime.fromisoformat(text))


def parse_date(value: Moment) -> date:
    """The day of a moment, in the zone that it names. Raises ValueError."""
    return parse_datetime(value).date()


def same_day(first: Moment, second: Moment) -> bool:
    """Whether both name the same calendar day, each in its own zone. False for what is no date."""
    try:
        return parse_date(first) == parse_date(second)
    except (ValueError, TypeError, AttributeError):
        return False


def same_instant(first: Moment, second: Moment, *, tolerance: timedelta = timedelta(0)) -> bool:
    """Whether both are the same moment, zones taken into account. False for what is no date."""
    try:
        return abs(parse_datetime(first) - parse_datetime(second)) <= tolerance
    except (ValueError, TypeError, AttributeError, OverflowError):
        return False


def from_serial(serial: int | float) -> datetime:
    """The moment of a spreadsheet's day number, 1900 system, to the millisecond.

    Raises ValueError for what is no number from 1900-03-01 on.
    """
    if not 61 <= serial < _LAST_SERIAL + 1:
        raise ValueError(f"{serial!r} is not the serial number of a day since 1900-03-01")
    days = int(serial)
    return _EPOCH + timedelta(days=days, milliseconds=round((serial - days) * 86_400_000))


def to_serial(moment: date | datetime) -> float:
    """The day number of a date or datetime, the inverse of ``from_serial``."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    days = (moment.replace(tzinfo=None) - _EPOCH) / timedelta(days=1)
    return int(days) if days == int(days) else days
