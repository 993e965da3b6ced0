"""Rollouts of a Cloche service: ask, play, finish, reward.

from cloche_client import Cloche

with Cloche("http://127.0.0.1:7317") as cloche:
    with cloche.rollout("library/catalogue-update") as rollout:
        rollout.call("list_directory", {"path": "/workspace"})
        record = rollout.finish("done")
print(record["reward"])
"""

from ._async_client import AsyncCloche, AsyncGroup, AsyncRollout
from ._errors import ClocheError
from ._retry import Retry
from ._sync_client import Cloche, Group, Rollout
from ._tools import ToolAnswer, ToolCall, ToolResult
from ._wire import (
    Budget,
    Criterion,
    Ending,
    FaultRecord,
    Grade,
    GroupView,
    Limits,
    McpAddress,
    Outcome,
    Phase,
    Problem,
    ProtocolError,
    Regrade,
    Reward,
    RewardKind,
    RolloutEvent,
    RolloutRecord,
    RolloutView,
    Shortfall,
    Step,
    TaskView,
    ToolFormat,
)

__all__ = [
    "AsyncCloche",
    "AsyncGroup",
    "AsyncRollout",
    "Budget",
    "Cloche",
    "ClocheError",
    "Criterion",
    "Ending",
    "FaultRecord",
    "Grade",
    "Group",
    "GroupView",
    "Limits",
    "McpAddress",
    "Outcome",
    "Phase",
    "Problem",
    "ProtocolError",
    "Regrade",
    "Retry",
    "Reward",
    "RewardKind",
    "Rollout",
    "RolloutEvent",
    "RolloutRecord",
    "RolloutView",
    "Shortfall",
    "Step",
    "TaskView",
    "ToolAnswer",
    "ToolCall",
    "ToolFormat",
    "ToolResult",
]
