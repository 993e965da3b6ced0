"""Grades many variations of one run, each in a process of its own that forked from a warm one."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import selectors
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..criteria import Criterion
from ..judging import Judging
from ..run import Run
from ..run_grader import Baselines, judged, outcome_of
from .ground import Edits, Ground, Odd, parents

Verdict = list[dict[str, Any]]
#: What a process that gave no verdict is said to have found, by a name that no criterion has.
NO_VERDICT = "(no verdict)"
#: Variations are not held against the untouched state.
UNKNOWN = {"score": None, "error": None}
#: What a process may take beyond the time that it keeps itself.
_SLACK_S = 15.0


def warm() -> None:
    """Loads what graders use, so that no fork has to."""
    import docx  # noqa: F401
    import icalendar  # noqa: F401
    import lxml.etree  # noqa: F401
    import openpyxl  # noqa: F401

    from .. import (  # noqa: F401
        cells,
        dates,
        documents,
        identifiers,
        sheets,
        shell,
        tables,
        text,
        usage,
    )
    from ..state import calendar, mail, memory, people, search, sites, web  # noqa: F401


class Trials:
    """Processes that grade variations of one run, some at a time."""

    def __init__(
        self,
        ground: Ground,
        criteria: list[Criterion],
        *,
        at_once: int,
        seconds: float,
        baselines: Baselines | None = None,
    ) -> None:
        self._ground = ground
        self._baselines = baselines or [UNKNOWN] * len(criteria)
        self._criteria = criteria
        self._at_once = at_once
        self._seconds = seconds
        self._count = 0

    def grade(self, all_edits: Iterable[Edits], done: Callable[[int, Verdict], None]) -> None:
        """Grades each variation and says its verdict, in the order in which they end."""
        from ..state.calendar import remember

        for tree in ("state-before", "state-after"):  # Most variations leave most of them.
            remember(self._ground.root / tree / "calendar")
        gc.collect()
        gc.freeze()
        waiting = enumerate(all_edits)
        with selectors.DefaultSelector() as selector:
            running = 0
            while True:
                while running < self._at_once and (next_one := next(waiting, None)) is not None:
                    number, edits = next_one
                    pipe, child = self._start(edits)
                    late = time.monotonic() + self._seconds + _SLACK_S
                    selector.register(pipe, selectors.EVENT_READ, [number, child, late, b""])
                    running += 1
                if running == 0:
                    return
                running -= self._collect(selector, done)

    def _collect(
        self, selector: selectors.BaseSelector, done: Callable[[int, Verdict], None]
    ) -> int:
        """Reads what came; gives the number of processes that have ended."""
        ready = {key.fd for key, _ in selector.select(timeout=0.2)}
        ended = 0
        for key in list(selector.get_map().values()):
            number, child, late, _ = key.data
            if key.fd in ready:
                chunk = os.read(key.fd, 1 << 16)
                key.data[3] += chunk
                if chunk:
                    continue
            elif time.monotonic() < late:
                continue
            else:
                os.kill(child, signal.SIGKILL)
            selector.unregister(key.fd)
            os.close(key.fd)
            os.waitpid(child, 0)
            ended += 1
            done(number, _verdict(key.data[3], self._seconds))
        return ended

    def _start(self, edits: Edits) -> tuple[int, int]:
        self._count += 1
        root = self._ground.root.parent / f"trial-{self._count}"
        reader, writer = os.pipe()
        child = os.fork()
        if child:
            os.close(writer)
            return reader, child
        try:
            os.close(reader)
            lay_out(self._ground, edits, root)
            found = self._judged(root)
            data = memoryview(json.dumps(found).encode("ascii"))
            while data:
                data = data[os.write(writer, data) :]
        finally:
            shutil.rmtree(root, ignore_errors=True)
            os._exit(0)

    def _judged(self, root: Path) -> Verdict:
        judge = lambda each, _: outcome_of(each, Run(root))  # noqa: E731
        load = lambda: self._criteria  # noqa: E731
        outcomes = Judging(len(self._criteria), load, judge, seconds=self._seconds).outcomes()
        found = zip(self._criteria, outcomes, self._baselines, strict=True)
        return [judged(*each) for each in found]


def _verdict(data: bytes, seconds: float) -> Verdict:
    try:
        verdict: Verdict = json.loads(data)
    except ValueError:
        error = f"the grader ended without a verdict, or took longer than {seconds:g} s"
        return [{"name": NO_VERDICT, "score": None, "reason": error, "error": error}]
    return verdict


def lay_out(ground: Ground, edits: Edits, root: Path) -> None:
    """Makes the folder that a grader is shown: the run with the edits, the rest of it linked."""
    root.mkdir()
    edited = {tree for tree, _ in (*edits.files, *edits.odd)}
    for name in os.listdir(ground.root):
        if name.removesuffix(".json") not in edited:
            (root / name).symlink_to(ground.root / name)
    for tree in edited:
        _lay_out_tree(ground, tree, edits, root)
    if edits.steps is not None:
        lines = (json.dumps(step, ensure_ascii=False) + "\n" for step in edits.steps)
        _replace(root / "steps.jsonl", "".join(lines))
    if edits.answer is not None:
        ending = {**ground.context.get("ending", {}), "answer": edits.answer}
        context = {**ground.context, "answer": edits.answer, "ending": ending}
        _replace(root / "context.json", json.dumps(context))


def _lay_out_tree(ground: Ground, tree: str, edits: Edits, root: Path) -> None:
    entries, skipped = dict(ground.entries(tree)), list(ground.skipped(tree))
    folder = root / tree
    folder.mkdir()
    every: dict[tuple[str, str], bytes | Odd | None] = {**edits.files, **edits.odd}
    changes = {path: content for (each, path), content in every.items() if each == tree}
    for path, content in changes.items():
        old = entries.pop(path, {})
        if isinstance(content, Odd) and content.kind == "fifo":
            skipped.append({"path": path, "type": "fifo"})
        elif content is not None:
            for parent in parents(path):
                entries.setdefault(parent, {"type": "directory", "path": parent, "mode": 0o755})
            entries[path] = _entry(path, content, old)
    ordered = sorted(entries.values(), key=lambda each: each["path"].encode())
    for each in ordered:
        target, content = folder / each["path"], changes.get(each["path"])
        if each["type"] == "directory":
            target.mkdir()
        elif isinstance(content, bytes):
            target.write_bytes(content)
        elif each["type"] == "file":
            os.link(ground.root / tree / each["path"], target)
    whole = {
        "schema": "cloche.snapshot/1",
        "entries": ordered,
        "bytes": sum(each.get("size", 0) for each in ordered),
        "skipped": skipped,
    }
    (root / f"{tree}.json").write_text(json.dumps(whole), "utf-8")


def _entry(path: str, content: bytes | Odd, old: dict[str, Any]) -> dict[str, Any]:
    if isinstance(content, bytes):
        digest = hashlib.sha256(content).hexdigest()
        file = {"type": "file", "path": path, "size": len(content), "sha256": digest}
        return {"mode": 0o644, **old, **file}
    if content.kind == "link":
        return {"type": "link", "path": path, "target": content.target}
    return {"type": content.kind, "path": path, "mode": 0o755}


def _replace(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text, "utf-8")
