"""Numbers that carry a check digit: ISBNs."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]")
_LABEL = re.compile(r"ISBN(?:1[03](?=:|\d{13}$|[0-9]{9}[0-9X]$))?:?")
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")
_ISBN13 = re.compile(r"97[89][0-9]{10}")


def isbn13(value: object) -> str | None:
    """The ISBN as 13 digits, whatever hyphens, spaces or "ISBN" stand in it; else None.

    An ISBN-10 becomes its ISBN-13. A whole number (a spreadsheet's cell) is read as its digits.
    """
    text = bare(value)
    if _ISBN10.fullmatch(text) and isbn10_check_digit(text[:9]) == text[9]:
        return to_isbn13(text)
    if _ISBN13.fullmatch(text) and isbn13_check_digit(text[:12]) == text[12]:
        return text
    return None


def is_isbn(value: object) -> bool:
    """Whether it is a valid ISBN-10 or ISBN-13."""
    return isbn13(value) is not None


def to_isbn13(isbn10: str) -> str:
    """The ISBN-13 of ten digits; the tenth, a check digit of another kind, is not looked at."""
    start = "978" + bare(isbn10)[:9]
    return start + isbn13_check_digit(start)


def to_isbn10(value: object) -> str | None:
    """The ISBN-10 of a valid ISBN; None for those that have none (979-…) and for invalid ones."""
    full = isbn13(value)
    if full is None or not full.startswith("978"):
        return None
    return full[3:12] + isbn10_check_digit(full[3:12])


def isbn13_check_digit(first12: str) -> str:
    """The thirteenth digit. Raises ValueError unless given twelve digits."""
    _require_digits(first12, 12)
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(first12))
    return str(-total % 10)


def isbn10_check_digit(first9: str) -> str:
    """The tenth digit, possibly "X". Raises ValueError unless given nine digits."""
    _require_digits(first9, 9)
    total = sum(int(digit) * (10 - index) for index, digit in enumerate(first9))
    return "X" if -total % 11 == 10 else str(-total % 11)


def bare(value: object) -> str:
    """The identifier without hyphens, spaces and a leading "ISBN", in capitals; "" for None."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = _SEPARATORS.sub("", str(value)).upper()
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


def _require_digits(text: str, count: int) -> None:
    if not re.fullmatch(rf"[0-9]{{{count}}}", text):
        raise ValueError(f"{text!r} is not {count} digits")
