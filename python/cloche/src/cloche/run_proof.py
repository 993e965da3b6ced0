"""Tries the grader of one run out: ``python3 -P -s -B -m cloche.run_proof``.

Standard input: one line ``{"nonce", "root", "seed", "free", "lenient", "limit", "poisons",
"atOnce", "seconds", "secrets", "failing"}``, then files (``arrival``): the run's below ``run``, and
below ``failing/<n>`` those of each further run that ``failing`` names. Standard output: lines
``{"progress": {"done", "of"}}``, then one ``{"nonce", "verdict", "uses", "mutants", "shapes",
"repeats", "poisons", "leaks", "seen", "gradings"}`` or ``{"nonce", "failed": "…"}``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from .arrival import unpack
from .loading import GraderFailed, load_grader
from .proof.again import again
from .proof.again import sample as failing_sample
from .proof.changes import Mutant, Shape
from .proof.ground import Edits, Ground
from .proof.leaks import leaks, reasons_seen
from .proof.mutants import all_mutants
from .proof.poison.trying import poisoned
from .proof.repeats import repeats
from .proof.shapes import all_shapes
from .proof.trial import Trials, Verdict, warm
from .run import Context, Run
from .wire import Wire, clean, traceback_text

REASON = 300


def main() -> None:
    """Tries the grader out and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    root = Path(str(request["root"]))
    unpack(wire.input, str(root))
    try:
        answer = prove(Ground(root / "run"), request, wire)
    except GraderFailed as failure:
        wire.finish({"nonce": request["nonce"], "failed": str(failure)})
    except BaseException as error:  # noqa: BLE001  The host says what went wrong.
        wire.finish({"nonce": request["nonce"], "failed": traceback_text(error)})
    wire.finish({"nonce": request["nonce"], **answer})


def prove(ground: Ground, request: dict[str, Any], wire: Wire) -> dict[str, Any]:
    """All that is found out about the run's grader."""
    warm()
    uses = watch()
    criteria = load_grader(ground.root)
    seconds = float(request["seconds"])
    trials = Trials(ground, criteria, at_once=int(request["atOnce"]), seconds=seconds)
    plain, used = first_verdict(trials, uses)
    free, seed = list(request["free"]), str(request["seed"])
    mutants = all_mutants(ground, seed, used, free, int(request["limit"]))
    shapes = all_shapes(ground, seed, used, free, request["lenient"])
    variations: list[Mutant | Shape] = [*mutants, *shapes]
    verdicts: dict[int, Verdict] = {}

    def done(number: int, verdict: Verdict) -> None:
        verdicts[number] = verdict
        if len(verdicts) % 10 == 0 or len(verdicts) == len(variations):
            wire.write({"progress": {"done": len(verdicts), "of": len(variations)}})

    from_s = time.monotonic()
    trials.grade((each.edits for each in variations), done)
    poisons = poisoned(ground, criteria, request)
    took = time.monotonic() - from_s
    same = repeats(ground, seconds, lambda found: difference(plain, found))
    wrong = {at: verdicts[at] for at in range(len(mutants))}
    failing = [(mutants[at].name, mutants[at].edits) for at in failing_sample(wrong)]
    folder = ground.root.parent / "failing"
    others = [(str(name), folder / str(at)) for at, name in enumerate(request["failing"])]
    more = again(ground, others, failing, criteria, seconds, difference)
    failed = {
        each["reason"] for verdict in verdicts.values() for each in verdict if each["score"] != 1
    }
    return {
        "verdict": plain,
        "uses": sorted(used),
        "mutants": [told(each, verdicts[at], plain) for at, each in enumerate(mutants)],
        "shapes": [told(each, verdicts[at], plain) for at, each in enumerate(shapes, len(mutants))],
        "repeats": [*({"run": "oracle", **each} for each in same), *more],
        "poisons": poisons,
        "leaks": leaks(ground, dict(request["secrets"]), request["free"]),
        "seen": reasons_seen(ground, sorted(failed))[:20],
        "gradings": {"count": len(variations) + len(poisons), "seconds": round(took, 3)},
    }


def watch() -> Path:
    """Lets every grading of this process leave a mark for each part of a run that it looks at."""
    marks = Path("/tmp/proof-uses")
    marks.mkdir(exist_ok=True)

    def noted(name: str, get: Any) -> property:
        def look(self: Run) -> Any:
            if name not in self.__dict__:
                (marks / name).touch()
                self.__dict__[name] = get(self)
            return self.__dict__[name]

        return property(look)

    def get(self: Context, name: str) -> Any:
        if name in ("answer", "ending"):
            (marks / "answer").touch()
        return object.__getattribute__(self, name)

    Run.steps = noted("steps", Run.__dict__["steps"].func)  # type: ignore[assignment,method-assign]
    Context.__getattribute__ = get  # type: ignore[method-assign,assignment]
    return marks


def first_verdict(trials: Trials, marks: Path) -> tuple[Verdict, set[str]]:
    """The verdict on the run as it is, and which of "steps" and "answer" the grader looked at."""
    found: list[Verdict] = []
    trials.grade([Edits()], lambda _, verdict: found.append(verdict))
    return found[0], {each.name for each in marks.iterdir()}


def told(each: Mutant | Shape, verdict: Verdict, plain: Verdict) -> dict[str, Any]:
    """What became of one variation, as the host reports it."""
    less = [one for one in verdict if one["score"] != 1]
    failed = [
        {"criterion": one["name"], "score": one["score"], "reason": clean(one["reason"], REASON)}
        for one in less
    ]
    errors = [
        {"criterion": one["name"], "error": clean(one["error"], 2_000, keep="end")}
        for one in less
        if one["error"] is not None
    ]
    facts: dict[str, Any] = {"place": each.place, "change": clean(each.change, REASON)}
    if isinstance(each, Mutant):
        facts |= {
            "family": each.family,
            "where": each.where,
            "operator": each.operator,
            "grave": each.grave,
            "name": each.name,
        }
    else:
        facts |= {"shape": each.shape}
    return {**facts, "passed": not less, "failed": failed, "errors": errors[:2]}


def difference(plain: Verdict, other: Any) -> str | None:
    """What another grading of the same run found otherwise; None if nothing."""
    if isinstance(other, str):
        return clean(f"no verdict: {other}", 1_000)
    for one, two in zip(plain, other):
        if any(one[key] != two[key] for key in ("name", "score", "reason", "error")):
            was, now = (f"{each['score']} ({each['reason']})" for each in (one, two))
            return clean(f"{one['name']}: {was} became {now}", 1_000)
    return None if len(plain) == len(other) else "another number of criteria"


if __name__ == "__main__":
    main()
