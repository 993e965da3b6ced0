# Made by generate_sync.py of the module of this name in _async: change it there.
"""A service to ask for rollouts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, cast

import httpx

from .. import _questions as q
from .._connection import Connection
from .._errors import ClocheError
from .._retry import Retry
from .._waiting import sleep
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
from .group import Group
from .rollout import EndedRollout, Rollout


class Cloche:
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._connection = Connection(url, key, retry or Retry(), transport)

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
    ) -> Rollout:
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
        return self._rollout(request, lease_ms or q.DEFAULT_LEASE_MS, timeout)

    def attach(
        self, rollout: str, *, lease_ms: int = q.DEFAULT_LEASE_MS, timeout: float | None = None
    ) -> Rollout:
        """Takes over a rollout that another worker asked for, once it serves."""
        return self._attach(rollout, lease_ms, timeout)

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
    ) -> Group:
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
        return self._group(request, lease_ms or q.DEFAULT_LEASE_MS)

    def ended(self, rollout: str) -> EndedRollout:
        """A rollout that has ended, whoever played it: its record, steps, events and bundle.

        Raises ``client/not-ended`` for one that goes on.
        """
        seen = q.require_ended(self._connection.ask(q.view(rollout)))
        return EndedRollout(self._connection, seen)

    def get(self, rollout: str) -> RolloutView:
        """A rollout as it stands; ``record`` is there once it has ended."""
        return cast(RolloutView, self._connection.ask(q.view(rollout)))

    def get_group(self, group: str) -> GroupView:
        """A group as it stands."""
        return cast(GroupView, self._connection.ask(q.group_view(group)))

    def rollouts(
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
    ) -> Iterator[RolloutRecord]:
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
            page = self._connection.ask(q.page(query, cursor))
            for record in page["records"]:
                yield record
            cursor = page["next"]
            if cursor is None:
                return

    def cancel(self, rollout: str) -> RolloutRecord:
        """Gives a rollout up in whatever phase it is."""
        return q.record_of(self._connection.ask(q.cancel(rollout)))

    def grade(self, what: str | bytes, *, grader: str | None = None) -> Regrade:
        """Grades again: a rollout that has ended, by its id, or a bundle, as a tar.

        ``grader``: "recorded" (the one in the bundle, the default) or "current".
        """
        return cast(Regrade, self._connection.ask(q.grade(what, grader)))

    def tasks(self) -> list[TaskView]:
        """Tasks that may be asked for."""
        return cast("list[TaskView]", (self._connection.ask(q.tasks()))["tasks"])

    def close(self) -> None:
        """Closes all connections. Rollouts that are open go on until their lease lapses."""
        self._connection.close()

    def __enter__(self) -> Cloche:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _rollout(
        self, request: Mapping[str, Any], lease_ms: int, timeout: float | None
    ) -> Rollout:
        asked: RolloutView = self._connection.ask(q.request(request))
        try:
            seen = self._serving(asked, timeout)
        except BaseException:
            with suppress(ClocheError):
                self._connection.ask(q.cancel(asked["id"]), within=q.DISPOSE_S)
            raise
        return Rollout(self._connection, seen, lease_ms)

    def _attach(self, rollout: str, lease_ms: int, timeout: float | None) -> Rollout:
        seen = self._serving(self._connection.ask(q.view(rollout)), timeout)
        return Rollout(self._connection, seen, lease_ms)

    def _group(self, request: Mapping[str, Any], lease_ms: int) -> Group:
        seen = self._connection.ask(q.request_group(request))
        return Group(self, self._connection, seen, lease_ms)

    def _serving(self, seen: RolloutView, timeout: float | None) -> RolloutView:
        started = time.monotonic()
        look = q.FIRST_LOOK_S
        while q.is_ahead(seen):
            if timeout is not None and time.monotonic() - started > timeout:
                raise q.too_late(seen["id"], timeout)
            sleep(look)
            look = min(q.LONGEST_LOOK_S, look * 2)
            seen = self._connection.ask(q.view(seen["id"], wait=timeout is None))
        return q.require_serving(seen)
