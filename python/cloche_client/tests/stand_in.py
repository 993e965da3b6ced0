"""Says what a healthy service never says, in place of the network."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx

Reply = httpx.Response | type[httpx.TransportError]


class StandIn(httpx.MockTransport):
    """Gives one reply after the other; the last again to whatever comes after it."""

    def __init__(self, replies: Sequence[Reply] | Callable[[httpx.Request], Reply]) -> None:
        self.seen: list[httpx.Request] = []
        self._replies = replies
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if callable(self._replies):
            reply = self._replies(request)
        else:
            reply = self._replies[min(len(self.seen), len(self._replies)) - 1]
        if isinstance(reply, httpx.Response):
            # A response is read once, and this one may be given again.
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        raise reply("lost", request=request)

    @property
    def asked(self) -> list[str]:
        """Methods and paths."""
        return [f"{request.method} {request.url.path}" for request in self.seen]


def view(**changes: Any) -> dict[str, Any]:
    """The document of a rollout, as the service would give it."""
    return {
        "id": "r1",
        "group": None,
        "attempt": 1,
        "phase": "serving",
        "outcome": None,
        "task": "test/note",
        "variant": 1,
        "instruction": "Do it.",
        "labels": {},
        "mcp": {"url": "http://127.0.0.1:1/rollouts/r1/mcp", "token": "t"},
        "deadline": None,
        "leaseUntil": None,
        "record": None,
        **changes,
    }


def ended(outcome: str = "graded", **changes: Any) -> dict[str, Any]:
    """The document of a rollout that has ended."""
    reward = {"sparse": 1, "dense": 1.0} if outcome == "graded" else None
    record = {"id": "r1", "outcome": outcome, "reward": reward, "fault": None, **changes}
    return view(phase="stored", outcome=outcome, mcp=None, record=record, **changes)


def answer(document: Any, status: int = 200, **headers: str) -> httpx.Response:
    """JSON."""
    return httpx.Response(status, json=document, headers=headers)


def problem(status: int, code: str, retry_after: str | None = None) -> httpx.Response:
    """A problem document."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    document = {"status": status, "code": code, "detail": f"said {code}"}
    return httpx.Response(status, content=json.dumps(document), headers=headers)
