"""Visits, who is free when, and what the rules make of an absence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = date(2026, 3, 9)
FIRST_HOUR, LAST_HOUR = 9, 17
#: What the chapter in force says, and what the old one said.
NOW, ONCE = (3, 30), (6, 0)
Span = tuple[datetime, datetime]


def moment(day: int, minutes: int) -> datetime:
    """A time of a day counted from the Monday; minutes from midnight."""
    at = datetime.combine(MONDAY + timedelta(days=day), time(), MADRID)
    return at + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Visit:
    customer: str
    town: str
    skill: str
    who: str
    start: datetime
    minutes: int
    weekly: bool = False
    cancelled: bool = False

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def day(self) -> date:
        return self.start.date()


class Rota:
    """Who does what when. `skills` and `busy` are by address; busy are (start, end)."""

    def __init__(
        self,
        skills: dict[str, list[str]],
        names: dict[str, str],
        busy: dict[str, list[Span]],
        visits: list[Visit],
    ) -> None:
        self.skills, self.names, self.busy = skills, names, busy
        self.visits = [each for each in visits if not each.cancelled]

    def cover(
        self,
        absent: str,
        days: list[date],
        *,
        limits: tuple[int, int] = NOW,
        excluded: Sequence[str] = (),
    ) -> list[tuple[Visit, Visit]]:
        """The visits of the absence, each with how it is then; in the order of their starts."""
        todo = sorted(
            (each for each in self.visits if each.who == absent and each.day in days),
            key=lambda each: each.start,
        )
        done: dict[Visit, Visit] = {}
        left: list[Visit] = []
        for visit in todo:
            able = [
                who
                for who in self.skills
                if who not in (absent, *excluded)
                and visit.skill in self.skills[who]
                and self.fits(replace(visit, who=who), visit, limits)
            ]
            if not able:
                left.append(visit)
                continue
            best = min(able, key=lambda who: (self.count(who, visit.day), self.names[who]))
            done[visit] = self.put(visit, replace(visit, who=best))
        for visit in left:
            done[visit] = self.put(visit, self.first_time(visit, max(days), limits))
        return [(visit, done[visit]) for visit in todo]

    def first_time(self, visit: Visit, last: date, limits: tuple[int, int]) -> Visit:
        for day in range(1, 30):
            at = last + timedelta(days=day)
            if at.weekday() > 4:
                continue
            for hour in range(FIRST_HOUR, LAST_HOUR):
                moved = replace(visit, start=datetime.combine(at, time(hour), MADRID))
                by = datetime.combine(at, time(LAST_HOUR), MADRID)
                if moved.end <= by and self.fits(moved, visit, limits):
                    return moved
        raise AssertionError("no time in a month")

    def fits(self, visit: Visit, instead_of: Visit, limits: tuple[int, int]) -> bool:
        most, margin = limits
        others = [each for each in self.visits if each.who == visit.who and each != instead_of]
        if sum(each.day == visit.day for each in others) >= most:
            return False
        around = timedelta(minutes=margin)
        taken = [*self.busy[visit.who], *((each.start, each.end) for each in others)]
        return all(
            end <= visit.start - around or start >= visit.end + around for start, end in taken
        )

    def count(self, who: str, day: date) -> int:
        return sum(each.who == who and each.day == day for each in self.visits)

    def put(self, visit: Visit, changed: Visit) -> Visit:
        self.visits = [changed if each == visit else each for each in self.visits]
        return changed
