"""The calls of a rollout, as the host recorded them: what was asked and how it ended."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, SupportsIndex, overload

from .dates import parse_datetime
from .mentions import Target
from .usage import ends_reading, naming_steps, reading_steps, writing_steps

_MOST_DIGITS = 4_000
#: How calls end of which nobody knows that they changed nothing.
_MAY_HAVE_ACTED = frozenset("ok timeout cancelled upstream_lost interrupted".split())


@dataclass(frozen=True)
class Step:
    """One call of a tool. Only ``outcome == "ok"`` is a success."""

    #: From 1, in the order in which calls arrived.
    number: int
    call_id: str
    server: str
    #: The tool's name at its server; ``exposed_name`` is what the agent called it.
    tool: str
    exposed_name: str
    arguments: Any = field(repr=False)
    #: ok, tool_error, protocol_error, invalid_args, timeout, cancelled, upstream_lost,
    #: denied_budget, denied_policy or interrupted (Cloche itself died during the call).
    outcome: str
    #: The result as it was sent (``content``, ``structuredContent``, ``isError``), or None.
    result: Any = field(repr=False)
    error: Any = field(repr=False)
    truncated: Any = field(repr=False)
    at: datetime
    queue_ms: float
    upstream_ms: float
    proxy_ms: float
    #: Numbers of the steps that were under way at some time during this one.
    overlaps: frozenset[int] = field(repr=False)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Step:
        """Reads a line of steps.jsonl."""
        return cls(
            number=data["step"],
            call_id=data["callId"],
            server=data["server"],
            tool=data["tool"],
            exposed_name=data["exposedName"],
            arguments=data["arguments"],
            outcome=data["outcome"],
            result=data["result"],
            error=data["error"],
            truncated=data["truncated"],
            at=parse_datetime(data["at"]),
            queue_ms=data["queueMs"],
            upstream_ms=data["upstreamMs"],
            proxy_ms=data["proxyMs"],
            overlaps=frozenset(data["overlaps"]),
        )

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.outcome == "ok"

    @property
    def may_have_acted(self) -> bool:
        """Whether its tool may have done its work: it succeeded, or nobody waited for its end."""
        return self.outcome in _MAY_HAVE_ACTED

    @property
    def whole(self) -> bool:
        """Whether the agent was shown all of the answer: nothing was cut off, no time was up."""
        facts = self.structured if isinstance(self.structured, dict) else {}
        cut = any(facts.get(name) for name in ("truncated", "timedOut", "interrupted"))
        return self.ok and not self.truncated and not cut

    @property
    def text(self) -> str:
        """All text of the result, joined by line ends; "" if there was none."""
        content = self.result.get("content") if isinstance(self.result, dict) else None
        parts = content if isinstance(content, list) else []
        texts = (part.get("text") for part in parts if isinstance(part, dict))
        return "\n".join(text for text in texts if isinstance(text, str))

    @property
    def structured(self) -> Any:
        """The result's ``structuredContent``, or None."""
        return self.result.get("structuredContent") if isinstance(self.result, dict) else None

    def argument(self, name: str, default: Any = None) -> Any:
        """One of the arguments by name."""
        return self.arguments.get(name, default) if isinstance(self.arguments, dict) else default

    def is_after(self, other: Step) -> bool:
        """Whether this call began when the other had ended."""
        return self.number > other.number and not self.did_overlap(other)

    def did_overlap(self, other: Step) -> bool:
        """Whether both were under way at one time."""
        return other.number in self.overlaps or self.number in other.overlaps


class Steps(list[Step]):
    """A list of steps that can be narrowed; each narrowing is a list of steps again."""

    def __init__(self, steps: Iterable[Step] = (), paths: Collection[str] = ()) -> None:
        super().__init__(steps)
        self._paths = frozenset(paths)

    @classmethod
    def load(cls, path: Path, paths: Collection[str] = ()) -> Steps:
        """Reads steps.jsonl. ``paths`` are the workspace's, to tell short names apart."""
        with path.open("rb") as lines:
            loaded = [json.loads(line, parse_int=_whole) for line in lines if line.strip()]
            steps = [Step.from_json(line) for line in loaded]
        return cls(sorted(steps, key=lambda step: step.number), paths)

    def calls(
        self,
        tool: str | Collection[str] | None = None,
        server: str | Collection[str] | None = None,
        ok: bool | None = True,
    ) -> Steps:
        """Calls of these tools of these servers: successes, failures (False) or both (None)."""
        tools, servers = _names(tool), _names(server)
        return self._narrow(
            step
            for step in self
            if (tools is None or step.tool in tools or step.exposed_name in tools)
            and (servers is None or step.server in servers)
            and (ok is None or step.ok is ok)
        )

    def touching(self, path: str, ok: bool | None = True) -> Steps:
        """Calls whose arguments name the path: absolute, relative, or inside a command or a script.

        A name shorter than the whole path counts if no other file of the workspace has it.
        """
        target = self._target(path)
        return self._narrow(naming_steps(self.calls(ok=ok), target))

    def reads_of(self, path: str) -> Steps:
        """Successful calls that could have shown what is in the file (docs/graders.md says how).

        Only those whose answer came whole.
        """
        target = self._target(path)
        return self._narrow(reading_steps(self.calls(), target))

    def writes_to(self, path: str) -> Steps:
        """Calls that could have written the file (docs/graders.md: how told).

        Those that succeeded, and those that were cancelled, ran out of time or lost their server.
        """
        target = self._target(path)
        acted = self._narrow(step for step in self if step.may_have_acted)
        return self._narrow(writing_steps(acted, target))

    def last_write_to(self, path: str) -> Step | None:
        """The last of ``writes_to``; None if there is none."""
        writes = self.writes_to(path)
        return writes[-1] if writes else None

    def reads_after_last_write(self, path: str) -> Steps:
        """Reads of the file that could show its last version: looking at one's work.

        A call that writes and then reads by itself (``sort -o f f && cat f``) counts.
        """
        last = self.last_write_to(path)
        if last is None:
            return self._narrow(())
        looks = ends_reading(self.calls(), self._target(path))
        itself = self._narrow(step for step in looks if step is last)
        return self._narrow([*itself, *self.reads_of(path).after(last)])

    def after(self, step: Step | None) -> Steps:
        """Calls that began when this one had ended; none of them if there is no such step."""
        return self._narrow(() if step is None else (each for each in self if each.is_after(step)))

    def before(self, step: Step | None) -> Steps:
        """Calls that had ended when this one began; none of them if there is no such step."""
        return self._narrow(() if step is None else (each for each in self if step.is_after(each)))

    def showing(self, text: str) -> Steps:
        """Successful calls whose result holds this text, blanks and line ends forgiven."""
        wanted = "".join(text.split())
        if not wanted:
            raise ValueError("showing needs a text to look for")
        return self._narrow(step for step in self.calls() if wanted in "".join(step.text.split()))

    def _target(self, path: str) -> Target:
        return Target.of(path, self._paths)

    def _narrow(self, steps: Iterable[Step]) -> Steps:
        return Steps(steps, self._paths)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> Step: ...

    @overload
    def __getitem__(self, index: slice, /) -> Steps: ...

    def __getitem__(self, index: Any, /) -> Any:
        found = super().__getitem__(index)
        return self._narrow(found) if isinstance(index, slice) else found


def _whole(digits: str) -> int | float:
    """A whole number that an agent said: one of very many digits is no int of Python's."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _names(wanted: str | Collection[str] | None) -> Collection[str] | None:
    return {wanted} if isinstance(wanted, str) else wanted
