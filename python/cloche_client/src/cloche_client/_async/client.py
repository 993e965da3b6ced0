"""A service to ask for rollouts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, cast

import httpx

from .. import _questions as q
from .._connection import AsyncConnection
from .._errors import ClocheError
from .._opening import Opening
from .._retry import Retry
from .._waiting import async_sleep as sleep
from .._wire import (
    Budget,
    GroupView,
    Limits,
    Outcome,
    Regrade,
    RewardKind,
    RolloutRecord,
    RolloutView,
    Split,
    TaskView,
)
from .group import AsyncGroup
from .rollout import AsyncEndedRollout, AsyncRollout


class AsyncCloche:
    """A service to ask for rollouts. Everything raises ClocheError.

    May be used from many threads, in several event loops, and in processes that were forked: each
    has connections of its own. Requests are made again, up to ``retry.attempts``, where that is
    safe.
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

        With ``timeout`` (seconds) it is given up after that, with ``client/timeout``.
        """
        request = q.request_of(
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
        return Opening(self._rollout(request, lease_ms or q.DEFAULT_LEASE_MS, timeout))

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
        request = q.request_of(
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
        return Opening(self._group(request, lease_ms or q.DEFAULT_LEASE_MS))

    async def ended(self, rollout: str) -> AsyncEndedRollout:
        """A rollout that has ended, whoever played it: its record, steps, events and bundle.

        Raises ``client/not-ended`` for one that goes on.
        """
        seen = q.require_ended(await self._connection.ask(q.view(rollout)))
        return AsyncEndedRollout(self._connection, seen)

    async def get(self, rollout: str) -> RolloutView:
        """A rollout as it stands; ``record`` is there once it has ended."""
        return cast(RolloutView, await self._connection.ask(q.view(rollout)))

    async def get_group(self, group: str) -> GroupView:
        """A group as it stands."""
        return cast(GroupView, await self._connection.ask(q.group_view(group)))

    async def rollouts(
        self,
        *,
        id: str | None = None,
        task: str | None = None,
        policy: str | None = None,
        group: str | None = None,
        outcome: Outcome | Literal["none"] | None = None,
        split: Split | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        min_reward: float | None = None,
        max_reward: float | None = None,
    ) -> AsyncIterator[RolloutRecord]:
        """The caller's records that fit all that is said, newest first, asked for page by page.

        ``id``: its first letters. ``since`` (then or later) and ``until`` (before that) are of when
        it was asked for. Rewards are those of the record's ``rewardKind``. ``outcome="none"``:
        those that go on.
        """
        query = {
            "id": id,
            "task": task,
            "policy": policy,
            "group": group,
            "outcome": outcome,
            "split": split,
            "since": since,
            "until": until,
            "minReward": min_reward,
            "maxReward": max_reward,
        }
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
        self, request: Mapping[str, Any], lease_ms: int, timeout: float | None
    ) -> AsyncRollout:
        asked: RolloutView = await self._connection.ask(q.request(request))
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

    async def _group(self, request: Mapping[str, Any], lease_ms: int) -> AsyncGroup:
        seen = await self._connection.ask(q.request_group(request))
        return AsyncGroup(self, self._connection, seen, lease_ms)

    async def _serving(self, seen: RolloutView, timeout: float | None) -> RolloutView:
        started = time.monotonic()
        look = q.FIRST_LOOK_S
        while q.is_ahead(seen):
            if timeout is not None and time.monotonic() - started > timeout:
                raise q.too_late(seen["id"], timeout)
            await sleep(look)
            look = min(q.LONGEST_LOOK_S, look * 2)
            seen = await self._connection.ask(q.view(seen["id"], wait=timeout is None))
        return q.require_serving(seen)
