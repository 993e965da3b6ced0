"""Questions to the service over httpx, repeated where that is safe."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

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


#: Clients of the process that this one was forked from. They are never used or closed here: that
#: would disturb connections that are still that process's.
_INHERITED: list[Any] = []


def _not_here(what: str) -> ClocheError:
    detail = f"the client's own transport was first used in another {what} than this"
    return ClocheError("client/own-transport", detail)


def _closed() -> ClocheError:
    return ClocheError("client/closed", "the client was closed")


class Connection:
    """For callers that wait in threads. May be used by many at once, and after a fork.

    Each process has connections of its own: two that read answers from one would each get some of
    the other's.
    """

    def __init__(
        self, url: str, key: str | None, retry: Retry, transport: httpx.BaseTransport | None
    ) -> None:
        self._plan = _Plan(url, key, retry)
        self._transport = transport
        self._is_closed = False
        self._held = self._made()

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
        process = os.getpid()
        try:
            yield response
        finally:
            if process == os.getpid():
                response.close()

    def chunks(self, response: httpx.Response) -> Iterator[bytes]:
        """The body as it comes. Ends early in another process than it was asked for in."""
        process = os.getpid()
        for chunk in response.iter_bytes():
            yield chunk
            if process != os.getpid():
                return

    def pause_after(self, question: Question, failure: httpx.TransportError, attempt: int) -> float:
        """Seconds until an answer that broke off is asked for again; raises if it is not."""
        error, pause = self._plan.pause_after_failure(question, failure, attempt)
        if pause is None:
            raise error from failure
        return pause

    def close(self) -> None:
        """Closes all connections."""
        self._is_closed = True
        process, client = self._held
        if process == os.getpid():
            client.close()

    def _made(self) -> tuple[int, httpx.Client]:
        return os.getpid(), httpx.Client(limits=_LIMITS, transport=self._transport)

    def _client(self) -> httpx.Client:
        if self._is_closed:
            raise _closed()
        process, client = self._held
        if process == os.getpid():
            return client
        if self._transport is not None:
            raise _not_here("process")
        _INHERITED.append(client)
        # Threads that come here at once make one each, and the last one stays: no lock is needed,
        # and one that was held during the fork would be held for ever.
        self._held = made = self._made()
        return made[1]

    def _answer(self, question: Question, stream: bool, patience: float | None) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            failure: httpx.TransportError | None = None
            client = self._client()
            try:
                asked = client.build_request(**self._plan.arguments(question, patience))
                response = client.send(asked, stream=True)
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
    """For callers in asyncio loops. Each loop has connections of its own, in each process."""

    def __init__(
        self, url: str, key: str | None, retry: Retry, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._plan = _Plan(url, key, retry)
        self._transport = transport
        self._is_closed = False
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[int, httpx.AsyncClient]] = (
            WeakKeyDictionary()
        )

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

    def chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return response.aiter_bytes()

    def pause_after(self, question: Question, failure: httpx.TransportError, attempt: int) -> float:
        """Seconds until an answer that broke off is asked for again; raises if it is not."""
        error, pause = self._plan.pause_after_failure(question, failure, attempt)
        if pause is None:
            raise error from failure
        return pause

    async def close(self) -> None:
        """Closes all connections of this loop, and of others that run."""
        self._is_closed = True
        here = asyncio.get_running_loop()
        for loop, (process, client) in list(self._held.items()):
            if process != os.getpid():
                continue
            if loop is here:
                await client.aclose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(client.aclose(), loop)
                await asyncio.wrap_future(closing)

    def _client(self) -> httpx.AsyncClient:
        if self._is_closed:
            raise _closed()
        loop, process = asyncio.get_running_loop(), os.getpid()
        held = self._held.get(loop)
        if held is not None and held[0] == process:
            return held[1]
        if self._transport is not None and len(self._held) > 0:
            raise _not_here("process or event loop")
        if held is not None:
            _INHERITED.append(held[1])
        client = httpx.AsyncClient(limits=_LIMITS, transport=self._transport)
        self._held[loop] = (process, client)
        return client

    async def _answer(
        self, question: Question, stream: bool, patience: float | None
    ) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            failure: httpx.TransportError | None = None
            client = self._client()
            try:
                asked = client.build_request(**self._plan.arguments(question, patience))
                response = await client.send(asked, stream=True)
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
