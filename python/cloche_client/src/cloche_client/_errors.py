"""The one error of the client."""

from __future__ import annotations

import json
from typing import Any, cast

from ._wire import Problem

SHOWN = 500

#: What to do about the client's own codes. Those of the service come with their own advice.
ADVICE = {
    "client/unreachable": "See that the service runs at this URL and that nothing is in between.",
    "client/bad-answer": "See that the URL is that of a Cloche service of this version.",
    "client/tool-protocol-error": "See that the tool is one of rollout.tools(), spelt as it is there.",  # noqa: E501  As in TypeScript.
    "client/rollout-ended": "Read its record, or ask for another rollout.",
    "client/not-ended": "Finish it first, or use attach to take it over.",
    "client/timeout": "Wait for longer, or give the service more room.",
    "client/closed": "Make another client; one that was closed stays closed.",
    "client/own-transport": "Make a client in each process and event loop, or give it no transport.",  # noqa: E501  As in TypeScript.
}


class ClocheError(Exception):
    """Something was refused or failed; ``code`` is stable and says what.

    It is a code of docs/errors.md, or one of the client's own: ``client/unreachable`` (no answer),
    ``client/bad-answer`` (not an answer of Cloche), ``client/tool-protocol-error`` (the endpoint
    refused a call), ``client/rollout-ended`` (it ended before it served), ``client/not-ended``,
    ``client/timeout``, ``client/closed``, ``client/own-transport``.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        advice: str | None = None,
        problem: Problem | None = None,
    ) -> None:
        self.code = code
        #: What happened, and to what.
        self.detail = detail
        #: What to do.
        self.advice = ADVICE.get(code, "") if advice is None else advice
        #: The HTTP status; None if there was no answer.
        self.status = status
        #: The whole problem document that came back, if there was one.
        self.problem = problem
        super().__init__(f"{code}: {detail}" + (f" [{self.advice}]" if self.advice else ""))

    def __reduce__(self) -> tuple[Any, ...]:
        """So that one that is raised in another process comes back from there."""
        parts = (self.code, self.detail, self.status, self.advice, self.problem)
        return (_made_again, parts)


def _made_again(
    code: str, detail: str, status: int | None, advice: str, problem: Problem | None
) -> ClocheError:
    return ClocheError(code, detail, status=status, advice=advice, problem=problem)


def error_of(status: int, text: str, what: str) -> ClocheError:
    """The error that an answer with a status of 400 or more stands for."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    problem = cast(Problem, value) if isinstance(value, dict) else None
    code = problem.get("code") if problem is not None else None
    if problem is None or not isinstance(code, str):
        said = text.strip()[:SHOWN] or "nothing"
        detail = f"{what} was answered with HTTP {status} and {said}"
        return ClocheError("client/bad-answer", detail, status=status, problem=problem)
    detail = problem.get("detail") or problem.get("title") or f"{what}: HTTP {status}"
    advice = problem.get("remedy")
    return ClocheError(code, detail, status=status, advice=advice, problem=problem)
