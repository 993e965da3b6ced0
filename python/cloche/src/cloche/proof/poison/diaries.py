"""Hostile and damaged calendars: repeating events that no reader gets to the end of, and worse."""

from __future__ import annotations

from collections.abc import Iterator

from .raw import Dose

_EVENT = (
    "BEGIN:VEVENT\nUID:poison@x.test\nDTSTAMP:20260101T000000Z\nDTSTART:{start}\nDTEND:{end}\n"
    "SUMMARY:Poison\n{more}\nEND:VEVENT\n"
)
RULES = (
    "FREQ=SECONDLY",
    "FREQ=SECONDLY;COUNT=100000000",
    "FREQ=YEARLY;BYDAY=53MO",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=400",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYYEARDAY=367;BYWEEKNO=54",
    "FREQ=HOURLY;BYHOUR=99",
    "FREQ=WEEKLY;UNTIL=99999999T999999Z",
    "FREQ=WEEKLY;COUNT=3;UNTIL=20260401",
    "FREQ=NEVER",
    "FREQ=",
    "BYDAY=MO",
    "FREQ=DAILY;COUNT=-1",
    "FREQ=DAILY;X-NOBODY=1;SKIP=OMIT",
)
_LINES = {
    "exceptions that are no dates": "EXDATE:nonsense,,20269999",
    "10,000 dates more": "RDATE:"
    + ",".join(f"{2026 + at // 300}0101T{at % 24:02d}0000Z" for at in range(10_000)),
    "a change of nothing": "RECURRENCE-ID:20260102T090000Z",
    "a guest without an address": 'ATTENDEE;PARTSTAT=X;CN="a:\n ATTENDEE:mailto:\nATTENDEE:',
    "an alarm before all days": "BEGIN:VALARM\nTRIGGER:-P999999999W\nEND:VALARM",
    "a text of 1 MiB": "DESCRIPTION:" + "x" * (1 << 20),
    "another kind of value": "DTSTART;VALUE=PERIOD:20260101T000000Z/P1D",
    "no such time zone": "DTSTART;TZID=Nowhere/Nobody:20260101T090000",
    "a time zone as a path": "DTSTART;TZID=../../etc/passwd:20260101T090000",
    "an event in an event": "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT",
    "1,000 events begun": "BEGIN:VEVENT\n" * 1_000,
    "a sequence of 10,000 digits": "SEQUENCE:" + "9" * 10_000,
    "a length that is none": "DURATION:P\nTRANSP:MAYBE\nSTATUS:PERHAPS",
}
_TIMES = {
    "the first day of all": ("00010101T000000Z", "00010101T010000Z"),
    "the last day of all": ("99991231T235959Z", "99991231T235959Z"),
    "an end before its start": ("20260310T100000Z", "20260301T100000Z"),
    "a start that is none": ("20261399T256199Z", "20260301T100000Z"),
    "a day and a moment": ("20260310", "20260310T100000Z"),
    "a century": ("20000101T000000Z", "21000101T000000Z"),
}
DAY = ("20260310T100000Z", "20260310T110000Z")


def diary_damages(data: bytes) -> Iterator[Dose]:
    """A calendar with one more event, of a hostile kind."""
    for rule in RULES:
        yield Dose(f"repeating by {rule}", _with_event(data, DAY, f"RRULE:{rule}"))
    for kind, lines in _LINES.items():
        yield Dose(kind, _with_event(data, DAY, lines))
    for kind, times in _TIMES.items():
        yield Dose(kind, _with_event(data, times, "RRULE:FREQ=WEEKLY"))
    yield Dose("no uid", _with_event(data, DAY, "").replace(b"UID:poison@x.test\r\n", b""))
    yield Dose("no start", _with_event(data, DAY, "").replace(b"DTSTART:20260310T100000Z\r\n", b""))
    yield Dose("no end of the calendar", data.replace(b"END:VCALENDAR", b""))
    yield Dose("1,000 calendars begun", b"BEGIN:VCALENDAR\r\n" * 1_000 + data)


def _with_event(data: bytes, times: tuple[str, str], more: str) -> bytes:
    start, end = times
    event = _EVENT.format(start=start, end=end, more=more).replace("\n", "\r\n").encode()
    at = data.rfind(b"END:VCALENDAR")
    return data + event if at < 0 else data[:at] + event + data[at:]
