"""What the parts of a variant share."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

MADRID = ZoneInfo("Europe/Madrid")
#: The Monday of the week in which the workshop is to be.
MONDAY = date(2026, 3, 9)
DAYS = 5
FIRST, LAST = 9 * 60, 17 * 60
STEP = 15


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    seats: int = 0

    @property
    def shown(self):
        return f"{self.name} <{self.email}>"

    def row(self):
        kind = {"kind": "room", "capacity": self.seats} if self.seats else {"kind": "person"}
        return {"name": self.name, "email": self.email, "timezone": "Europe/Madrid", **kind}


def moment(day, minutes):
    """A time of a day of the week, counted from its Monday; minutes from midnight."""
    at = datetime.combine(MONDAY + timedelta(days=day), datetime.min.time())
    return (at + timedelta(minutes=minutes)).replace(tzinfo=MADRID)


def euros(cents):
    return f"{cents // 100}.{cents % 100:02d}"
