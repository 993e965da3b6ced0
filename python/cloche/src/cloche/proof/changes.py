"""What a mutant is, and small changes that many kinds of files have in common."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeVar

from .ground import Edits

#: What has gone wrong in a mutant: something asked for is missing or wrong, something was done too
#: much, or something was touched that should have been left alone.
Family = Literal["partial", "wrong", "extra", "forbidden"]
Item = TypeVar("Item")

_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{3,}")
#: In longer lines people write freely; only their numbers and dates are facts.
FREE_WORDS = 12


@dataclass(frozen=True)
class Mutant:
    """One variation of a run that some criterion must notice."""

    family: Family
    #: ``workspace/budget.xlsx``, ``state/mail``, ``steps``, ``answer``.
    place: str
    #: Where in it: ``Sheet1!B7``, ``line 3``; may be empty.
    where: str
    #: The kind of change, the same words each time: ``number off by one``.
    operator: str
    #: For a person: what became what.
    change: str
    edits: Edits
    #: Whether a grader must not miss it: it is one of a kind, which a score can't tell.
    grave: bool = False

    @property
    def name(self) -> str:
        """What a task's proof settings match: place, where and operator."""
        return " ".join(
            filter(None, [self.place, f"{self.where}:" if self.where else "", self.operator])
        )


@dataclass(frozen=True)
class Shape:
    """One variation of a run that is as right as the run itself."""

    #: ``crlf``, ``float-noise``, …
    shape: str
    place: str
    change: str
    edits: Edits


def next_day(text: str) -> str | None:
    """The text with its first ISO date one day later; None if it has none."""
    found = _DAY.search(text)
    if not found:
        return None
    try:
        day = date(*map(int, found.groups())) + timedelta(days=1)
    except ValueError:
        return None
    return text[: found.start()] + day.isoformat() + text[found.end() :]


def next_number(text: str, rng: random.Random) -> str | None:
    """The text with one of its numbers one more or less; None if it has none."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    one = rng.choice(found)
    digits = one[0]
    last = str((int(digits[-1]) + 1) % 10)
    return text[: one.start()] + digits[:-1] + last + text[one.end() :]


def other_word(text: str, rng: random.Random) -> str | None:
    """The text with one of its words changed; None if it has none or is free prose."""
    found = list(_WORD.finditer(text))
    if not found or len(text.split()) > FREE_WORDS:
        return None
    one = rng.choice(found)
    return text[: one.end()] + "ix" + text[one.end() :]


def off_by_one(text: str, rng: random.Random) -> tuple[str, str] | None:
    """The text with one fact of it wrong, and the operator's name."""
    ways = [
        ("date shifted", next_day(text)),
        ("number off by one", next_number(text, rng)),
        ("word changed", other_word(text, rng)),
    ]
    usable = [(name, changed) for name, changed in ways if changed is not None]
    # A date is also numbers: it goes first.
    return usable[0][::-1] if usable else None


def some(items: list[Item], count: int, rng: random.Random) -> list[Item]:
    """At most ``count`` of the items, in their order."""
    if len(items) <= count:
        return list(items)
    return [items[at] for at in sorted(rng.sample(range(len(items)), count))]


def short(text: object, limit: int = 70) -> str:
    """A text as messages show it."""
    shown = " ".join(str(text).split())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
