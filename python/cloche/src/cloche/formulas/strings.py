"""Functions on text."""

from __future__ import annotations

import re

from .calls import MANY, Call, function
from .selections import like
from .values import NUM, VALUE, Area, ErrorValue, Matrix, Operand, bounded, parse_number, text


@function("LEN", 1)
def _len(given: Call) -> Operand:
    return len(given.text(0))


@function("LEFT", 1, 2)
def _left(given: Call) -> Operand:
    return given.text(0)[: _length(given, 1)]


@function("RIGHT", 1, 2)
def _right(given: Call) -> Operand:
    whole, length = given.text(0), _length(given, 1)
    return whole[len(whole) - length :] if length < len(whole) else whole


@function("MID", 3)
def _mid(given: Call) -> Operand:
    start = given.whole(1)
    if start < 1:
        raise ErrorValue(VALUE)
    return given.text(0)[start - 1 : start - 1 + _length(given, 2)]


def _length(given: Call, index: int) -> int:
    length = given.whole(index, 1)
    if length < 0:
        raise ErrorValue(VALUE)
    return length


@function("TRIM", 1)
def _trim(given: Call) -> Operand:
    return re.sub(" +", " ", given.text(0)).strip(" ")


@function("UPPER", 1)
def _upper(given: Call) -> Operand:
    return bounded(given.text(0).upper())


@function("LOWER", 1)
def _lower(given: Call) -> Operand:
    return bounded(given.text(0).lower())


@function("PROPER", 1)
def _proper(given: Call) -> Operand:
    return bounded(given.text(0).title())


@function("EXACT", 2)
def _exact(given: Call) -> Operand:
    return given.text(0) == given.text(1)


@function("CONCATENATE", 1, MANY)
def _concatenate(given: Call) -> Operand:
    return bounded("".join(given.text(index) for index in range(given.count)))


@function("CONCAT", 1, MANY)
def _concat(given: Call) -> Operand:
    return bounded("".join(_all_texts(given, 0)))


@function("TEXTJOIN", 3, MANY)
def _textjoin(given: Call) -> Operand:
    texts = _all_texts(given, 2)
    return bounded(given.text(0).join(each for each in texts if each or not given.truth(1)))


def _all_texts(given: Call, start: int) -> list[str]:
    texts: list[str] = []
    for index in range(start, given.count):
        value = given.operand(index)
        if isinstance(value, (Area, Matrix)):
            rows, columns = value.shape
            given.evaluator.spend(rows * columns)
            texts.extend(text(value.at(i, j)) for i in range(rows) for j in range(columns))
        else:
            texts.append(text(value))
    return texts


@function("SUBSTITUTE", 3, 4)
def _substitute(given: Call) -> Operand:
    whole, old, new = given.text(0), given.text(1), given.text(2)
    if not old:
        return whole
    if given.count < 4:
        if len(whole) + whole.count(old) * (len(new) - len(old)) > 32_767:
            raise ErrorValue(VALUE)
        return whole.replace(old, new)
    parts = whole.split(old)
    place = given.whole(3)
    if place < 1:
        raise ErrorValue(VALUE)
    if place >= len(parts):
        return whole
    return bounded(old.join(parts[:place]) + new + old.join(parts[place:]))


@function("REPT", 2)
def _rept(given: Call) -> Operand:
    unit, times = given.text(0), given.whole(1)
    if times < 0 or len(unit) * times > 32_767:
        raise ErrorValue(VALUE)
    return unit * times


@function("FIND", 2, 3)
def _find(given: Call) -> Operand:
    start = given.whole(2, 1)
    place = given.text(1).find(given.text(0), start - 1) if start >= 1 else -1
    if place < 0:
        raise ErrorValue(VALUE)
    return place + 1


@function("SEARCH", 2, 3)
def _search(given: Call) -> Operand:
    wanted, within, start = given.text(0), given.text(1), given.whole(2, 1)
    if start < 1:
        raise ErrorValue(VALUE)
    if not re.search(r"[*?~]", wanted):
        place = within.casefold().find(wanted.casefold(), start - 1)
    else:
        given.evaluator.spend(len(within) ** 2)
        meets = like(f"{wanted}*")
        places = range(start - 1, len(within) + 1)
        place = next((each for each in places if meets(within[each:])), -1)
    if place < 0:
        raise ErrorValue(VALUE)
    return place + 1


@function("VALUE", 1)
def _value(given: Call) -> Operand:
    parsed = parse_number(given.text(0))
    if parsed is None:
        raise ErrorValue(VALUE)
    return parsed


@function("CHAR", 1)
def _char(given: Call) -> Operand:
    code = given.whole(0)
    if not 1 <= code <= 126:
        raise ErrorValue(VALUE if code < 256 else NUM)
    return chr(code)
