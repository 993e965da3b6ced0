"""Functions on days, which are serial numbers."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta

from ..dates import from_serial, to_serial
from .calls import Call, function
from .values import NUM, ErrorValue, Operand, UnsupportedFormula


@function("DATE", 3)
def _date(given: Call) -> Operand:
    year, month, day = given.whole(0), given.whole(1), given.whole(2)
    year += 1900 if 0 <= year < 1900 else 0
    months = year * 12 + month - 1
    try:
        return to_serial(date(months // 12, months % 12 + 1, 1) + timedelta(days=day - 1))
    except (ValueError, OverflowError) as error:
        raise ErrorValue(NUM) from error


@function("TODAY", 0)
def _today(given: Call) -> Operand:
    return to_serial(_now(given).date())


@function("NOW", 0)
def _now_serial(given: Call) -> Operand:
    return to_serial(_now(given).replace(tzinfo=None))


@function("YEAR", 1)
def _year(given: Call) -> Operand:
    return _day(given, 0).year


@function("MONTH", 1)
def _month(given: Call) -> Operand:
    return _day(given, 0).month


@function("DAY", 1)
def _day_of_month(given: Call) -> Operand:
    return _day(given, 0).day


@function("WEEKDAY", 1, 2)
def _weekday(given: Call) -> Operand:
    monday_first = _day(given, 0).weekday()
    kind = given.whole(1, 1)
    if kind not in (1, 2, 3):
        raise ErrorValue(NUM)
    return {1: (monday_first + 1) % 7 + 1, 2: monday_first + 1, 3: monday_first}[kind]


@function("DAYS", 2)
def _days(given: Call) -> Operand:
    return int(given.number(0)) - int(given.number(1))


@function("EDATE", 2)
def _edate(given: Call) -> Operand:
    day = _day(given, 0)
    year, month = _shifted(day, given.whole(1))
    return to_serial(date(year, month, min(day.day, calendar.monthrange(year, month)[1])))


@function("EOMONTH", 2)
def _eomonth(given: Call) -> Operand:
    year, month = _shifted(_day(given, 0), given.whole(1))
    return to_serial(date(year, month, calendar.monthrange(year, month)[1]))


def _shifted(day: datetime, by: int) -> tuple[int, int]:
    months = day.year * 12 + day.month - 1 + by
    if not 1900 * 12 <= months < 10_000 * 12:
        raise ErrorValue(NUM)
    return months // 12, months % 12 + 1


def _day(given: Call, index: int) -> datetime:
    try:
        return from_serial(given.number(index))
    except ValueError as error:
        raise ErrorValue(NUM) from error


def _now(given: Call) -> datetime:
    now = given.evaluator.now
    if now is None:
        raise UnsupportedFormula(
            f"{given.name} needs a clock: open_workbook(…, now=run.context.now)"
        )
    return now
