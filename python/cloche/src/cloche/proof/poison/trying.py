"""Grades poisons as a rollout would be graded that left them: against the untouched state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...criteria import Criterion
from ...run_grader import untouched
from ...wire import clean
from ..ground import Edits, Ground
from ..trial import Trials, Verdict
from .places import On, Poison, chosen_poisons, untouched_ground

NAME = 300


def poisoned(
    ground: Ground, criteria: list[Criterion], request: dict[str, Any]
) -> list[dict[str, Any]]:
    """What became of each poison, as the host reports it; ``request`` as in ``run_proof``."""
    seconds, free = float(request["seconds"]), list(request["free"])
    nothing_done = untouched_ground(ground)
    baselines = untouched(criteria, nothing_done.root, seconds)
    found: list[dict[str, Any]] = []
    grounds: dict[On, Ground] = {"untouched": nothing_done, "solved": ground}
    for on, below in grounds.items():
        known: list[Poison] = []
        verdicts: dict[int, Verdict] = {}
        poisons = chosen_poisons(
            on, ground, below, str(request["seed"]), free, int(request["poisons"]) // 2
        )
        trials = Trials(
            below,
            criteria,
            at_once=int(request["atOnce"]),
            seconds=seconds,
            baselines=baselines,
        )
        trials.grade(_edits(poisons, known), verdicts.__setitem__)
        found += [_told(each, verdicts[at]) for at, each in enumerate(known)]
    return found


def _edits(poisons: Iterator[Poison], known: list[Poison]) -> Iterator[Edits]:
    """Their edits, each held no longer than it is graded."""
    for each in poisons:
        known.append(replace(each, edits=Edits()))
        yield each.edits


def _told(each: Poison, verdict: Verdict) -> dict[str, Any]:
    broken = next((one for one in verdict if one["score"] is None), None)
    return {
        "on": each.on,
        "place": clean(each.place, NAME),
        "kind": clean(each.kind, NAME),
        "ruins": each.ruins,
        "scores": [
            {"name": one["name"], "score": one["score"], "baseline": one.get("baseline")}
            for one in verdict
        ],
        "unreadable": sum(bool(one.get("unreadable")) for one in verdict),
        "broken": None if broken is None else clean(broken["reason"], NAME),
    }
