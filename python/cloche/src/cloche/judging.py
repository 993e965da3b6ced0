"""Judges criteria in a process of their own, so that what one of them meets ends with it.

The process judges one criterion after the other and says each score at once. One that takes longer
than its share, or takes its process with it, is broken; the rest is judged by a new process. A
process has so much memory and no more, and is the first that a full box ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from .criteria import Criterion
from .execution import Executor, Line
from .loading import GraderFailed
from .pipes import Pipe, ThroughParent

#: What a process that judges may have beyond what it begins with.
MEMORY = 512 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
UNLOADED = "grader.py could not be loaded beside what the agent left"
#: How often it is looked whether a process has ended whose pipe is held open by another.
_LOOK_S = 0.25


@dataclass(frozen=True)
class Outcome:
    """What became of one criterion on one run."""

    #: None: it broke, by an exception or with its process.
    score: int | float | None
    reason: str
    #: The traceback, or how its process ended.
    error: str | None = None
    #: Whether a reader of the library said that what the agent made can't be read.
    unreadable: bool = False
    #: "late", or how its process ended, if that did not live to say a score.
    end: str = ""
    #: Whether it ran out of memory.
    starved: bool = False


Judge = Callable[[Criterion, "Executor | None"], Outcome]


class Judging:
    """All criteria of a grader on one run.

    ``load`` gives the criteria, ``judge`` says what one comes to; both are called in the new
    processes. Half of ``seconds`` is divided among the criteria, so that each has that much
    whatever the others do; the other half, and what they leave of theirs, is for whoever needs it.
    What programs take that the host runs is not counted. ``line`` leads to the host.
    """

    def __init__(
        self,
        count: int,
        load: Callable[[], list[Criterion]],
        judge: Judge,
        *,
        seconds: float,
        line: Line | None = None,
        nonce: Any = None,
        quiet: bool = False,
    ) -> None:
        self._count = count
        self._load = load
        self._judge = judge
        self._seconds = seconds
        self._left = seconds
        self._line = line
        self._nonce = nonce
        self._quiet = quiet
        self._outcomes: list[Outcome] = []
        self._ready = False

    def outcomes(self) -> list[Outcome]:
        """One for each criterion, in their order."""
        while len(self._outcomes) < self._count:
            first = len(self._outcomes)
            said, answered = Pipe(), Pipe()
            child = os.fork()
            if child == 0:
                self._work(first, said, answered)
            said.keep_reading()
            answered.keep_writing()
            try:
                os.setpgid(child, child)
            except OSError:  # It has done so itself, and is further.
                pass
            try:
                broken = self._followed(child, said, answered)
            finally:
                code = end(child)
                said.close()
                answered.close()
            if broken == "again" or (broken == "died" and len(self._outcomes) > first):
                continue  # What others left in that process may have been too much for it.
            if broken:
                outcome = self._end_of(broken, code)
                # One that could not even load the grader says the same of all that are left.
                left = 1 if self._ready else self._count - len(self._outcomes)
                self._outcomes += [outcome] * left
        return self._outcomes

    def _followed(self, child: int, said: Pipe, answered: Pipe) -> str:
        """Takes what a process says until it has judged all; else what became of it."""
        self._ready = False
        while len(self._outcomes) < self._count:
            line = self._next(child, said)
            if line is None:
                return "late"
            try:
                message = json.loads(line)
            except ValueError:
                return "died"
            if "execute" in message:
                answered.write(self._executed(message["execute"]))
            elif "ready" in message:
                self._ready = True
            elif "unloaded" in message:
                outcome = Outcome(None, UNLOADED, message["unloaded"])
                self._outcomes += [outcome] * (self._count - len(self._outcomes))
            elif "again" in message:
                return "again"
            else:
                self._outcomes.append(Outcome(**message))
        return ""

    def _next(self, child: int, said: Pipe) -> bytes | None:
        """The next line, what came of it if the process ended, None if its time is up."""
        others = self._count - len(self._outcomes) - 1
        kept = self._seconds / 2 * others / self._count
        since = time.monotonic()
        late = since + max(0.0, self._left - kept)
        try:
            while True:
                left = late - time.monotonic()
                line = said.line(max(0.0, min(left, _LOOK_S)))
                if line is not None:
                    return line
                if left <= 0:
                    return None
                if has_ended(child):
                    return said.line(0.0) or b""
        finally:
            self._left -= time.monotonic() - since

    def _executed(self, request: Any) -> dict[str, Any]:
        if self._line is None:
            return {}
        self._line.write({"nonce": self._nonce, "execute": request})
        return self._line.read() or {}

    def _end_of(self, broken: str, code: int) -> Outcome:
        if broken == "late":
            what = "took longer than its share of the grader's time"
            return Outcome(None, what, what, end=broken)
        how = f"exit code {code}"
        if code < 0:
            how = signal.Signals(-code).name
        if code == -signal.SIGKILL:
            how += ", as for a lack of memory"
        what = f"ended with its process ({how})"
        return Outcome(None, what, what, end=how)

    def _work(self, first: int, said: Pipe, answered: Pipe) -> NoReturn:
        """What the new process does. It never returns, whatever it meets."""
        try:
            os.setpgid(0, 0)
            said.keep_writing()
            answered.keep_reading()
            confine()
            if self._quiet:
                silence()
            self._say_outcomes(first, said, answered)
        finally:
            flush()
            os._exit(1 if sys.exc_info()[0] else 0)

    def _say_outcomes(self, first: int, said: Pipe, answered: Pipe) -> None:
        owner = os.getpid()
        executor = Executor(ThroughParent(said, answered), self._nonce) if self._line else None
        try:
            criteria = self._load()
        except GraderFailed as failure:
            said.write({"unloaded": str(failure)})
            return
        said.write({"ready": len(criteria)})
        for at in range(first, len(criteria)):
            outcome = self._judge(criteria[at], executor)
            if os.getpid() != owner:  # A criterion forked, and this is not its parent.
                return
            flush()
            if outcome.starved and at > first:
                said.write({"again": at})
                return
            said.write(asdict(outcome))


def confine() -> None:
    """Bounds the memory of this process, lets it die with its parent, and before its parent."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with open("/proc/self/statm", encoding="ascii") as sizes:
        pages = int(sizes.read().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    # A program with limits of its own may lift it.
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
            score.write("1000")
    except OSError:  # Some sandboxes have no such choice.
        pass


def silence() -> None:
    """What this process prints is seen by nobody."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)


def flush() -> None:
    """Lets go of what was printed, as far as it can be."""
    for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass


def has_ended(child: int) -> bool:
    """Whether a child has ended; it can still be waited for."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def end(child: int) -> int:
    """Ends a child and its group; the code by which it ended, negative for a signal."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
