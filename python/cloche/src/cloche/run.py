"""What a criterion sees of one rollout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from .criteria import Failed
from .dates import parse_datetime
from .egress import Request, requests_of
from .execution import Executed, Executor
from .files import FixtureError, Tree
from .state import STATE, State
from .steps import Steps


@dataclass(frozen=True)
class Ending:
    """Why the agent's turn was over: submitted, budget, cancelled, agent_gone, sandbox_died."""

    kind: str
    answer: str | None
    #: "calls", "wall" or "bytes" if the budget was used up.
    which: str | None
    #: Whether a sandbox that died did so for memory.
    out_of_memory: bool


@dataclass(frozen=True)
class Context:
    """The rollout's surroundings, as they were, not as they are when it is graded."""

    task: str
    variant: int
    #: The task's clock, with its time zone. There is no other "now" for a grader.
    now: datetime
    ending: Ending
    #: What the agent said at the end, if it said anything.
    answer: str | None
    #: What the agent was told.
    instruction: str


class Run:
    """One rollout, read-only. What it gives is loaded when it is first asked for.

    ``untouched``: as if the agent had ended at once, without a call and without a word.
    """

    def __init__(
        self, root: Path, executor: Executor | None = None, *, untouched: bool = False
    ) -> None:
        self._root = root
        self._executor = executor
        self._untouched = untouched
        self._after = "before" if untouched else "after"

    def execute(
        self, argv: list[str], *, stdin: str | bytes = b"", timeout: float = 10.0
    ) -> Executed:
        """Runs a program on a copy of the workspace, in a box of its own, as the agent's user.

        Whatever the agent made is run here and nowhere else. The current folder is /workspace, as
        the agent left it; it can be read and not written, so let the program write to /tmp. There
        is no network, and nothing is kept for the next call. ``timeout`` is in seconds, 60 at most.
        On the untouched state, where the agent has made nothing, it fails the criterion.
        """
        if self._untouched:
            raise Failed("nothing of the agent's is here to be run")
        if self._executor is None:
            raise RuntimeError("nothing can be executed here: there is no host to ask")
        return self._executor.run(argv, stdin, timeout)

    @cached_property
    def before(self) -> Tree:
        """The workspace as the agent found it. What is missing here is the grader's mistake."""
        return Tree.load(self._root / "before.json", self._root / "before", agents_work=False)

    @cached_property
    def workspace(self) -> Tree:
        """The workspace as the agent left it. What is missing here fails the criterion."""
        return Tree.load(
            self._root / f"{self._after}.json",
            self._root / self._after,
            agents_work=True,
            baseline=lambda: self.before,
        )

    @cached_property
    def state_before(self) -> State:
        """What the services held as the agent found them. What is missing is the task's mistake."""
        return State(self._state_tree("state-before", agents_work=False))

    @cached_property
    def state(self) -> State:
        """What the services held in the end. What is wrong with it fails the criterion."""
        baseline = lambda: self.state_before.tree  # noqa: E731
        return State(self._state_tree(f"state-{self._after}", agents_work=True, baseline=baseline))

    @cached_property
    def steps(self) -> Steps:
        """Every call of a tool, in the order in which they were asked for."""
        paths = {entry.path for tree in (self.before, self.workspace) for entry in tree.entries}
        if self._untouched:
            return Steps((), paths)
        return Steps.load(self._root / "steps.jsonl", paths)

    @cached_property
    def expected(self) -> Any:
        """What the generator returned; None for a task without one."""
        path = self._root / "expected.json"
        return _json(path) if path.exists() else None

    @cached_property
    def context(self) -> Context:
        """Task, variant, clock, ending, answer and instruction."""
        data = _json(self._root / "context.json")
        if self._untouched:
            data = {**data, "ending": {"kind": "submitted", "answer": None}, "answer": None}
        ending = data.get("ending") or {}
        return Context(
            task=data["task"],
            variant=data["variant"],
            now=parse_datetime(data["now"]),
            ending=Ending(
                kind=ending.get("kind", "unknown"),
                answer=ending.get("answer"),
                which=ending.get("which"),
                out_of_memory=bool(ending.get("outOfMemory")),
            ),
            answer=data.get("answer"),
            instruction=data.get("instruction", ""),
        )

    @cached_property
    def egress(self) -> tuple[Request, ...]:
        """What the agent asked of hosts outside; empty for a task that lists none."""
        if self._untouched:
            return ()
        return requests_of(_json(self._root / "context.json").get("egress", ()))

    @property
    def answer(self) -> str | None:
        """What the agent said at the end, if it said anything."""
        return self.context.answer

    def _state_tree(
        self, name: str, *, agents_work: bool, baseline: Callable[[], Tree] | None = None
    ) -> Tree:
        snapshot = self._root / f"{name}.json"
        if not snapshot.exists():
            raise FixtureError(
                "this task has no services with state; name one in task.toml, such as "
                '[[environment.mcp_servers]] name = "calendar"'
            )
        return Tree.load(
            snapshot, self._root / name, agents_work=agents_work, baseline=baseline, place=STATE
        )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
