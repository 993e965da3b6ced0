"""All mutants of a run: made of what the agent changed, and of some of what it left alone."""

from __future__ import annotations

import base64
import copy
import fnmatch
import json
import posixpath
import random
import re
from collections.abc import Iterable, Iterator
from typing import Any

from .changes import Mutant, next_number, short, some
from .diaries import diary_mutants
from .ground import Edits, Files, Ground
from .letters import letter_mutants
from .papers import document_mutants, text_mutants
from .records import record_mutants
from .workbooks import workbook_mutants

WORKSPACE, STATE = "after", "state-after"
SERVICES = ("calendar/", "mail/", "web/", "people/", "search/")
UNTOUCHED = 4


def all_mutants(
    ground: Ground, seed: str, uses: Iterable[str], free: Iterable[str], limit: int
) -> list[Mutant]:
    """Mutants of a run, the same each time; at most ``limit``, the grave ones always among them.

    ``uses`` says what the grader looks at beside files: "steps", "answer". ``free`` are globs of
    files that agents may leave as they like.
    """
    rng = random.Random(seed)
    found: list[Mutant] = []
    patterns = list(free)
    for path in ground.changed(WORKSPACE):
        if not is_free(ground.place(WORKSPACE, path), patterns):
            found += file_mutants(ground, WORKSPACE, path, rng)
    for path in ground.changed(STATE):
        if path.startswith("memory/") and not is_free(ground.place(STATE, path), patterns):
            found += file_mutants(ground, STATE, path, rng)
    found += memory_mutants(ground)
    found += untouched_mutants(ground, patterns, rng)
    found += letter_mutants(ground, rng)
    found += diary_mutants(ground, rng)
    found += record_mutants(ground, rng)
    found += doing_mutants(ground, set(uses), rng)
    real = [each for each in (_carried(ground, one) for one in found) if _differs(ground, each)]
    real = [each for each in real if not is_free(each.place, patterns)]
    grave = [each for each in real if each.grave]
    chosen = some([each for each in real if not each.grave], max(0, limit - len(grave)), rng)
    return grave + chosen


def is_free(place: str, patterns: list[str]) -> bool:
    """Whether agents may leave this file as they like."""
    return any(
        fnmatch.fnmatchcase(place, each) or fnmatch.fnmatchcase(place, f"workspace/{each}")
        for each in patterns
    )


def file_mutants(ground: Ground, tree: str, path: str, rng: random.Random) -> Iterator[Mutant]:
    """Mutants of a file that the agent made or changed: gone, empty, damaged, moved, wrong."""
    data, old = ground.read(tree, path), ground.before(tree, path)
    place, key = ground.place(tree, path), (tree, path)

    def mutant(family: Any, operator: str, change: str, files: Files, grave: bool) -> Mutant:
        return Mutant(family, place, "", operator, change, Edits(files), grave)

    yield mutant("partial", "file gone", "removed", {key: None}, True)
    if old is not None:
        yield mutant("partial", "file as in the beginning", "not done", {key: old}, True)
    if data:
        yield mutant("partial", "file empty", f"{len(data)} bytes → none", {key: b""}, True)
    if len(data) > 64:
        half = data[: len(data) // 2]
        yield mutant(
            "wrong", "file cut in half", f"{len(data)} bytes → {len(half)}", {key: half}, True
        )
    folder, name = posixpath.split(path)
    elsewhere = posixpath.join(folder, "elsewhere", name)
    yield mutant("wrong", "file moved", elsewhere, {key: None, (tree, elsewhere): data}, False)
    kind = posixpath.splitext(path)[1].lower()
    if kind in (".xlsx", ".xlsm"):
        yield from workbook_mutants(ground, tree, path, rng)
    elif kind == ".docx":
        yield from document_mutants(ground, tree, path, rng)
    else:
        yield from text_mutants(ground, tree, path, rng)


def memory_mutants(ground: Ground) -> Iterator[Mutant]:
    """One more thing remembered, wherever there is a memory."""
    path = "memory/memory.jsonl"
    if not any(each.split("/")[0] == "memory" for each in ground.entries(STATE)):
        return
    known = ground.read(STATE, path) if path in ground.entries(STATE) else b""
    thing = {"type": "entity", "name": "One more thing", "entityType": "note", "observations": []}
    lines = [*known.splitlines(), json.dumps(thing).encode()]
    edits = Edits({(STATE, path): b"\n".join(lines)})
    place = ground.place(STATE, path)
    yield Mutant("extra", place, "", "entity added", "One more thing", edits)


def untouched_mutants(ground: Ground, free: list[str], rng: random.Random) -> Iterator[Mutant]:
    """Files that were to be left alone, changed and removed; and one that nobody asked for."""
    kept = [p for p in ground.unchanged(WORKSPACE) if not is_free(ground.place(WORKSPACE, p), free)]
    for path in some(kept, UNTOUCHED, rng):
        place, key, data = (
            ground.place(WORKSPACE, path),
            (WORKSPACE, path),
            ground.read(WORKSPACE, path),
        )
        gone = Edits({key: None})
        yield Mutant("forbidden", place, "", "untouched file removed", path, gone)
        more = Edits({key: data + b"\n"})
        yield Mutant("forbidden", place, "", "untouched file changed", "one byte more", more)
        elsewhere = posixpath.join(posixpath.dirname(path), "elsewhere", posixpath.basename(path))
        moved = Edits({key: None, (WORKSPACE, elsewhere): data})
        yield Mutant("forbidden", place, "", "untouched file moved", elsewhere, moved)
    for name in ("stray.txt", "stray/stray.txt"):
        files: Files = {(WORKSPACE, name): b"Nobody asked for this.\n"}
        yield Mutant("extra", f"workspace/{name}", "", "file too many", name, Edits(files))


def doing_mutants(ground: Ground, uses: set[str], rng: random.Random) -> Iterator[Mutant]:
    """Other calls, and another answer, where the grader looks at them."""
    if "answer" in uses and ground.context.get("answer"):
        answer = ground.context["answer"]
        yield Mutant(
            "partial", "answer", "", "answer missing", short(answer), Edits(answer=""), True
        )
        for _ in range(3):
            wrong = next_number(answer, rng)
            if wrong:
                yield Mutant(
                    "wrong", "answer", "", "number off by one", short(wrong), Edits(answer=wrong)
                )
    if "steps" not in uses:
        return
    yield from call_mutants(ground.steps)


#: Names of tools that only look.
LOOKING = re.compile(
    r"(list|read|get|find|search|describe|check|extract|filter|view|count|show|directory_tree"
    r"|browser_snapshot|browser_take_screenshot)(_|$)"
)


#: Names of tools that run what they are given: nobody knows what that changes.
_RUNNING = re.compile(r"(run|execute|exec|bash|shell|python|start|wait|browser)(_|$)")


def call_mutants(steps: list[dict[str, Any]]) -> Iterator[Mutant]:
    """Runs of which the final state is right and the way to it is not."""
    looks = [bool(LOOKING.match(step["tool"])) for step in steps]
    sure = [not look and not _RUNNING.match(step["tool"]) for step, look in zip(steps, looks)]
    last = max((at for at, change in enumerate(sure) if change), default=len(steps))
    before = [step for at, step in enumerate(steps) if at >= last or not looks[at]]
    failed = [
        {**step, "outcome": "tool_error", "result": None} if look else step
        for step, look in zip(steps, looks)
    ]
    acts_first = [s for s, look in zip(steps, looks) if not look]
    acts_first += [s for s, look in zip(steps, looks) if look]
    ways = [
        ("no calls", []),
        ("first half of the calls missing", steps[len(steps) // 2 :]),
        ("never looked before the last change", before),
        ("never looked after the last change", steps[: last + 1]),
        ("every look failed", failed),
        ("changed first, looked later", acts_first),
    ]
    for server in dict.fromkeys(step["server"] for step in steps):
        if all(look for step, look in zip(steps, looks) if step["server"] == server):
            left = [step for step in steps if step["server"] != server]
            ways.append((f"never used {server}", left))
    for operator, left in ways:
        if left != steps:
            change = f"{len(left)} calls instead of {len(steps)}"
            yield Mutant(
                "partial", "steps", "", operator, change, Edits(steps=numbered(left)), not left
            )


def numbered(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The calls, numbered anew without gaps."""
    new = {step["step"]: at for at, step in enumerate(steps, 1)}
    copied = copy.deepcopy(steps)
    for step in copied:
        step["step"] = new[step["step"]]
        step["overlaps"] = [new[each] for each in step.get("overlaps", []) if each in new]
    return copied


def _carried(ground: Ground, mutant: Mutant) -> Mutant:
    """The mutant with copies of a changed file, attached to mails, changed in the same way.

    An agent that had done so would have sent that file.
    """
    files = carried(ground, mutant.edits.files)
    edits = Edits(files, steps=mutant.edits.steps, answer=mutant.edits.answer)
    return Mutant(**{**mutant.__dict__, "edits": edits})


def carried(ground: Ground, files: Files) -> Files:
    """The edits, and with them those of mails that have one of the files attached as it was."""
    more: Files = dict(files)
    for (tree, path), data in files.items():
        if tree != WORKSPACE or data is None or path not in ground.entries(WORKSPACE):
            continue
        old = ground.read(WORKSPACE, path)
        if len(old) < 48:
            continue
        for mail in ground.changed(STATE):
            if mail.startswith("mail/") and (STATE, mail) not in files:
                text = ground.read(STATE, mail)
                for end in (b"\r\n", b"\n"):
                    was, now = _encoded(old, end), _encoded(data, end)
                    if was in text:
                        more[(STATE, mail)] = text.replace(was, now)
                        break
    return more


def _encoded(data: bytes, end: bytes) -> bytes:
    return base64.encodebytes(data).strip().replace(b"\n", end)


def _differs(ground: Ground, mutant: Mutant) -> bool:
    edits = mutant.edits
    if edits.steps is not None or edits.answer is not None:
        return True
    return any(
        (data is None and path in ground.entries(tree))
        or (
            data is not None
            and (path not in ground.entries(tree) or ground.read(tree, path) != data)
        )
        for (tree, path), data in edits.files.items()
    )
