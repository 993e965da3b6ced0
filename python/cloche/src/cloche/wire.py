"""The stream between a program of this package and the host that started it.

The host writes one line of JSON and reads one line back. Everything that other code prints goes to
standard error, so that no print can be taken for a verdict.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any, NoReturn

REASON_LIMIT = 2_000
TRACEBACK_LIMIT = 8_000
_PR_SET_DUMPABLE = 4
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")


class Wire:
    """The host's end: taken once, before any code of a task is loaded."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        # dup() gives descriptors that no child process inherits.
        #: What the host sends, behind the lines that ``read`` has taken.
        self.input = os.fdopen(os.dup(0), "rb", buffering=1 << 18)
        self._output = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  It stays open.
        sys.stdout = sys.stderr
        # A child with our user (a PDF reader that went wrong) can't reach our memory and streams.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        os.chdir("/")
        os.umask(0o022)

    def read(self) -> dict[str, Any] | None:
        """The next line of the host, or None at the end of the stream."""
        line = self.input.readline()
        if not line:
            return None
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("the host's line is not a JSON object")
        return message

    def write(self, message: dict[str, Any]) -> None:
        """Sends one line. Only the process that took the wire can, not one that forked from it."""
        if os.getpid() != self._owner:
            return
        line = json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        data = memoryview(line.encode("ascii") + b"\n")
        with self._lock:
            while data and not self._closed:
                data = data[os.write(self._output, data) :]

    def finish(self, message: dict[str, Any]) -> NoReturn:
        """Sends the last line and ends the process, whatever threads are left behind."""
        self.write(message)
        with self._lock:
            self._closed = True
        try:
            for stream in (sys.stdout, sys.__stdout__, sys.stderr, sys.__stderr__):
                if stream is not None:
                    stream.flush()
        finally:
            os._exit(0)


def clean(text: str, limit: int, *, keep: str = "start") -> str:
    """Text for a record: no control characters, no lone surrogates, at most ``limit`` letters.

    ``keep`` says which side of a longer text stays. Memory addresses are left out, so that the
    same grader gives the same text each time.
    """
    text = text[:limit] if keep == "start" and len(text) > 4 * limit else text
    text = text[-4 * limit :] if keep == "end" else text
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))
    text = _ADDRESS.sub("at 0x…", text)
    return _cut(text, limit, keep)


def traceback_text(error: BaseException, skip: str | None = None) -> str:
    """The traceback of an error, from the first frame that is not in the file ``skip``."""
    try:
        frames = _without(error.__traceback__, skip)
        text = "".join(traceback.format_exception(type(error), error, frames))
    except BaseException as second:  # noqa: BLE001  A hostile __str__, or no memory left.
        text = f"{type(error).__name__} (its traceback can't be shown: {type(second).__name__})"
    return clean(text, TRACEBACK_LIMIT, keep="end")


def _without(frames: TracebackType | None, skip: str | None) -> TracebackType | None:
    first = frames
    while first is not None and first.tb_frame.f_code.co_filename == skip:
        first = first.tb_next
    return first or frames


def _cut(text: str, limit: int, keep: str) -> str:
    """Cuts to ``limit`` UTF-16 units, the letters that the host counts in."""
    units = len(text.encode("utf-16-le")) // 2
    if units <= limit:
        return text
    mark = " … (cut)" if keep == "start" else "(cut) … "
    room = (limit - len(mark)) * 2
    data = text.encode("utf-16-le")
    part = data[:room] if keep == "start" else data[-room:]
    kept = part.decode("utf-16-le", "ignore")
    return kept + mark if keep == "start" else mark + kept
