"""Writes calendars with Python's icalendar into a folder. Run: python3 make_calendars.py FOLDER"""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytz
from icalendar import Calendar, Event, vRecur

ZONES = ["Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
RULES = {
    "daily": "FREQ=DAILY;COUNT=9",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=12",
    "fortnight": "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TU;COUNT=8",
    "last": "FREQ=MONTHLY;BYDAY=-1FR;COUNT=5",
    "position": "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1;COUNT=8",
    "until": "FREQ=DAILY;UNTIL=20260410T120000Z",
    "yearly": "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=-1;COUNT=3",
}
folder = Path(sys.argv[1])


def save(name: str, *events: Event) -> None:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//corpus//EN")
    for event in events:
        calendar.add_component(event)
    (folder / f"{name}.ics").write_bytes(calendar.to_ical())


def made(title: str, start: date, end: date | None = None, **more: Any) -> Event:
    event = Event()
    for key, value in {"uid": title, "summary": title, "dtstart": start, **more}.items():
        event.add(key.replace("_", "-"), value)
    if end is not None:
        event.add("dtend", end)
    return event


for zone in ZONES:
    place = pytz.timezone(zone)
    short = zone.rpartition("/")[2].lower()

    def at(days: int = 0, place: pytz.BaseTzInfo = place, **more: int) -> datetime:
        return place.localize(datetime(2026, 3, 27, 14) + timedelta(days, **more))

    start = at()
    for name, rule in RULES.items():
        own = made("series", start, at(minutes=50), rrule=vRecur.from_ical(rule))
        if name in ("daily", "until"):
            second, third = at(1), at(2)
            own.add("exdate", second)
            own.add("exdate", third.astimezone(UTC))
            moved = made("series", at(3, hours=2), at(3, hours=3))
            moved.add("recurrence-id", at(3).astimezone(UTC))
            save(f"{name}-{short}", own, moved)
        else:
            save(f"{name}-{short}", own)
    long = made("long", start, duration=timedelta(hours=30))
    own = made("dates", start, at(hours=1))
    own.add("rdate", [at(5), at(9)])
    save(f"more-{short}", long, own, made("moment", start))
save(
    "days",
    made("trip", date(2026, 3, 28), date(2026, 3, 31)),
    made("day", date(2026, 4, 1)),
    made("weekly", date(2026, 3, 30), date(2026, 3, 31), rrule={"freq": "weekly", "count": 4}),
)
save("empty")
