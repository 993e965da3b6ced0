"""Questions to the service over httpx, repeated where that is safe."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from ._errors import ClocheError, error_of
from ._questions import Question
from ._retry import Retry, is_repeated_after, is_repeated_after_failure, retry_after_of

CONNECT_S = 10.0
SEND_S = 60.0
# As many at once as there are rollouts: a call that waits must not keep a heartbeat waiting. Idle
# connections are dropped before a server drops them (Node does after 5 s), since a call that meets
# a connection that is just being closed cannot be made again.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=3.0)


class _Plan:
    """What the two connections share: everything but the waiting."""

    def __init__(self, url: str, key: str | None, retry: Retry) -> None:
        self.base = url.rstrip("/")
        self.retry = retry
        self.headers = {"accept": "application/json"}
        if key is not None:
            self.headers["authorization"] = f"Bearer {key}"

    def arguments(self, question: Question, patience: float | None) -> dict[str, Any]:
        """For ``build_request``."""
        arguments: dict[str, Any] = {
            "method": question.method,
            "url": self.base + question.path,
            "headers": {**self.headers, **question.headers},
            "timeout": httpx.Timeout(SEND_S, connect=CONNECT_S, read=patience, pool=None),
        }
        if isinstance(question.body, bytes):
            arguments["content"] = question.body
        elif question.body is not None:
            arguments["json"] = question.body
        return arguments

    def pause_after_answer(
        self, question: Question, response: httpx.Response, attempt: int
    ) -> tuple[ClocheError, float | None]:
        """The error, and seconds until it is asked again, if it is."""
        error = error_of(response.status_code, response.text, question.name)
        if not is_repeated_after(response.status_code, error.code, question.repeatable):
            return error, None
        return error, self.retry.pause(attempt, retry_after_of(response.headers))

    def pause_after_failure(
        self, question: Question, failure: httpx.TransportError, attempt: int
    ) -> tuple[ClocheError, float | None]:
        """The error, and seconds until it is asked again, if it is."""
        why = str(failure) or type(failure).__name__
        detail = f"{question.name} at {self.base} got no answer ({why}); does it run there?"
        error = ClocheError("client/unreachable", detail)
        if not is_repeated_after_failure(failure, question.repeatable):
            return error, None
        return error, self.retry.pause(attempt, None)


def _json_of(question: Question, response: httpx.Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError as cause:
        shown = response.text[:200]
        detail = f"{question.name} was answered with what is no JSON: {shown}"
        status = response.status_code
        raise ClocheError("client/bad-answer", detail, status=status) from cause


class Connection:
    """For callers that wait in threads. May be used by many at once."""

    def __init__(
        self, url: str, key: str | None, retry: Retry, transport: httpx.BaseTransport | None
    ) -> None:
        self._plan = _Plan(url, key, retry)
        self._client = httpx.Client(limits=_LIMITS, transport=transport)

    def ask(self, question: Question, *, within: float | None = None) -> Any:
        """The answer's JSON. ``within`` bounds the wait for a byte of it."""
        with self.open(question, within=within) as response:
            return _json_of(question, response)

    @contextmanager
    def open(
        self, question: Question, *, stream: bool = False, within: float | None = None
    ) -> Iterator[httpx.Response]:
        """The answer itself; with ``stream`` its body is not read yet."""
        response = self._answer(question, stream, question.patience if within is None else within)
        try:
            yield response
        finally:
            response.close()

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()

    def _answer(self, question: Question, stream: bool, patience: float | None) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            failure: httpx.TransportError | None = None
            try:
                asked = self._client.build_request(**self._plan.arguments(question, patience))
                response = self._client.send(asked, stream=True)
                if not (stream and response.is_success):
                    try:
                        response.read()
                    finally:
                        response.close()
                if response.is_success:
                    return response
                error, pause = self._plan.pause_after_answer(question, response, attempt)
            except httpx.TransportError as caught:
                failure = caught
                error, pause = self._plan.pause_after_failure(question, caught, attempt)
            if pause is None:
                raise error from failure
            time.sleep(pause)


class AsyncConnection:
    """For callers in one asyncio loop."""

    def __init__(
        self, url: str, key: str | None, retry: Retry, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._plan = _Plan(url, key, retry)
        self._client = httpx.AsyncClient(limits=_LIMITS, transport=transport)

    async def ask(self, question: Question, *, within: float | None = None) -> Any:
        """The answer's JSON. ``within`` bounds the wait for a byte of it."""
        async with self.open(question, within=within) as response:
            return _json_of(question, response)

    @asynccontextmanager
    async def open(
        self, question: Question, *, stream: bool = False, within: float | None = None
    ) -> AsyncIterator[httpx.Response]:
        """The answer itself; with ``stream`` its body is not read yet."""
        patience = question.patience if within is None else within
        response = await self._answer(question, stream, patience)
        try:
            yield response
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Closes all connections."""
        await self._client.aclose()

    async def _answer(
        self, question: Question, stream: bool, patience: float | None
    ) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            failure: httpx.TransportError | None = None
            try:
                asked = self._client.build_request(**self._plan.arguments(question, patience))
                response = await self._client.send(asked, stream=True)
                if not (stream and response.is_success):
                    try:
                        await response.aread()
                    finally:
                        await response.aclose()
                if response.is_success:
                    return response
                error, pause = self._plan.pause_after_answer(question, response, attempt)
            except httpx.TransportError as caught:
                failure = caught
                error, pause = self._plan.pause_after_failure(question, caught, attempt)
            if pause is None:
                raise error from failure
            await asyncio.sleep(pause)
