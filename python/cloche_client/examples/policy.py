"""A scripted policy, in the place where a model would choose the calls."""

from __future__ import annotations

import re

from cloche_client import Rollout


def play(rollout: Rollout, *, careful: bool = True) -> str:
    """Looks around, and does what it is told if that is to write a line into a file."""
    tools = {tool["name"] for tool in rollout.tools()}
    if "list_directory" in tools:
        rollout.call("list_directory", {"path": "/workspace"})
    asked = re.search(r"Write the line (\S+) into (\S+)\.", rollout.instruction)
    if asked is None:
        return "I do not know how to do that."
    line, path = asked.groups()
    result = rollout.call("write_file", {"path": path, "content": line if careful else "later"})
    return "failed" if result.is_error else "done"
