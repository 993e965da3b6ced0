"""Lines of JSON between a process and those that fork from it."""

from __future__ import annotations

import json
import os
import select
import time
from typing import Any


class Pipe:
    """One direction; made before the fork, after which each side gives up one end."""

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


class ThroughParent:
    """How a fork asks the host: its parent passes on what it says."""

    def __init__(self, asking: Pipe, answering: Pipe) -> None:
        self._asking = asking
        self._answering = answering

    def write(self, message: dict[str, Any]) -> None:
        """Sends one line."""
        self._asking.write(message)

    def read(self) -> dict[str, Any] | None:
        """The next line of the host, or None if there is none to come."""
        line = self._answering.line()
        return json.loads(line) if line else None
