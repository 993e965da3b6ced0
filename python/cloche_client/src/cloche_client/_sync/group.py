# Made by generate_sync.py of the module of this name in _async: change it there.
"""Rollouts of one prompt."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from .. import _questions as q
from .._connection import Connection
from .._errors import ClocheError
from .._waiting import sleep, together
from .._wire import GroupView, PlayedGroup
from .rollout import Rollout

if TYPE_CHECKING:
    from .client import Cloche

#: Plays a rollout (and is told which member of the group it is); gives the answer, if any.
Play = Callable[[Rollout, int], "str | None"]


class Group:
    """Rollouts of one prompt, asked for as one.

    Leaving the ``with`` block cancels those that have not ended, in the process that entered it.
    """

    def __init__(
        self, cloche: Cloche, connection: Connection, view: GroupView, lease_ms: int
    ) -> None:
        self.id = view["id"]
        #: As it was when last asked for.
        self.view = view
        self._cloche = cloche
        self._connection = connection
        self._lease_ms = lease_ms
        self._process = os.getpid()

    def refresh(self) -> GroupView:
        """The group as it stands."""
        self.view = self._connection.ask(q.group_view(self.id))
        return self.view

    def member(self, index: int) -> Rollout:
        """The newest attempt of a member (from 0), once it serves."""
        rollout = self.view["members"][index]["id"]
        return self._cloche.attach(rollout, lease_ms=self._lease_ms)

    def play(self, play: Play) -> PlayedGroup:
        """Plays every member, all at once as they come to serve, and finishes it.

        A member that is lost to the infrastructure is played again in its next attempt. Returns
        all of them when the group has ended: a play that raises cancels its own rollout, and what
        it raised is that member's ``error``.
        """
        errors = together(
            len(self.view["members"]), lambda index: self._play_member(index, play)
        )
        look = 2 * q.FIRST_LOOK_S
        while not (self.refresh())["ended"]:
            sleep(look)
            look = min(q.LONGEST_GROUP_LOOK_S, look * 2)
        return q.played(self.view, errors)

    def __enter__(self) -> Group:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.view["ended"] or self._process != os.getpid():
            return
        with suppress(ClocheError):
            self.refresh()
        for member in self.view["members"]:
            if member["outcome"] is None:
                with suppress(ClocheError):
                    self._connection.ask(q.cancel(member["id"]), within=q.DISPOSE_S)

    def _play_member(self, index: int, play: Play) -> Exception | None:
        """What the play of the newest attempt raised, if anything."""
        rollout = self.view["members"][index]["id"]
        while True:
            raised: Exception | None = None
            try:
                with self._cloche.attach(rollout, lease_ms=self._lease_ms) as held:
                    held.finish(play(held, index))
            except Exception as error:  # noqa: BLE001  Whatever a play raises is its member's.
                raised = error
            try:
                after = self._settled(index, rollout)
            except ClocheError as error:
                return q.named(raised or error, self.id, index, rollout)
            newest = after["members"][index]["id"]
            if newest != rollout:
                # What was raised in the lost attempt is of no interest.
                rollout = newest
                continue
            if raised is None or q.is_ending(raised):
                return None
            return q.named(raised, self.id, index, rollout)

    def _settled(self, index: int, rollout: str) -> GroupView:
        look = 2 * q.FIRST_LOOK_S
        while not q.is_settled(seen := self.refresh(), index, rollout):
            sleep(look)
            look = min(q.LONGEST_GROUP_LOOK_S, look * 2)
        return seen
