"""What is poisoned: each file and each service of a run, untouched and solved."""

from __future__ import annotations

import json
import posixpath
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..changes import some
from ..ground import Edits, Files, Ground, Odd
from ..mutants import STATE, WORKSPACE, is_free
from .calls import answers, call_poisons
from .diaries import diary_damages
from .letters import letter_damages
from .office import office_damages, pdf_damages
from .raw import Dose, damages, json_damages, ruins, sample

On = Literal["untouched", "solved"]
Put = bytes | Odd | Callable[[], bytes | None]
#: Services whose state is what agents tell them.
SERVICES = ("mail", "calendar", "memory", "web")
#: How many files of a service are poisoned one by one: that the agent changed, and others.
CHANGED, OLD = 2, 1
NAMES = (
    "-rf", " x ", "new\nline.txt", "*", "$(reboot)", "%00%s%n", "a" * 255, "\u202egpj.txt",
    "cafe\u0301.txt", "\U0001f4a9", "CON", "'\"`\\", "d/" * 120 + "deep.txt",
)  # fmt: skip


@dataclass(frozen=True)
class Poison:
    """One thing that a policy might leave."""

    on: On
    place: str
    kind: str
    edits: Edits
    #: Whether a right answer can't be there any more, so that it must not be paid for one.
    ruins: bool

    @property
    def name(self) -> str:
        """What a task's proof settings match: place and kind."""
        return f"{self.place}: {self.kind}"


def untouched_ground(ground: Ground) -> Ground:
    """The same run as if the agent had ended at once, without a call and without a word."""
    root = ground.root.parent / "untouched"
    root.mkdir()
    for each in ground.root.iterdir():
        if each.name.removesuffix(".json") not in (WORKSPACE, STATE, "steps.jsonl", "context"):
            (root / each.name).symlink_to(each)
    for before, after in (("before", WORKSPACE), ("state-before", STATE)):
        if ground.entries(before) or (ground.root / f"{before}.json").exists():
            (root / after).symlink_to(ground.root / before)
            (root / f"{after}.json").symlink_to(ground.root / f"{before}.json")
    ending = {"kind": "submitted", "answer": None}
    context = {**ground.context, "answer": None, "ending": ending}
    (root / "context.json").write_text(json.dumps(context), "utf-8")
    (root / "steps.jsonl").touch()
    return Ground(root)


def chosen_poisons(
    on: On, solved: Ground, ground: Ground, seed: str, free: Iterable[str], limit: int
) -> Iterator[Poison]:
    """Poisons of one state, the same each time; at most ``limit``.

    Each is made when it is asked for: all of them at once would take more memory than there is.
    """
    patterns = list(free)
    groups: dict[str, list[int]] = {}
    for at, (group, _) in enumerate(_every(on, ground, solved, seed, patterns)):
        groups.setdefault(group, []).append(at)
    rng = random.Random(f"{seed} which")
    picked: set[int] = set()
    # A group that is small leaves its share to the others.
    for at, all_of in enumerate(sorted(groups.values(), key=len)):
        picked.update(some(all_of, (limit - len(picked)) // (len(groups) - at), rng))
    for at, (_, plan) in enumerate(_every(on, ground, solved, seed, patterns)):
        made = plan.made() if at in picked else None
        if made is not None:
            yield made


@dataclass(frozen=True)
class Plan:
    """A poison that has not been made yet."""

    poison: Poison
    #: Where what is put; nothing for a poison of calls or answers.
    puts: Mapping[tuple[str, str], Put]

    def made(self) -> Poison | None:
        """The poison with its contents; None for one that can't be made of these."""
        files: Files = {}
        odd: dict[tuple[str, str], Odd] = {}
        for place, what in self.puts.items():
            content = what() if callable(what) else what
            if content is None:
                return None
            if isinstance(content, Odd):
                odd[place] = content
            else:
                files[place] = content
        edits = self.poison.edits
        return replace(self.poison, edits=replace(edits, files=files, odd=odd))


def _every(
    on: On, ground: Ground, solved: Ground, seed: str, free: list[str]
) -> Iterator[tuple[str, Plan]]:
    """All poisons of a state, each with the group that it is taken from."""
    rng = random.Random(f"{seed} poison")
    for each in _matter(on, ground, solved, rng, free):
        yield "ruined" if each.poison.ruins else "damaged", each
    for each in _others(on, ground, rng, free):
        yield "left alone", each
    for each in (*_names(on, ground), *_calls(on, ground, solved)):
        yield "odd", each


def _matter(
    on: On, ground: Ground, solved: Ground, rng: random.Random, free: list[str]
) -> Iterator[Plan]:
    """Of the files that the solution made or changed, and of the services that it used."""
    for path in solved.changed(WORKSPACE):
        place = solved.place(WORKSPACE, path)
        if is_free(place, free):
            continue
        there = path in ground.entries(WORKSPACE)
        data = ground.read(WORKSPACE, path) if there else sample(path)
        for dose in doses(path, data, rng):
            # What the solution left may still be right if it is only damaged.
            yield _poison(on, place, dose, {(WORKSPACE, path): dose.content})
    for service in SERVICES:
        changed = [p for p in solved.changed(STATE) if p.startswith(f"{service}/")]
        here = [p for p in ground.files(STATE) if p.startswith(f"{service}/")]
        mine = [p for p in here if p in changed] or here
        for path in some(mine, CHANGED, rng):
            for dose in doses(path, ground.read(STATE, path), rng):
                files = {(STATE, path): dose.content}
                yield _poison(on, solved.place(STATE, path), dose, files, kept=True)
        # Of the copies of a mail or an event some may still be whole, unless all are gone.
        if on == "solved" and changed:
            for dose in ruins(changed[0], rng):
                if isinstance(dose.content, bytes) and len(dose.content) < 1 << 16:
                    every = {(STATE, path): dose.content for path in changed}
                    yield _poison(on, f"state/{service}", dose, every)


def _others(on: On, ground: Ground, rng: random.Random, free: list[str]) -> Iterator[Plan]:
    """Of the files that were to be left alone."""
    for path in ground.unchanged(WORKSPACE) if on == "solved" else ground.files(WORKSPACE):
        place = ground.place(WORKSPACE, path)
        if is_free(place, free):
            continue
        for dose in doses(path, ground.read(WORKSPACE, path), rng):
            yield _poison(on, place, dose, {(WORKSPACE, path): dose.content}, kept=True)
    for service in SERVICES:
        files = [p for p in ground.files(STATE) if p.startswith(f"{service}/")]
        for path in some(files, OLD, rng):
            for dose in doses(path, ground.read(STATE, path), rng):
                place = ground.place(STATE, path)
                yield _poison(on, place, dose, {(STATE, path): dose.content}, kept=True)


def _names(on: On, ground: Ground) -> Iterator[Plan]:
    """Files, folders, links and pipes of odd names, where there were none."""
    for name in NAMES:
        for kind, content in (
            ("a file", b"x\n"),
            ("a link", Odd("link", "..")),
            ("a pipe", Odd("fifo")),
        ):
            if name not in ground.entries(WORKSPACE):
                shown = repr(name if len(name) < 40 else f"{name[:20]}…")
                dose = Dose(f"{kind} named {shown}", content)
                yield _poison(on, "workspace", dose, {(WORKSPACE, name): content})


def _calls(on: On, ground: Ground, solved: Ground) -> Iterator[Plan]:
    """Calls besides those of the run, and odd answers."""
    steps = ground.steps
    for kind, calls in call_poisons(solved.steps):
        for place, found in (("last call", [*steps, *calls]), ("first call", [*calls, *steps])):
            if steps or place == "last call":
                known = [{**step, "step": at} for at, step in enumerate(found, 1)]
                yield Plan(Poison(on, place, kind, Edits(steps=known), False), {})
    for kind, answer in answers().items():
        yield Plan(Poison(on, "answer", kind, Edits(answer=answer), False), {})


def doses(path: str, data: bytes, rng: random.Random) -> Iterator[Dose]:
    """All that can be done to one file."""
    yield from ruins(path, rng)
    yield from damages(path, data, rng)
    yield from office_damages(data)
    yield from pdf_damages(data)
    kind = posixpath.splitext(path)[1].lower()
    if path.startswith("mail/") or kind in (".eml", ".mail"):
        yield from letter_damages(data)
    if kind == ".ics":
        yield from diary_damages(data)
    if path.startswith(("memory/", "web/")):
        yield from json_damages(data)


def _poison(
    on: On,
    place: str,
    dose: Dose,
    puts: Mapping[tuple[str, str], Put],
    *,
    kept: bool = False,
) -> Plan:
    return Plan(Poison(on, place, dose.kind, Edits(), dose.ruins and not kept), puts)
