"""What the two clients wait with: one in threads, the other in the tasks of an event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from . import _questions as q
from ._connection import AsyncConnection, Connection
from ._errors import ClocheError

T = TypeVar("T")

sleep = time.sleep
async_sleep = asyncio.sleep


def together(count: int, work: Callable[[int], T]) -> list[T]:
    """What the work gives for each number below ``count``, done in a thread each."""
    with ThreadPoolExecutor(max_workers=count) as pool:
        works = [pool.submit(work, index) for index in range(count)]
    return [one.result() for one in works]


async def async_together(count: int, work: Callable[[int], Awaitable[T]]) -> list[T]:
    """What the work gives for each number below ``count``, done in a task each."""
    works = [asyncio.ensure_future(work(index)) for index in range(count)]
    await asyncio.gather(*works, return_exceptions=True)
    return [one.result() for one in works]


class Heart:
    """Renews a lease each third of its length, in a thread. If a beat fails, the next follows."""

    def __init__(self, connection: Connection, rollout: str, lease_ms: int) -> None:
        self._connection = connection
        self._rollout = rollout
        self._every = lease_ms / 3000
        self._stopped = threading.Event()
        threading.Thread(target=self._beat, name=f"heartbeat {rollout}", daemon=True).start()

    def keep(self) -> None:
        """A thread goes on by itself."""

    def stop(self) -> None:
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                beat = q.heartbeat(self._rollout)
                self._connection.ask(beat, within=max(5.0, self._every))
            except (ClocheError, RuntimeError) as error:
                if q.is_lease_over(error):
                    return


class AsyncHeart:
    """The same, in a task."""

    def __init__(self, connection: AsyncConnection, rollout: str, lease_ms: int) -> None:
        self._connection = connection
        self._rollout = rollout
        self._every = lease_ms / 3000
        self._is_stopped = False
        self._task = self._start()

    def keep(self) -> None:
        """Beats on in the loop of now, if the one it began in is over."""
        if not self._is_stopped and self._task.get_loop().is_closed():
            self._task = self._start()

    def stop(self) -> None:
        self._is_stopped = True
        if not self._task.get_loop().is_closed():
            self._task.cancel()

    def _start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._beat(), name=f"heartbeat {self._rollout}")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                beat = q.heartbeat(self._rollout)
                await self._connection.ask(beat, within=max(5.0, self._every))
            except (ClocheError, RuntimeError) as error:
                if q.is_lease_over(error):
                    return
