"""The routes of the service: what is asked, how long an answer may take, what may be repeated."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast
from urllib.parse import quote

from ._errors import ClocheError
from ._tools import ToolCall, calls_body
from ._wire import (
    Budget,
    GroupView,
    Limits,
    PlayedGroup,
    PlayedMember,
    RewardKind,
    RolloutEvent,
    RolloutRecord,
    RolloutView,
    Step,
    ToolFormat,
)

#: How long one request may wait for a rollout to serve; then it is asked again.
WAIT_S = 30
#: How long an answer that takes no work may take to come.
ANSWER_S = 60.0
FIRST_LOOK_S = 0.05
LONGEST_LOOK_S = 1.0
LONGEST_GROUP_LOOK_S = 2.0
#: The service's own default, where the caller named no lease.
DEFAULT_LEASE_MS = 120_000
#: A disposal waits this long for the service and then leaves the rest to the lease.
DISPOSE_S = 15.0


@dataclass(frozen=True)
class Question:
    """One request."""

    method: str
    path: str
    #: Sent as JSON, unless it is bytes.
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Whether asking twice does no more than asking once.
    repeatable: bool = True
    #: Seconds without a byte of the answer; None: as long as it takes.
    patience: float | None = ANSWER_S

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.method} {self.path}"


def request(request: Mapping[str, Any]) -> Question:
    headers = {"prefer": f"wait={WAIT_S}", **_own_key()}
    return Question("POST", "/v1/rollouts", request, headers, patience=WAIT_S + ANSWER_S)


def request_group(request: Mapping[str, Any]) -> Question:
    return Question("POST", "/v1/groups", request, _own_key())


def view(rollout: str, wait: bool = False) -> Question:
    if not wait:
        return Question("GET", _rollout(rollout))
    headers = {"prefer": f"wait={WAIT_S}"}
    return Question("GET", _rollout(rollout), headers=headers, patience=WAIT_S + ANSWER_S)


def group_view(group: str) -> Question:
    return Question("GET", f"/v1/groups/{_part(group)}")


def page(query: Mapping[str, Any], cursor: str | None) -> Question:
    named = {**query, "cursor": cursor}
    given = {name: value for name, value in named.items() if value is not None}
    search = "&".join(f"{name}={_part(_text_of(value))}" for name, value in given.items())
    return Question("GET", f"/v1/rollouts?{search}")


def _text_of(value: object) -> str:
    """A time without a zone is one of the zone that this machine is in."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return f"{value:.9f}" if isinstance(value, float) else str(value)


def tools(rollout: str, form: ToolFormat) -> Question:
    return Question("GET", f"{_rollout(rollout)}/tools?format={form}")


def call(rollout: str, calls: Sequence[ToolCall]) -> Question:
    """Never repeated once it may have arrived, and takes as long as the tools take."""
    body = {"calls": calls_body(calls)}
    path = f"{_rollout(rollout)}/tools"
    return Question("POST", path, body, repeatable=False, patience=None)


def heartbeat(rollout: str) -> Question:
    return Question("POST", f"{_rollout(rollout)}/heartbeat")


def finish(rollout: str, answer: str | None) -> Question:
    """A second finish gives the same record, so it may be repeated."""
    return Question("POST", f"{_rollout(rollout)}/finish", {"answer": answer}, patience=None)


def cancel(rollout: str) -> Question:
    return Question("DELETE", _rollout(rollout), patience=None)


def steps(rollout: str, after: int) -> Question:
    headers = {"accept": "application/x-ndjson"}
    return Question("GET", f"{_rollout(rollout)}/steps?after={after}", headers=headers)


def bundle(rollout: str) -> Question:
    headers = {"accept": "application/x-tar"}
    return Question("GET", f"{_rollout(rollout)}/bundle", headers=headers)


def events(rollout: str, after: int) -> Question:
    headers = {"accept": "text/event-stream", "last-event-id": str(after)}
    return Question("GET", f"{_rollout(rollout)}/events", headers=headers)


def grade(what: str | bytes, grader: str | None) -> Question:
    if isinstance(what, str):
        body = {"rollout": what} if grader is None else {"rollout": what, "grader": grader}
        return Question("POST", "/v1/grade", body, patience=None)
    path = "/v1/grade" if grader is None else f"/v1/grade?grader={_part(grader)}"
    return Question("POST", path, what, {"content-type": "application/x-tar"}, patience=None)


def tasks() -> Question:
    return Question("GET", "/v1/tasks")


def request_of(
    task: str,
    *,
    variant: int | None,
    policy: str | None,
    labels: Mapping[str, str] | None,
    reward: RewardKind | None,
    budget: Budget | None,
    limits: Limits | None,
    lease_ms: int | None,
    group: str | None = None,
    n: int | None = None,
) -> dict[str, Any]:
    """The body of a request for rollouts: only what was said."""
    said = {
        "task": task,
        "variant": variant,
        "policy": policy,
        "labels": None if labels is None else dict(labels),
        "reward": reward,
        "budget": budget,
        "limits": limits,
        "group": group,
        "leaseMs": lease_ms,
        "n": n,
    }
    return {name: value for name, value in said.items() if value is not None}


def steps_of(lines: str) -> list[Step]:
    """Lines of JSON, read."""
    return [json.loads(line) for line in lines.split("\n") if line]


def is_ahead(seen: RolloutView) -> bool:
    """Whether it is still to serve."""
    return seen["phase"] in ("requested", "seeded")


def require_serving(seen: RolloutView) -> RolloutView:
    """The view; raises ``client/rollout-ended`` if it serves no more."""
    if seen["phase"] == "serving":
        return seen
    record = seen["record"]
    fault = record["fault"] if record is not None else None
    why = f"outcome {seen['outcome']}"
    if fault is not None:
        why = f"{fault['code']}: {fault['message']}"
    raise ClocheError(
        "client/rollout-ended",
        f'rollout {seen["id"]} is at phase "{seen["phase"]}" and serves no more ({why})',
    )


def require_ended(seen: RolloutView) -> RolloutView:
    """The view; raises ``client/not-ended`` if it goes on."""
    if seen["record"] is not None:
        return seen
    detail = f'rollout {seen["id"]} has not ended: it is at phase "{seen["phase"]}"'
    raise ClocheError("client/not-ended", detail)


def record_of(ended: RolloutView) -> RolloutRecord:
    """The record that an ending gave."""
    if ended["record"] is not None:
        return ended["record"]
    detail = f'rollout {ended["id"]} was to have ended, but is at phase "{ended["phase"]}"'
    raise ClocheError("client/bad-answer", detail, status=200)


def paid_by(record: RolloutRecord | None) -> float | None:
    """The reward of the kind that was asked for, if there is a grade."""
    if record is None or record["reward"] is None:
        return None
    return record["reward"].get(record["rewardKind"])


def is_settled(seen: GroupView, index: int, rollout: str) -> bool:
    """Whether this attempt of a member ended, and no other follows or one already has."""
    member = seen["members"][index]
    if seen["ended"] or member["id"] != rollout:
        return True
    return member["outcome"] is not None and member["outcome"] != "infra_error"


def is_ending(error: BaseException) -> bool:
    """The rollout ended while the agent was calling (budget, lease, a lost sandbox): no failure."""
    ended = ("rollout/not-serving", "client/rollout-ended")
    return isinstance(error, ClocheError) and error.code in ended


def is_lease_over(error: BaseException) -> bool:
    """There is nothing left to renew."""
    over = ("rollout/not-serving", "rollout/unknown", "client/closed", "client/own-transport")
    return not isinstance(error, ClocheError) or error.code in over


def named(error: Exception, group: str, index: int, rollout: str) -> Exception:
    """The error, which says in its traceback whose it is."""
    if hasattr(error, "add_note"):
        error.add_note(f"raised while member {index} of {group} was played, rollout {rollout}")
    return error


def played(seen: GroupView, errors: Sequence[Exception | None]) -> PlayedGroup:
    """The group as it ended, each member with what its play raised."""
    members: list[PlayedMember] = [
        {**member, "member": index, "error": error}
        for index, (member, error) in enumerate(zip(seen["members"], errors, strict=True))
    ]
    return cast(PlayedGroup, {**seen, "members": members})


def is_last(event: RolloutEvent) -> bool:
    """Whether no event follows this one."""
    return event["type"] == "phase" and event["phase"] == "stored"


def too_late(rollout: str, seconds: float) -> ClocheError:
    """For a wait that was given a bound."""
    detail = f"rollout {rollout} did not serve within {seconds:g} s"
    return ClocheError("client/timeout", detail)


def _own_key() -> dict[str, str]:
    return {"idempotency-key": str(uuid.uuid4())}


def _rollout(rollout: str) -> str:
    return f"/v1/rollouts/{_part(rollout)}"


def _part(text: str) -> str:
    return quote(text, safe="")
