"""Runs the criteria of a grader on one rollout: ``python3 -P -s -B -m cloche.run_grader``.

Standard input: one line ``{"nonce", "root", "seconds"}``; with ``"files": true`` in it the run's
files come behind it (``arrival``), first the run as it began and then what the agent left, else all
lie in ``root`` already. Standard output: a line ``{"nonce", "execute": {…}}`` for each program to
be run, which is answered on standard input (``execution``), then one line ``{"nonce", "criteria":
[{"name", "weight", "polarity", "cap", "asks", "score", "baseline", "reason", "error",
"unreadable"}]}``, or ``{"nonce", "failed": "…"}`` if grader.py is no grader, or ``{"nonce", "late":
"…"}`` if it takes too long. Nothing is printed if the files did not come whole.

A ``baseline`` is the score of the untouched state: what the criterion says of the run as it began,
without a call. Only what a criterion does there can leave it without a score, and that is found
before a byte of the agent's is here. What breaks it later is the agent's work: it scores 0 and is
``unreadable``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .arrival import clear, make_room, stand_in, unpack
from .criteria import Criterion, Failed, Unreadable, score_of
from .execution import Line
from .judging import Judging, Outcome
from .loading import GraderFailed, load_grader, load_grader_anew
from .run import Run
from .wire import REASON_LIMIT, Wire, clean, traceback_text

#: What a grader may take if nobody says.
SECONDS = 60.0
RAISED = "the criterion raised"


def main() -> None:
    """Grades and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    nonce, root = request.get("nonce"), Path(str(request.get("root", "/grade")))
    seconds = float(request.get("seconds", SECONDS))

    def arrive() -> None:
        if request.get("files"):
            make_room(str(root))
            unpack(wire.input, str(root))

    if request.get("files"):
        clear(str(root))
        unpack(wire.input, str(root))
        stand_in(str(root))
    wire.finish({"nonce": nonce, **judgement(root, seconds, arrive, line=wire, nonce=nonce)})


#: What each criterion comes to on the run as it began.
Baselines = list[dict[str, Any]]


class GraderLate(Exception):
    """The grader takes too long where no agent has been; the message is a sentence."""


def judgement(
    root: Path,
    seconds: float,
    arrive: Callable[[], None] = lambda: None,
    *,
    line: Line | None = None,
    nonce: Any = None,
    known: Baselines | None = None,
    found: Callable[[Baselines], None] = lambda _: None,
) -> dict[str, Any]:
    """What the grader in ``root`` says of the run in ``root``.

    ``arrive`` brings what the agent left; it is called once the grader is loaded and the untouched
    state judged. ``known`` are its baselines if they were found before; else ``found`` is told
    them.
    """
    try:
        criteria = load_grader(root)
        baselines = known
        if baselines is None or len(baselines) != len(criteria):
            baselines = untouched(criteria, root, seconds)
            found(baselines)
    except GraderFailed as failure:
        arrive()
        return {"failed": str(failure)}
    except GraderLate as late:
        arrive()
        return {"late": str(late)}
    arrive()
    outcomes = Judging(
        len(criteria),
        lambda: load_grader_anew(root, criteria),
        lambda each, executor: outcome_of(each, Run(root, executor)),
        seconds=seconds,
        line=line,
        nonce=nonce,
    ).outcomes()
    return {
        "criteria": [
            judged(each, outcome, baseline)
            for each, outcome, baseline in zip(criteria, outcomes, baselines, strict=True)
        ]
    }


def untouched(criteria: list[Criterion], root: Path, seconds: float) -> Baselines:
    """What each criterion comes to on the run as it began. Raises GraderFailed, GraderLate."""
    outcomes = Judging(
        len(criteria),
        lambda: criteria,
        lambda each, _: outcome_of(each, Run(root, untouched=True)),
        seconds=seconds,
        quiet=True,
    ).outcomes()
    for each, outcome in zip(criteria, outcomes, strict=True):
        where = f"on the untouched state, at criterion {each.name!r}"
        if outcome.end == "late":
            raise GraderLate(clean(f"no answer within {seconds:g} s {where}", REASON_LIMIT))
        if outcome.end:
            words = f"grader.py died while it judged the untouched state ({outcome.end})"
            raise GraderFailed(clean(f"{words}, at criterion {each.name!r}", REASON_LIMIT))
    return [{"score": each.score, "error": each.error} for each in outcomes]


def outcome_of(criterion: Criterion, run: Run) -> Outcome:
    """What one criterion says of a run of its own, so that none can change what another sees."""
    try:
        returned = criterion.check(run)
        if inspect.iscoroutine(returned):
            returned.close()
        score, reason = score_of(returned)
        return Outcome(score, clean(reason, REASON_LIMIT))
    except Failed as failed:
        return Outcome(0, _sentence(failed), unreadable=isinstance(failed, Unreadable))
    except BaseException as raised:  # noqa: BLE001  MemoryError, RecursionError, SystemExit.
        error = traceback_text(raised, skip=__file__)
        reason = clean(f"{RAISED} {error.rstrip().rpartition(chr(10))[2]}", REASON_LIMIT)
        return Outcome(None, reason, error, starved=isinstance(raised, MemoryError))


def judged(criterion: Criterion, outcome: Outcome, baseline: dict[str, Any]) -> dict[str, Any]:
    """The verdict on one criterion, as the host is told it.

    One that breaks on the untouched state has no score, whatever the agent did. One that breaks on
    the agent's work alone scores 0.
    """
    told = {**criterion.declared(), "baseline": baseline["score"]}
    if baseline["error"] is not None:
        reason = clean(f"on the untouched state {RAISED} an error", REASON_LIMIT)
        return {**told, "score": None, "reason": reason, "error": baseline["error"]} | {
            "unreadable": False
        }
    broke = outcome.score is None
    reason = f"what the agent left can't be judged: {outcome.reason}" if broke else outcome.reason
    return {
        **told,
        "score": 0 if broke else outcome.score,
        "reason": clean(reason, REASON_LIMIT),
        "error": outcome.error,
        "unreadable": broke or outcome.unreadable,
    }


def _sentence(failed: Failed) -> str:
    try:
        return clean(str(failed) or "does not hold", REASON_LIMIT)
    except Exception:  # noqa: BLE001  The reason was no text.
        return "does not hold"


if __name__ == "__main__":
    main()
