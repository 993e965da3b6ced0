"""Runs the criteria of a grader on one rollout: ``python3 -P -s -B -m cloche.run_grader``.

Standard input: one line ``{"nonce", "root"}``; with ``"files": true`` in it the run's files come
behind it (``arrival``), else they lie in ``root`` already. Standard output: a line
``{"nonce", "execute": {…}}`` for each program to be run, which is answered on standard input
(``execution``), then one line
``{"nonce", "criteria": [{"name", "weight", "score", "reason", "error"}]}``, or
``{"nonce", "failed": "…"}`` if grader.py is no grader. Nothing is printed if the files did not
come whole.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

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
    try:
        criteria = load_grader(root)
    except GraderFailed as failure:
        wire.finish({"nonce": nonce, "failed": str(failure)})
    executor = Executor(wire, nonce)
    judged = [verdict(each, root, executor) for each in criteria]
    wire.finish({"nonce": nonce, "criteria": judged})


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


def verdict(criterion: Criterion, root: Path, executor: Executor | None) -> dict[str, Any]:
    """What one criterion says. Each gets a Run of its own, so none can change what another sees."""
    score: int | float | None = None
    reason, error = "the criterion raised an error", None
    try:
        returned = criterion.check(Run(root, executor))
        if inspect.iscoroutine(returned):
            returned.close()
        score, reason = score_of(returned)
    except Failed as failed:
        score, reason = 0, _sentence(failed)
    except BaseException as raised:  # noqa: BLE001  MemoryError, RecursionError, SystemExit.
        reason = f"the criterion raised {type(raised).__name__}"
        error = traceback_text(raised, skip=__file__)
    return {
        "name": criterion.name,
        "weight": criterion.weight,
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
