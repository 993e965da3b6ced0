"""Plays a group with the task's own solution.py, over HTTP: every member must earn the full reward.

The script runs in this process, so only use it with tasks that you trust.

python oracle_group.py --url http://127.0.0.1:7317 --tasks tasks --task library/catalogue-update
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cloche_client import Cloche, Rollout, ToolResult


class ToolError(Exception):
    """A tool failed, or the call never reached one; ``result`` is what came back."""

    def __init__(self, tool: str, result: ToolResult) -> None:
        #: The JSON-RPC error code; None if the tool itself reported the error.
        self.code = None if result.error is None else result.error["code"]
        words = result.text if self.code is None else f"error {self.code}: {result.text}"
        super().__init__(f"{tool}: {words}")
        self.tool = tool
        self.result = result


class Agent:
    """What ``solve(agent)`` is given, backed by a rollout of the service."""

    def __init__(self, rollout: Rollout) -> None:
        self.instruction = rollout.instruction
        self.tools = rollout.tools()
        self.variant = rollout.view["variant"]
        self._rollout = rollout

    def call(self, tool: str, *, check: bool = True, **arguments: Any) -> ToolResult:
        """Calls a tool; raises ToolError if the call fails, unless ``check`` is False."""
        return self.call_all([(tool, arguments)], check=check)[0]

    def call_all(
        self, calls: Iterable[tuple[str, dict[str, Any]]], *, check: bool = True
    ) -> list[ToolResult]:
        """Makes all calls at once; raises as ``call`` does, for the first that failed."""
        asked = list(calls)
        results = self._rollout.call_all(asked) if asked else []
        for (tool, _), result in zip(asked, results, strict=True):
            if check and result.is_error:
                raise ToolError(tool, result)
        return results

    def has_tool(self, name: str) -> bool:
        """Whether the agent was given a tool of this name."""
        return any(tool.get("name") == name for tool in self.tools)


def solver(tasks: Path, task: str) -> Callable[[Agent], str | None]:
    """The function ``solve`` of the task's solution.py, which may import its neighbours."""
    script = tasks / task / "solution.py"
    sys.path.insert(0, str(script.parent))
    solve: Callable[[Agent], str | None] = runpy.run_path(str(script))["solve"]
    return solve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7317")
    parser.add_argument("--tasks", type=Path, default=Path("tasks"))
    parser.add_argument("--task", default="library/catalogue-update")
    parser.add_argument("--variant", type=int, default=1)
    parser.add_argument("--n", type=int, default=8)
    asked = parser.parse_args()
    solve = solver(asked.tasks, asked.task)

    with Cloche(asked.url, key=os.environ.get("CLOCHE_KEY")) as cloche:
        with cloche.group(asked.task, variant=asked.variant, n=asked.n, policy="oracle") as group:
            ended = group.play(lambda rollout, _member: solve(Agent(rollout)))

    for member in ended["members"]:
        record = member["record"]
        reward = record["reward"] if record is not None else None
        print(f"{member['id']}  {member['outcome']}  {reward}")
        if member["error"] is not None:
            traceback.print_exception(member["error"])
    print(f"group {ended['id']}: {ended['gradable']} of {ended['n']} graded")
    if ended["gradable"] < ended["n"]:
        sys.exit(f"not all were graded: {ended['shortfall']}")


if __name__ == "__main__":
    main()
