"""Grades runs, each in a process of its own: ``python3 -P -s -B -m cloche.run_graders``.

Standard input, for each run: one line ``{"nonce", "root", "seconds"}``, then its files
(``arrival``), the run as it began and what the agent left, for which a folder ``root`` is made and
removed again. Standard output: for each the lines that ``run_grader`` would print, those that ask
for programs to be run among them, or ``{"nonce", "silent": "…"}`` if its process gave none. Runs of
one task only: a process of one could see the next of the same user's.

What this process knows comes from the host and its own files alone, and from what runs began with,
which no agent wrote: calendars of that are parsed once. What an agent left is read by a fork, and
nothing that the fork says is kept but the baselines, which it says before any of that is there.
They hold for all runs that began alike under the same grader.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any, NoReturn

from .arrival import make_room, stand_in, unpack
from .judging import end
from .pipes import Pipe, ThroughParent
from .proof.trial import warm
from .run_grader import Baselines, judgement
from .state.calendar import remember
from .wire import Wire

#: What a run began with. The context comes once more with what the agent left, and how it ended.
_BEGINNING = ("before.json", "state-before.json", "expected.json", "context.json")
_BASELINES_MAX = 1000
#: What a process may take beyond the grader's time that it keeps itself.
_SLACK_S = 15.0


def main() -> None:
    """Grades until the host closes the stream."""
    wire = Wire()
    warm()
    gc.freeze()
    known: dict[str, Baselines] = {}
    while (request := wire.read()) is not None:
        root = Path(str(request["root"]))
        root.mkdir()
        before = processes()
        try:
            answer = Grading(wire, request["nonce"], known).of(root, float(request["seconds"]))
        finally:
            clear(root, before)
        wire.write({"nonce": request["nonce"], **answer})


def processes() -> set[int]:
    """All that run in this box."""
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def clear(root: Path, before: set[int]) -> None:
    """Takes away what a grading has left: what runs still, its files, and those in /tmp."""
    for process in processes() - before:
        try:
            os.kill(process, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    for path in (root, *Path("/tmp").iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class Grading:
    """One run's grading in a process that is gone afterwards.

    That process loads the grader and judges the untouched state, then asks for what the agent left.
    """

    def __init__(self, wire: Wire, nonce: Any, known: dict[str, Baselines]) -> None:
        self._wire = wire
        self._nonce = nonce
        self._known = known
        self._arrived = False

    def of(self, root: Path, seconds: float) -> dict[str, Any]:
        """The judgement, or that there is none."""
        unpack(self._wire.input, str(root))
        stand_in(str(root))
        beginning = beginning_of(root)
        if beginning not in self._known:
            remember(root / "state-before" / "calendar")
            gc.freeze()
        asking, answering = Pipe(), Pipe()
        child = os.fork()
        if child == 0:
            _judge(root, seconds, self._known.get(beginning), asking, answering, self._nonce)
        asking.keep_reading()
        answering.keep_writing()
        try:
            return self._served(root, asking, answering, beginning, seconds)
        finally:
            asking.close()
            answering.close()
            end(child)
            self._arrive(root)  # The next run's line stands behind these files.

    def _arrive(self, root: Path) -> None:
        if not self._arrived:
            self._arrived = True
            make_room(str(root))
            unpack(self._wire.input, str(root))

    def _served(
        self, root: Path, asking: Pipe, answering: Pipe, beginning: str, seconds: float
    ) -> dict[str, Any]:
        while True:
            # It keeps the time itself; this is for one that does not even load.
            line = asking.line(seconds + _SLACK_S)
            if line is None:
                return {"late": f"no answer within {seconds:g} s"}
            try:
                said: dict[str, Any] = json.loads(line)
            except ValueError:
                return {"silent": "its process ended without an answer"}
            if "execute" in said:
                self._wire.write({"nonce": self._nonce, "execute": said["execute"]})
                answering.write(self._wire.read() or {})
            elif "baselines" in said:
                if not self._arrived and len(self._known) < _BASELINES_MAX:
                    self._known[beginning] = said["baselines"]
            elif "arrive" in said:
                self._arrive(root)
                answering.write({})
            else:
                return said


def _judge(
    root: Path,
    seconds: float,
    known: Baselines | None,
    asking: Pipe,
    answering: Pipe,
    nonce: Any,
) -> NoReturn:
    try:
        os.setpgid(0, 0)
        asking.keep_writing()
        answering.keep_reading()
        host = ThroughParent(asking, answering)

        def arrive() -> None:
            host.write({"arrive": True})
            host.read()

        found = lambda baselines: host.write({"baselines": baselines})  # noqa: E731
        asking.write(
            judgement(root, seconds, arrive, line=host, nonce=nonce, known=known, found=found)
        )
    finally:
        os._exit(0)


def beginning_of(root: Path) -> str:
    """What says how a run began, and under which grader; all of it is the host's word."""
    whole = hashlib.sha256()
    programs = sorted(each for each in (root / "task").rglob("*") if each.is_file())
    for path in [*programs, *(root / name for name in _BEGINNING)]:
        data = path.read_bytes() if path.exists() else b""
        whole.update(f"{path.relative_to(root)} {len(data)}\n".encode() + data)
    return whole.hexdigest()


if __name__ == "__main__":
    main()
