# Made by generate_sync.py of the module of this name in _async: change it there.
"""A rollout: while it is played, and once it has ended."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import httpx

from .. import _questions as q
from .._connection import Connection
from .._errors import ClocheError
from .._mcp import mcp_session
from .._server_sent import NOTHING_LEFT, ServerSentReader, events_of
from .._tools import ToolCall, ToolResult, require_tool, result_of
from .._waiting import Heart, sleep
from .._wire import Regrade, RolloutEvent, RolloutRecord, RolloutView, Step, ToolFormat

if TYPE_CHECKING:
    from mcp import ClientSession


class Evidence:
    """What can be read of a rollout, whoever plays it, while it goes on and afterwards."""

    def __init__(self, connection: Connection, view: RolloutView) -> None:
        self.id = view["id"]
        self.instruction = view["instruction"]
        #: As it was when it was asked for: serving, or ended.
        self.view = view
        #: The final record, once it is known.
        self.record: RolloutRecord | None = view["record"]
        self._connection = connection

    @property
    def reward(self) -> float | None:
        """The reward of the kind that was asked for; None without a grade, and before the end."""
        return q.paid_by(self.record)

    def events(self, after: int = 0) -> Iterator[RolloutEvent]:
        """What happened and goes on happening, from the first event on, until it is stored.

        A connection that is lost is taken up again where it was.
        """
        look = q.FIRST_LOOK_S
        while True:
            with suppress(httpx.TransportError):
                with self._connection.open(q.events(self.id, after), stream=True) as response:
                    if response.status_code == NOTHING_LEFT:
                        return
                    reader = ServerSentReader()
                    for chunk in self._connection.chunks(response):
                        for event in events_of(reader, chunk):
                            after = event["seq"]
                            look = q.FIRST_LOOK_S
                            yield event
                            if q.is_last(event):
                                return
            sleep(look)
            look = min(q.LONGEST_LOOK_S, look * 2)

    def steps(self, after: int = 0) -> list[Step]:
        """Steps recorded so far, in the order in which they ended, without the first ``after``."""
        with self._connection.open(q.steps(self.id, after)) as response:
            return q.steps_of(response.text)

    def bundle(self) -> bytes:
        """What is left of it, as a tar; once it has ended."""
        with self._connection.open(q.bundle(self.id)) as response:
            return response.content

    def download(self, path: str | os.PathLike[str]) -> Path:
        """Writes what is left of it, a tar, to a file that is there whole or not at all."""
        whole = Path(path)
        draft = whole.with_name(f".{whole.name}.{uuid.uuid4().hex}.part")
        question = q.bundle(self.id)
        attempt = 0
        try:
            while True:
                attempt += 1
                try:
                    with self._connection.open(question, stream=True) as response:
                        with draft.open("wb") as file:
                            for chunk in self._connection.chunks(response):
                                file.write(chunk)
                    return draft.rename(whole)
                except httpx.TransportError as failure:
                    sleep(self._connection.pause_after(question, failure, attempt))
        finally:
            draft.unlink(missing_ok=True)


class EndedRollout(Evidence):
    """A rollout that has ended: its record, steps, events and bundle."""

    #: Of one that has ended there always is one.
    record: RolloutRecord

    def grade(self, *, grader: str | None = None) -> Regrade:
        """Grades it again, with the grader in its bundle or with that of today ("current")."""
        return cast(Regrade, self._connection.ask(q.grade(self.id, grader)))


class Rollout(Evidence):
    """A rollout that serves, held by its agent: its lease is renewed until it is ended or released.

    Leaving the ``with`` block cancels it if it has not ended, in the process that entered it.
    """

    def __init__(self, connection: Connection, view: RolloutView, lease_ms: int) -> None:
        super().__init__(connection, view)
        mcp = view["mcp"] or {"url": "", "token": ""}
        self.mcp_url = mcp["url"]
        #: Opens this rollout's MCP endpoint and nothing else.
        self.token = mcp["token"]
        self._is_released = False
        self._process = os.getpid()
        self._heart = Heart(connection, self.id, lease_ms)

    def tools(self, format: ToolFormat = "mcp") -> list[dict[str, Any]]:
        """Tools as the agent is shown them, in the form that a model's API takes."""
        self._heart.keep()
        return cast(
            "list[dict[str, Any]]", (self._connection.ask(q.tools(self.id, format)))["tools"]
        )

    def call(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolResult:
        """Calls a tool. What a tool says of its failure is a result (``is_error``).

        Only a call that reached no tool raises, with ``client/tool-protocol-error``.
        """
        return require_tool(name, (self.call_all([(name, arguments or {})]))[0])

    def call_all(self, calls: Sequence[ToolCall]) -> list[ToolResult]:
        """Calls tools at once; results are in the order of the calls.

        One that reached no tool is a result too: it has an ``error``.
        """
        self._heart.keep()
        document = self._connection.ask(q.call(self.id, calls))
        return [result_of(answer) for answer in document["answers"]]

    def mcp(self, **options: Any) -> AbstractAsyncContextManager[ClientSession]:
        """An initialised ``mcp.ClientSession`` at the endpoint, for ``with``.

        Needs the extra ``cloche-client[mcp]``. The options are those of ClientSession.
        """
        return mcp_session(self.mcp_url, self.token, options)

    def finish(self, answer: str | None = None) -> RolloutRecord:
        """The agent is done. Waits for the grade: ``record["reward"]``, None if there is none.

        Also after it ended by itself (budget, lease).
        """
        # The heart beats on meanwhile: a finish that gets lost on the way leaves it serving.
        return self._ended(q.record_of(self._connection.ask(q.finish(self.id, answer))))

    def cancel(self) -> RolloutRecord:
        """Gives it up. Also of one that has ended."""
        return self._ended(q.record_of(self._connection.ask(q.cancel(self.id))))

    def release(self) -> None:
        """Lets go of it without ending it: no heartbeat, no cancel. Another may take it over."""
        self._is_released = True
        self._heart.stop()

    def __enter__(self) -> Rollout:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process != os.getpid():
            return
        self._heart.stop()
        if self.record is None and not self._is_released:
            with suppress(ClocheError):
                seen = self._connection.ask(q.cancel(self.id), within=q.DISPOSE_S)
                self.record = q.record_of(seen)

    def _ended(self, record: RolloutRecord) -> RolloutRecord:
        self.record = record
        self._heart.stop()
        return record
