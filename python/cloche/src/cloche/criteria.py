"""What a grader is made of: named, weighted criteria, and how one of them fails."""

from __future__ import annotations

import math
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from .run import Run

#: What a criterion may return: a yes or no, a fraction from 0 to 1, or either with a reason.
Score = bool | int | float | Fraction
Result = Score | tuple[Score, str]
Check = Callable[["Run"], Result]
Checked = TypeVar("Checked", bound=Callable[..., Any])

#: The host refuses what is beyond these.
NAME_LIMIT = 200
WEIGHT_LIMIT = 1_000
COUNT_LIMIT = 500
ASKS_LIMIT = 1_000

MUST, MUST_NOT = "must", "must_not"


class Failed(Exception):
    """A criterion does not hold, and why: a result about the agent's work, never a grader's bug."""


class Unreadable(Failed):
    """What the agent made can't be read as what it should be: damaged, crafted, beyond a limit.

    A criterion that ends so scores 0 and is counted as unreadable.
    """


class GraderMistake(Exception):
    """The grader itself is wrong: no criteria, two of one name, a weight that is no number."""


@dataclass(frozen=True)
class Criterion:
    """One criterion as it was defined in grader.py."""

    name: str
    weight: int | float
    check: Check
    #: ``must``: it has to be done; ``must_not``: it has to stay undone, and holds by idleness.
    polarity: str = MUST
    #: Of a ``must_not``: what ``dense`` can be at most if it fails. None: it counts by its weight.
    cap: int | float | None = None
    #: The sentence of the instruction that it rests on.
    asks: str | None = None

    def declared(self) -> dict[str, Any]:
        """What is known of it before anything is graded."""
        return {
            "name": self.name,
            "weight": self.weight,
            "polarity": self.polarity,
            "cap": self.cap,
            "asks": self.asks,
        }


@dataclass
class Collection:
    """The criteria of one grader, in the order of their definition."""

    criteria: list[Criterion]
    closed: bool = False


_by_hand = Collection([])
_current = _by_hand


def criterion(
    name: str,
    *,
    weight: int | float | Fraction = 1,
    must_not: bool = False,
    cap: int | float | Fraction | None = None,
    asks: str | None = None,
) -> Callable[[Checked], Checked]:
    """Makes a function ``check(run)`` a criterion of this grader.

    It holds if the function returns True or 1; it returns False or a fraction from 0 to 1 for
    less, ``(score, reason)`` to say why, or calls ``fail`` or ``check``. Anything else that it
    returns or raises, None included, scores 0 and is counted as unreadable; if it does so on the
    untouched state too, it is an error of the grader and no score at all.

    ``must_not``: it holds as long as something is left undone. It counts towards ``dense`` only
    once some other criterion holds that did not on the untouched state. With ``cap`` it has no
    weight; if it fails, ``dense`` is at most the cap, so that 0 makes it a gate.

    ``asks``: the sentence of the instruction that it rests on, word for word.
    """
    _require_name(name)
    _require_weight(name, weight)
    _require_cap(name, weight, must_not, cap)
    sentence = _sentence(name, asks)

    def register(function: Checked) -> Checked:
        if not callable(function):
            raise GraderMistake(f"criterion {name!r} decorates something that can't be called")
        if _current.closed:
            raise GraderMistake(f"criterion {name!r} stands after grade(); move grade() to the end")
        polarity = MUST_NOT if must_not else MUST
        limit = None if cap is None else _plain(cap)
        _current.criteria.append(
            Criterion(name, _plain(weight), function, polarity, limit, sentence)
        )
        return function

    return register


def fail(reason: str) -> NoReturn:
    """Ends the criterion with score 0 and this reason."""
    raise Failed(reason)


def check(condition: object, reason: str) -> None:
    """Ends the criterion with score 0 and this reason unless ``condition`` is true."""
    if not condition:
        raise Failed(reason)


def grade() -> None:
    """Closes the grader: the last line of grader.py. Cloche runs the criteria, not this call."""
    if _current.closed:
        raise GraderMistake("grade() is called twice; once, as the last line, is enough")
    _current.closed = True
    if _current is _by_hand:
        names = ", ".join(repr(each.name) for each in _by_hand.criteria) or "none"
        sys.stderr.write(
            f"This grader has these criteria: {names}. They need a rollout to look at: "
            "run `./cloche.mjs run <task>`, or `./cloche.mjs grade <bundle>` for an earlier one.\n"
        )


def collect(load: Callable[[], object]) -> list[Criterion]:
    """The criteria that ``load`` defines. Raises GraderMistake if they make no grader."""
    global _current
    collection = Collection([])
    _current = collection
    try:
        load()
    finally:
        _current = _by_hand
    if not collection.criteria:
        raise GraderMistake("grader.py defines no criteria; decorate functions with @criterion")
    if len(collection.criteria) > COUNT_LIMIT:
        raise GraderMistake(
            f"grader.py defines {len(collection.criteria)} criteria; {COUNT_LIMIT} is the most"
        )
    if not collection.closed:
        raise GraderMistake("grader.py does not end with grade()")
    if all(each.polarity == MUST_NOT for each in collection.criteria):
        raise GraderMistake(
            "all criteria of grader.py are must_not: who does nothing would pass; "
            "add one for what is to be done"
        )
    _require_distinct(collection.criteria)
    return collection.criteria


def score_of(returned: object) -> tuple[int | float, str]:
    """The score and the reason in what a criterion returned. Raises TypeError or ValueError."""
    reason = ""
    if isinstance(returned, tuple):
        if len(returned) != 2 or not isinstance(returned[1], str):
            raise TypeError("a criterion that returns a tuple must return (score, reason)")
        returned, reason = returned
    if isinstance(returned, bool):
        return int(returned), reason or ("holds" if returned else "does not hold")
    if not isinstance(returned, (int, float, Fraction)):
        raise TypeError(
            f"the criterion returned {type(returned).__name__}; "
            "it must return True, False, a fraction from 0 to 1, or (score, reason)"
        )
    if not 0 <= returned <= 1:  # NaN is not between them either.
        raise ValueError(f"the criterion returned {returned!r}; a score lies between 0 and 1")
    number = float(returned)
    # Only what is exactly 1 is whole: a fraction that merely rounds to 1 is not.
    if number == 1 and returned != 1:
        number = math.nextafter(1.0, 0.0)
    plain = int(number) if number in (0, 1) else number
    words = "holds" if plain == 1 else "does not hold" if plain == 0 else f"holds to {plain:.4g}"
    return plain, reason or words


def _require_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise GraderMistake(f'a criterion needs a name, not {name!r}; write @criterion("…")')
    if len(name) > NAME_LIMIT or any(unicodedata.category(letter) == "Cc" for letter in name):
        raise GraderMistake(
            f"a criterion's name is one line of at most {NAME_LIMIT} letters: {name!r}"
        )


def _require_weight(name: str, weight: object) -> None:
    is_number = isinstance(weight, (int, float, Fraction)) and not isinstance(weight, bool)
    if not is_number or not 0 < weight <= WEIGHT_LIMIT:  # type: ignore[operator]
        raise GraderMistake(
            f"criterion {name!r} has the weight {weight!r}; "
            f"it must be above 0 and at most {WEIGHT_LIMIT}"
        )


def _require_cap(name: str, weight: object, must_not: object, cap: object) -> None:
    if not isinstance(must_not, bool):
        raise GraderMistake(f"criterion {name!r}: must_not is {must_not!r}; write True or False")
    if cap is None:
        return
    if not must_not:
        raise GraderMistake(f"criterion {name!r} has a cap; only one that is must_not can")
    is_number = isinstance(cap, (int, float, Fraction)) and not isinstance(cap, bool)
    if not is_number or not 0 <= cap < 1:  # type: ignore[operator]
        raise GraderMistake(
            f"criterion {name!r} has the cap {cap!r}; it must be from 0 (a gate) to below 1"
        )
    if weight != 1:
        raise GraderMistake(f"criterion {name!r} has a weight and a cap; a cap counts without one")


def _sentence(name: str, asks: object) -> str | None:
    if asks is None:
        return None
    sentence = " ".join(asks.split()) if isinstance(asks, str) else ""
    if not sentence or len(sentence) > ASKS_LIMIT:
        raise GraderMistake(
            f"criterion {name!r}: asks is a sentence of the instruction "
            f"of at most {ASKS_LIMIT} letters, not {asks!r:.200}"
        )
    return sentence


def _plain(number: int | float | Fraction) -> int | float:
    return number if isinstance(number, int) else float(number)


def _require_distinct(criteria: list[Criterion]) -> None:
    seen: dict[str, str] = {}
    twice: list[str] = []
    for each in criteria:
        key = unicodedata.normalize("NFC", each.name).strip()
        if key in seen and key not in twice:
            twice.append(key)
        seen[key] = each.name
    if twice:
        names = ", ".join(repr(name) for name in twice)
        raise GraderMistake(f"two criteria of one name: {names}; each name may stand once")
