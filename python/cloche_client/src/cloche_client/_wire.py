"""The documents of the service as they come: the keys are those of the JSON."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Phase = Literal["requested", "seeded", "serving", "finished", "captured", "graded", "stored"]
Outcome = Literal["graded", "agent_error", "task_error", "grader_error", "infra_error", "cancelled"]
Split = Literal["train", "holdout"]
ToolFormat = Literal["mcp", "openai", "anthropic"]


class Problem(TypedDict, total=False):
    """An RFC 9457 problem document, with Cloche's code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    blame: str
    remedy: str
    requestId: str
    context: dict[str, Any]


class Budget(TypedDict, total=False):
    """Bounds on what an agent may ask for in one rollout."""

    calls: int
    wallMs: int
    callMs: int
    resultBytes: int
    concurrentCalls: int


class Limits(TypedDict, total=False):
    """Bounds on what a rollout's sandbox may use."""

    memoryBytes: int
    processes: int
    cpus: float
    tmpBytes: int
    fileBytes: int
    openFiles: int
    workspaceBytes: int
    workspaceFiles: int


RewardKind = Literal["sparse", "dense", "gain"]
Polarity = Literal["must", "must_not"]


class _Gain(TypedDict, total=False):
    gain: float


class Reward(_Gain):
    """``sparse``: 1 if every criterion scored 1, else 0. ``dense``: the weighted fraction of them.

    ``gain``: ``dense`` over that of the untouched state, -1 to 1; not in grades of version 1.
    """

    sparse: int
    dense: float


class _Rules(TypedDict, total=False):
    polarity: Polarity
    #: Of a ``must_not``: what ``dense`` is at most if it fails.
    cap: float | None
    #: The sentence of the instruction that it rests on.
    asks: str | None
    #: The score of the untouched state.
    baseline: float | None
    #: Whether it scores 0 because what the agent made can't be read, or broke the criterion.
    unreadable: bool


class Criterion(_Rules):
    """What one criterion of the grader said.

    Its rules are not in grades of version 1, ``unreadable`` is not in those before version 3.
    """

    name: str
    weight: float
    score: float | None
    reason: str
    error: str | None


class FaultRecord(TypedDict):
    """A failure that is not the agent's doing; ``code`` stands in docs/errors.md."""

    code: str
    blame: str
    message: str
    detail: dict[str, Any]
    causes: list[str]


class Ending(TypedDict, total=False):
    """Why the agent's turn was over."""

    kind: Literal["submitted", "budget", "cancelled", "agent_gone", "sandbox_died"]
    answer: str | None
    which: Literal["calls", "wall", "bytes"]
    outOfMemory: bool


class TaskName(TypedDict):
    """A task and the hash of all its files."""

    id: str
    sha256: str


class RolloutRecord(TypedDict):
    """What remains of a rollout.

    ``reward`` is 0 for "agent_error", and None where it is neither that nor "graded".
    """

    schema: str
    id: str
    task: TaskName
    variant: int
    #: None in records of before it was kept.
    split: Split | None
    policy: str
    group: str | None
    attempt: int
    labels: dict[str, str]
    phase: Phase
    outcome: Outcome | None
    ending: Ending | None
    rewardKind: RewardKind
    reward: Reward | None
    criteria: list[Criterion] | None
    fault: FaultRecord | None
    steps: int
    bundle: str | None
    requestedAt: str
    endedAt: str | None
    reachedMs: dict[str, float]
    #: As they were in force.
    limits: Limits
    budget: Budget


class McpAddress(TypedDict):
    """Where the rollout's MCP endpoint is; the token opens it and nothing else."""

    url: str
    token: str


class RolloutView(TypedDict):
    """A rollout as it stands."""

    id: str
    group: str | None
    attempt: int
    phase: Phase
    outcome: Outcome | None
    task: str
    variant: int
    instruction: str
    labels: dict[str, str]
    mcp: McpAddress | None
    deadline: str | None
    leaseUntil: str | None
    rewardKind: RewardKind
    #: The reward of that kind; None without a grade.
    reward: float | None
    record: RolloutRecord | None


class Shortfall(TypedDict):
    """Why a member of a group has no reward."""

    id: str
    reason: str


class GroupView(TypedDict):
    """A group as it stands: the newest attempt of each member, and those that were replaced."""

    id: str
    task: str
    variant: int
    n: int
    members: list[RolloutView]
    lost: list[RolloutView]
    ended: bool
    gradable: int
    shortfall: list[Shortfall]


class PlayedMember(RolloutView):
    """The newest attempt of a member, and what its play raised."""

    #: Its number in the group, from 0.
    member: int
    error: Exception | None


class PlayedGroup(TypedDict):
    """A group as it ended: that of GroupView, each member with what its play raised."""

    id: str
    task: str
    variant: int
    n: int
    members: list[PlayedMember]
    lost: list[RolloutView]
    ended: bool
    gradable: int
    shortfall: list[Shortfall]


class ProtocolError(TypedDict):
    """A JSON-RPC error: the call reached no tool."""

    code: int
    message: str


class Step(TypedDict):
    """One call of a tool as the service saw it."""

    step: int
    callId: str
    server: str
    tool: str
    exposedName: str
    arguments: Any
    outcome: str
    result: Any
    error: ProtocolError | None
    at: str
    queueMs: float
    upstreamMs: float
    proxyMs: float
    overlaps: list[int]


class RolloutEvent(TypedDict, total=False):
    """``seq`` and ``type`` are always there; then ``phase`` and ``at``, ``step`` or ``grade``."""

    seq: int
    type: Literal["phase", "step", "grade"]
    phase: Phase
    at: str
    step: Step
    grade: Any


class Grade(TypedDict):
    """The verdict of a grader."""

    schema: str
    task: str
    grader: dict[str, str]
    criteria: list[Criterion]
    reward: Reward | None


class Regrade(TypedDict):
    """A grade made again, beside the one that the bundle holds."""

    rollout: str
    grade: Grade
    recorded: Grade | None
    #: Byte for byte; None if the bundle holds none.
    same: bool | None
    #: The bundle's id.
    bundle: str
    #: {schema, algorithm, key, value} over the canonical JSON of {bundle, grade, schema}.
    signature: dict[str, str] | None


class Variants(TypedDict):
    """How many there are, and which are held out from training."""

    count: int
    holdout: list[int]


class TaskView(TypedDict):
    """A task that may be asked for."""

    id: str
    description: str
    category: str
    difficulty: str
    keywords: list[str]
    variants: Variants
    servers: list[str]
    budget: Budget
    reward: RewardKind
    limits: Limits
    now: str
    sha256: str
