"""Runs that fail graded again, under other conditions: ``python3 -P -s -B -m cloche.proof.again``.

Standard input: one line ``{"grader", "roots", "seconds"}``. Standard output: for each root one
line, the verdict on the run in it. One process for all of them, so that a hash seed, a time zone
and a day cost one start of Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..loading import load_grader
from ..wire import Wire
from .ground import Edits, Ground
from .repeats import CLOCK, PLAIN, shuffle
from .trial import Trials, Verdict, lay_out, warm

#: Each of one other process; the second sees files in another order, too.
CONDITIONS: dict[str, dict[str, str]] = {
    "hash seed 4242, America/Lima": {"PYTHONHASHSEED": "4242", "TZ": "America/Lima"},
    "hash seed 1, Pacific/Auckland, locale C, another day, files in another order": {
        "PYTHONHASHSEED": "1",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "C",
        "LD_PRELOAD": CLOCK,
    },
}
MUTANTS = 12


def main() -> None:
    """Grades and ends."""
    wire = Wire()
    request = wire.read() or {}
    warm()
    criteria = load_grader(Path(request["grader"]))
    for root in request["roots"]:
        wire.write({"verdict": verdict_on(Path(root), criteria, float(request["seconds"]))})
    wire.finish({"done": len(request["roots"])})


def verdict_on(root: Path, criteria: list[Any], seconds: float) -> Verdict:
    """What the grader says of the run in a folder, in a process that forks from this one."""
    found: list[Verdict] = []
    trials = Trials(Ground(root), criteria, at_once=1, seconds=seconds)
    trials.grade([Edits()], lambda _, verdict: found.append(verdict))
    return found[0]


def again(
    ground: Ground,
    whole: Sequence[tuple[str, Path]],
    edited: Sequence[tuple[str, Edits]],
    criteria: list[Any],
    seconds: float,
    differs: Callable[[Verdict, Any], str | None],
) -> list[dict[str, str | None]]:
    """What each condition changes of each verdict: ``{"run", "condition", "difference"}``.

    ``whole`` are runs of their own, ``edited`` variations of the ground's.
    """
    roots = list(whole)
    for at, (name, edits) in enumerate(edited):
        root = ground.root.parent / f"again-{at}"
        lay_out(ground, edits, root)
        roots.append((name, root))
    plain = [verdict_on(root, criteria, seconds) for _, root in roots]
    found: list[dict[str, str | None]] = []
    for condition, env in CONDITIONS.items():
        if "another order" in condition:
            for _, root in whole:
                shuffle(root)
        verdicts = _graded([root for _, root in roots], ground.root, env, seconds)
        for (name, _), one, other in zip(roots, plain, verdicts, strict=True):
            difference = differs(one, other)
            found.append({"run": name, "condition": condition, "difference": difference})
    return found


def _graded(
    roots: list[Path], grader: Path, env: dict[str, str], seconds: float
) -> list[Verdict | str]:
    argv = [sys.executable, "-P", "-s", "-B", "-m", __name__]
    base = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    request = {"grader": str(grader), "roots": [str(each) for each in roots], "seconds": seconds}
    try:
        done = subprocess.run(
            argv,
            env={**base, **PLAIN, **env},
            input=f"{json.dumps(request)}\n".encode(),
            capture_output=True,
            timeout=seconds * (len(roots) + 1),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ["it took too long"] * len(roots)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    verdicts: list[Verdict | str] = [each["verdict"] for each in lines if "verdict" in each]
    printed = done.stderr[-500:].decode("utf-8", "replace")
    why = f"it ended with exit code {done.returncode}: {printed}"
    return verdicts + [why] * (len(roots) - len(verdicts))


def sample(verdicts: dict[int, Verdict]) -> list[int]:
    """Which failing variations are graded again: for each criterion one that fails it, and more."""
    chosen: list[int] = []
    seen: set[tuple[str, str]] = set()
    for at, verdict in sorted(verdicts.items()):
        lost = {(each["name"], each["reason"][:40]) for each in verdict if each["score"] != 1}
        if lost - seen and len(chosen) < MUTANTS:
            chosen.append(at)
            seen |= lost
    return chosen


if __name__ == "__main__":
    main()
