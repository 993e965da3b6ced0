"""Runs the criteria of a grader on one rollout: ``python3 -P -s -B -m cloche.run_grader``.

Standard input: one line ``{"nonce", "root"}``; with ``"files": true`` in it the run's files come
behind it (``arrival``), else they lie in ``root`` already. Standard output: a line
``{"nonce", "execute": {…}}`` for each program to be run, which is answered on standard input
(``execution``), then one line
``{"nonce", "criteria": [{"name", "weight", "polarity", "cap", "asks", "score", "baseline",
"reason", "error"}]}``, or ``{"nonce", "failed": "…"}`` if grader.py is no grader. Nothing is printed
if the files did not come whole.

A ``baseline`` is the score of the untouched state: what the criterion says of the run as it began,
without a call. It is found in a process of its own, so that neither judging sees the other.
"""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from .arrival import unpack
from .criteria import Criterion, Failed, GraderMistake, collect, score_of
from .execution import Executor
from .loading import load_script
from .run import Run
from .wire import REASON_LIMIT, TRACEBACK_LIMIT, Wire, clean, traceback_text


def main() -> None:
    """Grades and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    nonce, root = request.get("nonce"), Path(str(request.get("root", "/grade")))
    if request.get("files"):
        unpack(wire.input, str(root))
    wire.finish({"nonce": nonce, **judgement(root, Executor(wire, nonce))})


def judgement(
    root: Path,
    executor: Executor | None = None,
    known: Baselines | None = None,
    found: Callable[[Baselines], None] = lambda _: None,
) -> dict[str, Any]:
    """What the grader in ``root`` says of the run in ``root``; ``failed`` if it is no grader.

    ``known`` are its baselines if they were found before; else ``found`` is told them, before
    anything of what the agent left is looked at.
    """
    try:
        criteria = load_grader(root)
        baselines = known
        if baselines is None or len(baselines) != len(criteria):
            baselines = untouched_scores(criteria, root)
            found(baselines)
    except GraderFailed as failure:
        return {"failed": str(failure)}
    judged = [
        {**verdict(each, root, executor), "baseline": baseline}
        for each, baseline in zip(criteria, baselines, strict=True)
    ]
    return {"criteria": judged}


#: What each criterion scores on the run as it began; None where it raised.
Baselines = list[int | float | None]


class GraderFailed(Exception):
    """grader.py can't be used; the message is a sentence or a traceback."""


def load_grader(root: Path) -> list[Criterion]:
    """The criteria of ``root/task/grader.py``. Raises GraderFailed."""
    try:
        return collect(lambda: load_script(root / "task" / "grader.py", "grader"))
    except GraderMistake as mistake:
        raise GraderFailed(clean(str(mistake), TRACEBACK_LIMIT)) from mistake
    except BaseException as error:  # noqa: BLE001  sys.exit() while loading is a failure too.
        raise GraderFailed(traceback_text(error)) from error


def untouched_scores(criteria: list[Criterion], root: Path) -> Baselines:
    """What each criterion scores on the run as it began; None where it raised.

    Judged in a process of its own, which is over when this returns. Raises GraderFailed if it died.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _judge_untouched(criteria, root, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="ascii") as pipe:
        line = pipe.readline()  # What a criterion leaves running holds the pipe open.
    _, status = os.waitpid(child, 0)
    if line.endswith("\n"):
        return json.loads(line)  # type: ignore[no-any-return]
    code = os.waitstatus_to_exitcode(status)
    raise GraderFailed(f"grader.py died while it judged the untouched state (exit code {code})")


def _judge_untouched(criteria: list[Criterion], root: Path, writing: int) -> NoReturn:
    owner, code = os.getpid(), 1
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # What it prints would be printed twice.
            os.dup2(null, stream)
        scores = [verdict(each, root, untouched=True)["score"] for each in criteria]
        if os.getpid() == owner:
            os.write(writing, json.dumps(scores).encode() + b"\n")
            code = 0
    finally:
        os._exit(code)


def verdict(
    criterion: Criterion,
    root: Path,
    executor: Executor | None = None,
    *,
    untouched: bool = False,
) -> dict[str, Any]:
    """What one criterion says. Each gets a Run of its own, so none can change what another sees."""
    score: int | float | None = None
    reason, error = "the criterion raised an error", None
    try:
        returned = criterion.check(Run(root, executor, untouched=untouched))
        if inspect.iscoroutine(returned):
            returned.close()
        score, reason = score_of(returned)
    except Failed as failed:
        score, reason = 0, _sentence(failed)
    except BaseException as raised:  # noqa: BLE001  MemoryError, RecursionError, SystemExit.
        reason = f"the criterion raised {type(raised).__name__}"
        error = traceback_text(raised, skip=__file__)
    return {
        **criterion.declared(),
        "score": score,
        "reason": clean(reason, REASON_LIMIT),
        "error": error,
    }


def _sentence(failed: Failed) -> str:
    try:
        return str(failed) or "does not hold"
    except Exception:  # noqa: BLE001  The reason was no text.
        return "does not hold"


if __name__ == "__main__":
    main()
