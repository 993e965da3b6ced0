"""What the parts of a variant share."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MADRID = ZoneInfo("Europe/Madrid")
#: The Monday of the week in which the workshop is to be.
MONDAY = date(2026, 3, 9)
DAYS = 5
FIRST, LAST = 9 * 60, 17 * 60
STEP = 15


def moment(day: int, minutes: int) -> datetime:
    """A time of a day of the week, counted from its Monday; minutes from midnight."""
    at = datetime.combine(MONDAY + timedelta(days=day), datetime.min.time())
    return (at + timedelta(minutes=minutes)).replace(tzinfo=MADRID)


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
