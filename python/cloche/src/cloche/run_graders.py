"""Grades runs, each in a process of its own: ``python3 -P -s -B -m cloche.run_graders``.

Standard input, for each run: one line ``{"nonce", "root", "seconds"}``, then its files
(``arrival``), for which a folder ``root`` is made and removed again. Standard output: for each the
lines that ``run_grader`` would print, those that ask for programs to be run among them, or
``{"nonce", "silent": "…"}`` if its process gave none. Runs of one task only: a process of one could
see the next of the same user's.

What this process knows comes from the host and its own files alone, and from what runs began
with, which no agent wrote: calendars of that are parsed once. What an agent left is read by a fork, and
nothing that the fork says is kept but the baselines, which it says before it has read any of that.
They hold for all runs that began alike under the same grader.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from .arrival import unpack
from .execution import Executor
from .proof.trial import warm
from .run_grader import Baselines, judgement
from .state.calendar import remember
from .wire import Wire

#: What a run began with. Of the context, which tells how it ended too, only what was so before.
_BEGINNING = ("before.json", "state-before.json", "expected.json")
_ENDING = ("answer", "ending")
_BASELINES_MAX = 1000


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
            unpack(wire.input, str(root))
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
    """One run's grading in a process that is gone afterwards."""

    def __init__(self, wire: Wire, nonce: Any, known: dict[str, Baselines]) -> None:
        self._wire = wire
        self._nonce = nonce
        self._known = known

    def of(self, root: Path, seconds: float) -> dict[str, Any]:
        """The judgement, or that there is none. Programs that are run for it take no time."""
        beginning = beginning_of(root)
        if beginning not in self._known:
            remember(root / "state-before" / "calendar")
            gc.freeze()
        asking, answering = Pipe(), Pipe()
        child = os.fork()
        if child == 0:
            _judge(root, self._known.get(beginning), asking, answering, self._nonce)
        asking.keep_reading()
        answering.keep_writing()
        try:
            return self._served(asking, answering, beginning, seconds)
        finally:
            asking.close()
            answering.close()
            try:
                os.killpg(child, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _served(
        self, asking: Pipe, answering: Pipe, beginning: str, seconds: float
    ) -> dict[str, Any]:
        left, found = seconds, beginning in self._known
        while True:
            since = time.monotonic()
            line = asking.line(left)
            left -= time.monotonic() - since
            if line is None:
                return {"silent": f"no answer within {seconds:g} s"}
            try:
                said = json.loads(line)
            except ValueError:
                return {"silent": "its process ended without an answer"}
            if "execute" in said:
                self._wire.write({"nonce": self._nonce, "execute": said["execute"]})
                answering.write(self._wire.read() or {})
            elif "baselines" in said and not found:
                found = True
                if len(self._known) < _BASELINES_MAX:
                    self._known[beginning] = said["baselines"]
            else:
                return said


class Pipe:
    """Lines of JSON from one process to another."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._data = b""

    def keep_reading(self) -> None:
        """Gives the other end up."""
        os.close(self._writing)
        self._writing = -1

    def keep_writing(self) -> None:
        """Gives the other end up."""
        os.close(self._reading)
        self._reading = -1

    def close(self) -> None:
        """Gives up what is left of it."""
        for end in (self._reading, self._writing):
            if end >= 0:
                os.close(end)

    def write(self, message: dict[str, Any]) -> None:
        """Sends one line; a process that is not there any more needs none."""
        data = memoryview(json.dumps(message).encode("ascii") + b"\n")
        try:
            while data:
                data = data[os.write(self._writing, data) :]
        except BrokenPipeError:
            pass

    def line(self, seconds: float | None = None) -> bytes | None:
        """The next line, or what came before the other end was closed; None if it takes longer."""
        late = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._data:
            left = None if late is None else max(0.0, late - time.monotonic())
            if not select.select([self._reading], [], [], left)[0]:
                return None
            chunk = os.read(self._reading, 1 << 16)
            if not chunk:
                break
            self._data += chunk
        line, _, self._data = self._data.partition(b"\n")
        return line


class _ThroughParent:
    """How a fork asks the host: its parent passes on what it says."""

    def __init__(self, asking: Pipe, answering: Pipe) -> None:
        self._asking = asking
        self._answering = answering

    def write(self, message: dict[str, Any]) -> None:
        self._asking.write(message)

    def read(self) -> dict[str, Any] | None:
        line = self._answering.line()
        return json.loads(line) if line else None


def _judge(
    root: Path, known: Baselines | None, asking: Pipe, answering: Pipe, nonce: Any
) -> None:
    try:
        os.setpgid(0, 0)
        asking.keep_writing()
        answering.keep_reading()
        executor = Executor(_ThroughParent(asking, answering), nonce)
        found = lambda baselines: asking.write({"baselines": baselines})  # noqa: E731
        asking.write(judgement(root, executor, known, found))
    finally:
        os._exit(0)


def beginning_of(root: Path) -> str:
    """What says how a run began, and under which grader; all of it is the host's word."""
    whole = hashlib.sha256()
    programs = sorted(each for each in (root / "task").rglob("*") if each.is_file())
    for path in [*programs, *(root / name for name in _BEGINNING)]:
        data = path.read_bytes() if path.exists() else b""
        whole.update(f"{path.relative_to(root)} {len(data)}\n".encode() + data)
    context = json.loads((root / "context.json").read_bytes())
    before = {key: value for key, value in context.items() if key not in _ENDING}
    whole.update(json.dumps(before, sort_keys=True).encode())
    return whole.hexdigest()


if __name__ == "__main__":
    main()
