"""What is awaited or entered: ``await cloche.rollout(…)`` and ``async with cloche.rollout(…)``."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class Held(Protocol):
    """Something that is ended when its block is left."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


T = TypeVar("T", bound=Held)


class Opening(Generic[T]):
    """Not asked for before it is awaited or entered, once."""

    def __init__(self, asking: Coroutine[Any, Any, T]) -> None:
        self._asking = asking
        self._held: T | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._asking.__await__()

    async def __aenter__(self) -> T:
        self._held = await self._asking
        await self._held.__aenter__()
        return self._held

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._held is not None:
            await self._held.__aexit__(kind, error, trace)
