"""The one error of the client."""

from __future__ import annotations

import json
from typing import cast

from ._wire import Problem

SHOWN = 500


class ClocheError(Exception):
    """Something was refused or failed; ``code`` is stable and says what.

    It is a code of docs/errors.md, or one of the client's own: ``client/unreachable`` (no answer),
    ``client/bad-answer`` (not an answer of Cloche), ``client/tool-protocol-error`` (the endpoint
    refused a call), ``client/rollout-ended`` (it ended before it served), ``client/timeout``.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        problem: Problem | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        #: What happened and what to do, for a person.
        self.detail = detail
        #: The HTTP status; None if there was no answer.
        self.status = status
        #: The whole problem document that came back, if there was one.
        self.problem = problem


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
    return ClocheError(code, detail, status=status, problem=problem)
