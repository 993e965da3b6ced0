"""Rollouts of a Cloche service: ask, play, finish, reward.

from cloche_client import Cloche

with Cloche("http://127.0.0.1:7317") as cloche:
    with cloche.rollout("library/catalogue-update") as rollout:
        rollout.call("list_directory", {"path": "/workspace"})
        record = rollout.finish("done")
print(record["reward"])
"""

from ._async.client import AsyncCloche
from ._async.group import AsyncGroup
from ._async.rollout import AsyncEndedRollout, AsyncRollout
from ._errors import ClocheError
from ._retry import Retry
from ._sync.client import Cloche
from ._sync.group import Group
from ._sync.rollout import EndedRollout, Rollout
from ._tools import ToolCall, ToolResult
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
    PlayedGroup,
    PlayedMember,
    Problem,
    ProtocolError,
    Regrade,
    Reward,
    RewardKind,
    RolloutEvent,
    RolloutRecord,
    RolloutView,
    Shortfall,
    Split,
    Step,
    TaskView,
    ToolFormat,
)

__all__ = [
    "AsyncCloche",
    "AsyncEndedRollout",
    "AsyncGroup",
    "AsyncRollout",
    "Budget",
    "Cloche",
    "ClocheError",
    "Criterion",
    "EndedRollout",
    "Ending",
    "FaultRecord",
    "Grade",
    "Group",
    "GroupView",
    "Limits",
    "McpAddress",
    "Outcome",
    "Phase",
    "PlayedGroup",
    "PlayedMember",
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
    "Split",
    "Step",
    "TaskView",
    "ToolCall",
    "ToolFormat",
    "ToolResult",
]
