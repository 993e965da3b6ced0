"""The client for programs that run in an asyncio loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import httpx

from . import _questions as q
from ._connection import AsyncConnection
from ._errors import ClocheError
from ._mcp import mcp_session
from ._opening import Opening
from ._retry import Retry
from ._server_sent import NOTHING_LEFT, ServerSentReader, events_of
from ._tools import ToolAnswer, ToolCall, ToolResult, answer_of, result_of
from ._wire import (
    Budget,
    GroupView,
    Limits,
    Outcome,
    Regrade,
    RewardKind,
    RolloutEvent,
    RolloutRecord,
    RolloutView,
    Step,
    TaskView,
    ToolFormat,
)

if TYPE_CHECKING:
    from mcp import ClientSession

#: Plays a rollout (and is told which member of the group it is); gives the answer, if any.
Play = Callable[["AsyncRollout", int], Awaitable["str | None"]]


class AsyncCloche:
    """A service to ask for rollouts. Everything raises ClocheError.

    Requests are made again, up to ``retry.attempts``, where that is safe.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = AsyncConnection(url, key, retry or Retry(), transport)

    def rollout(
        self,
        task: str,
        *,
        variant: int | None = None,
        policy: str | None = None,
        labels: Mapping[str, str] | None = None,
        reward: RewardKind | None = None,
        budget: Budget | None = None,
        limits: Limits | None = None,
        group: str | None = None,
        lease_ms: int | None = None,
        timeout: float | None = None,
    ) -> Opening[AsyncRollout]:
        """Asks for a rollout and waits until it serves, however long the queue is.

        For ``async with``, or to be awaited. With ``timeout`` (seconds) it is given up after that,
        with ``client/timeout``.
        """
        wish = q.wish_of(
            task,
            variant=variant,
            policy=policy,
            labels=labels,
            reward=reward,
            budget=budget,
            limits=limits,
            group=group,
            lease_ms=lease_ms,
        )
        return Opening(self._rollout(wish, lease_ms or q.DEFAULT_LEASE_MS, timeout))

    def attach(
        self, rollout: str, *, lease_ms: int = q.DEFAULT_LEASE_MS, timeout: float | None = None
    ) -> Opening[AsyncRollout]:
        """Takes over a rollout that another worker asked for, once it serves."""
        return Opening(self._attach(rollout, lease_ms, timeout))

    def group(
        self,
        task: str,
        *,
        n: int,
        variant: int | None = None,
        policy: str | None = None,
        labels: Mapping[str, str] | None = None,
        reward: RewardKind | None = None,
        budget: Budget | None = None,
        limits: Limits | None = None,
        lease_ms: int | None = None,
    ) -> Opening[AsyncGroup]:
        """Asks for n rollouts of one prompt. They are accepted then, and wait their turn."""
        wish = q.wish_of(
            task,
            variant=variant,
            policy=policy,
            labels=labels,
            reward=reward,
            budget=budget,
            limits=limits,
            lease_ms=lease_ms,
            n=n,
        )
        return Opening(self._group(wish, lease_ms or q.DEFAULT_LEASE_MS))

    async def get(self, rollout: str) -> RolloutView:
        """A rollout as it stands; ``record`` is there once it has ended."""
        return cast(RolloutView, await self._connection.ask(q.view(rollout)))

    async def get_group(self, group: str) -> GroupView:
        """A group as it stands."""
        return cast(GroupView, await self._connection.ask(q.group_view(group)))

    async def rollouts(
        self,
        *,
        task: str | None = None,
        policy: str | None = None,
        group: str | None = None,
        outcome: Outcome | None = None,
    ) -> AsyncIterator[RolloutRecord]:
        """The caller's records, newest first, asked for page by page."""
        query = {"task": task, "policy": policy, "group": group, "outcome": outcome}
        cursor: str | None = None
        while True:
            page = await self._connection.ask(q.page(query, cursor))
            for record in page["records"]:
                yield record
            cursor = page["next"]
            if cursor is None:
                return

    async def cancel(self, rollout: str) -> RolloutRecord:
        """Gives a rollout up in whatever phase it is."""
        return q.record_of(await self._connection.ask(q.cancel(rollout)))

    async def grade(self, what: str | bytes, *, grader: str | None = None) -> Regrade:
        """Grades again: a rollout that has ended, by its id, or a bundle, as a tar.

        ``grader``: "recorded" (the one in the bundle, the default) or "current".
        """
        return cast(Regrade, await self._connection.ask(q.grade(what, grader)))

    async def tasks(self) -> list[TaskView]:
        """Tasks that may be asked for."""
        return cast("list[TaskView]", (await self._connection.ask(q.tasks()))["tasks"])

    async def close(self) -> None:
        """Closes all connections. Rollouts that are open go on until their lease lapses."""
        await self._connection.close()

    async def __aenter__(self) -> AsyncCloche:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _rollout(
        self, wish: Mapping[str, Any], lease_ms: int, timeout: float | None
    ) -> AsyncRollout:
        asked: RolloutView = await self._connection.ask(q.request(wish))
        try:
            seen = await self._serving(asked, timeout)
        except BaseException:
            with suppress(ClocheError):
                await self._connection.ask(q.cancel(asked["id"]), within=q.DISPOSE_S)
            raise
        return AsyncRollout(self._connection, seen, lease_ms)

    async def _attach(self, rollout: str, lease_ms: int, timeout: float | None) -> AsyncRollout:
        seen = await self._serving(await self._connection.ask(q.view(rollout)), timeout)
        return AsyncRollout(self._connection, seen, lease_ms)

    async def _group(self, wish: Mapping[str, Any], lease_ms: int) -> AsyncGroup:
        seen = await self._connection.ask(q.request_group(wish))
        return AsyncGroup(self, self._connection, seen, lease_ms)

    async def _serving(self, seen: RolloutView, timeout: float | None) -> RolloutView:
        started = time.monotonic()
        look = q.FIRST_LOOK_S
        while q.is_ahead(seen):
            if timeout is not None and time.monotonic() - started > timeout:
                raise q.too_late(seen["id"], timeout)
            await asyncio.sleep(look)
            look = min(q.LONGEST_LOOK_S, look * 2)
            seen = await self._connection.ask(q.view(seen["id"], wait=timeout is None))
        return q.require_serving(seen)


class AsyncRollout:
    """A rollout that serves, held by its agent: its lease is renewed until it is ended or released.

    Leaving the ``with`` block cancels it if it has not ended.
    """

    def __init__(self, connection: AsyncConnection, view: RolloutView, lease_ms: int) -> None:
        mcp = view["mcp"] or {"url": "", "token": ""}
        self.id = view["id"]
        self.instruction = view["instruction"]
        self.mcp_url = mcp["url"]
        #: Opens this rollout's MCP endpoint and nothing else.
        self.token = mcp["token"]
        #: As it was when it began to serve.
        self.view = view
        #: The final record, once ``finish`` or ``cancel`` gave it.
        self.record: RolloutRecord | None = None
        self._released = False
        self._connection = connection
        self._every = lease_ms / 3000
        self._heartbeat = asyncio.create_task(self._beat(), name=f"heartbeat {self.id}")

    @property
    def reward(self) -> float | None:
        """The reward of the kind that was asked for; None without a grade, and before the end."""
        return q.paid_by(self.record)

    async def tools(self, format: ToolFormat = "mcp") -> list[dict[str, Any]]:
        """Tools as the agent is shown them, in the form that a model's API takes."""
        return cast(
            "list[dict[str, Any]]", (await self._connection.ask(q.tools(self.id, format)))["tools"]
        )

    async def call(self, name: str, arguments: Mapping[str, Any] | None = None) -> ToolResult:
        """Calls a tool. What a tool says of its failure is a result (``is_error``).

        Only a call that reached no tool raises, with ``client/tool-protocol-error``.
        """
        return result_of(name, (await self.call_all([(name, arguments or {})]))[0])

    async def call_all(self, calls: Sequence[ToolCall]) -> list[ToolAnswer]:
        """Calls tools at once; answers are in the order of the calls."""
        document = await self._connection.ask(q.call(self.id, calls))
        return [answer_of(answer) for answer in document["answers"]]

    def mcp(self, **options: Any) -> AbstractAsyncContextManager[ClientSession]:
        """An initialised ``mcp.ClientSession`` at the endpoint, for ``async with``.

        Needs the extra ``cloche-client[mcp]``. The options are those of ClientSession.
        """
        return mcp_session(self.mcp_url, self.token, options)

    async def events(self, after: int = 0) -> AsyncIterator[RolloutEvent]:
        """What happened and goes on happening, from the first event on, until it is stored.

        A connection that is lost is taken up again where it was.
        """
        look = q.FIRST_LOOK_S
        while True:
            with suppress(httpx.TransportError):
                async with self._connection.open(q.events(self.id, after), stream=True) as response:
                    if response.status_code == NOTHING_LEFT:
                        return
                    reader = ServerSentReader()
                    async for chunk in response.aiter_bytes():
                        for event in events_of(reader, chunk):
                            after = event["seq"]
                            look = q.FIRST_LOOK_S
                            yield event
                            if q.is_last(event):
                                return
            await asyncio.sleep(look)
            look = min(q.LONGEST_LOOK_S, look * 2)

    async def steps(self, after: int = 0) -> list[Step]:
        """Steps recorded so far, in the order in which they ended, without the first ``after``."""
        async with self._connection.open(q.steps(self.id, after)) as response:
            return q.steps_of(response.text)

    async def bundle(self) -> bytes:
        """What is left of it, as a tar; once it has ended."""
        async with self._connection.open(q.bundle(self.id)) as response:
            return response.content

    async def finish(self, answer: str | None = None) -> RolloutRecord:
        """The agent is done. Waits for the grade: ``record["reward"]``, None if there is none.

        Also after it ended by itself (budget, lease).
        """
        # The heart beats on meanwhile: a finish that gets lost on the way leaves it serving.
        return self._ended(q.record_of(await self._connection.ask(q.finish(self.id, answer))))

    async def cancel(self) -> RolloutRecord:
        """Gives it up. Also of one that has ended."""
        return self._ended(q.record_of(await self._connection.ask(q.cancel(self.id))))

    def release(self) -> None:
        """Lets go of it without ending it: no heartbeat, no cancel. Another may take it over."""
        self._released = True
        self._heartbeat.cancel()

    async def __aenter__(self) -> AsyncRollout:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._heartbeat.cancel()
        if self.record is None and not self._released:
            with suppress(ClocheError):
                seen = await self._connection.ask(q.cancel(self.id), within=q.DISPOSE_S)
                self.record = q.record_of(seen)

    def _ended(self, record: RolloutRecord) -> RolloutRecord:
        self.record = record
        self._heartbeat.cancel()
        return record

    async def _beat(self) -> None:
        """Each third of the lease. A beat that fails is followed by the next."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._connection.ask(q.heartbeat(self.id), within=max(5.0, self._every))
            except ClocheError as error:
                if q.is_lease_over(error):
                    return
            except RuntimeError:
                # The client was closed meanwhile.
                return


class AsyncGroup:
    """Rollouts of one prompt, asked for as one.

    Leaving the ``with`` block cancels those that have not ended.
    """

    def __init__(
        self, cloche: AsyncCloche, connection: AsyncConnection, view: GroupView, lease_ms: int
    ) -> None:
        self.id = view["id"]
        #: As it was when last asked for.
        self.view = view
        self._cloche = cloche
        self._connection = connection
        self._lease_ms = lease_ms

    async def refresh(self) -> GroupView:
        """The group as it stands."""
        self.view = await self._connection.ask(q.group_view(self.id))
        return self.view

    async def member(self, index: int) -> AsyncRollout:
        """The newest attempt of a member (from 0), once it serves."""
        rollout = self.view["members"][index]["id"]
        return await self._cloche.attach(rollout, lease_ms=self._lease_ms)

    async def play(self, play: Play) -> GroupView:
        """Plays every member, all at once as they come to serve, and finishes it.

        A member that is lost to the infrastructure is played again in its next attempt. Returns
        when the group has ended. A play that raises cancels its rollout; the error is raised when
        the others are done.
        """
        members = range(len(self.view["members"]))
        played = await asyncio.gather(
            *(self._play_member(index, play) for index in members), return_exceptions=True
        )
        for one in played:
            if isinstance(one, BaseException):
                raise one
        look = 2 * q.FIRST_LOOK_S
        while not (await self.refresh())["ended"]:
            await asyncio.sleep(look)
            look = min(q.LONGEST_GROUP_LOOK_S, look * 2)
        return self.view

    async def __aenter__(self) -> AsyncGroup:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.view["ended"]:
            return
        with suppress(ClocheError):
            await self.refresh()
        for member in self.view["members"]:
            if member["outcome"] is None:
                with suppress(ClocheError):
                    await self._connection.ask(q.cancel(member["id"]), within=q.DISPOSE_S)

    async def _play_member(self, index: int, play: Play) -> None:
        rollout = self.view["members"][index]["id"]
        while True:
            raised: Exception | None = None
            try:
                async with self._cloche.attach(rollout, lease_ms=self._lease_ms) as held:
                    await held.finish(await play(held, index))
            except Exception as error:
                raised = error
            after = await self._settled(index, rollout)
            newest = after["members"][index]["id"]
            if newest != rollout:
                # What was raised in the lost attempt is of no interest.
                rollout = newest
                continue
            if raised is not None and not q.is_ending(raised):
                raise raised
            return

    async def _settled(self, index: int, rollout: str) -> GroupView:
        look = 2 * q.FIRST_LOOK_S
        while not q.is_settled(seen := await self.refresh(), index, rollout):
            await asyncio.sleep(look)
            look = min(q.LONGEST_GROUP_LOOK_S, look * 2)
        return seen
