"""Programs of the agent's, which the host runs for a grader, far from it."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from typing import Any, Protocol

_TIMEOUT_MAX = 60.0


@dataclass(frozen=True)
class Executed:
    """What a program came to. All of it is the agent's word: judge it, do not trust it."""

    #: 128 + signal if it was killed, 127 if it is not there; None if it did not end in time.
    exit_code: int | None
    #: The first 64 KiB of each.
    stdout: bytes
    stderr: bytes
    #: Whether it wrote more than that.
    cut: bool

    @property
    def timed_out(self) -> bool:
        """Whether it was ended because its time was up."""
        return self.exit_code is None

    @property
    def output(self) -> str:
        """Its standard output as text; what is not UTF-8 becomes U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def errors(self) -> str:
        """Its standard error, as ``output``."""
        return self.stderr.decode("utf-8", "replace")


class Line(Protocol):
    """Where the host is asked, and answers: a ``Wire``, or what leads to one."""

    def write(self, message: dict[str, Any]) -> None: ...

    def read(self) -> dict[str, Any] | None: ...


class Executor:
    """Asks the host, over the grader's own stream; one program at a time."""

    def __init__(self, wire: Line, nonce: Any) -> None:
        self._wire = wire
        self._nonce = nonce
        self._lock = threading.Lock()
        self._asked = 0

    def run(self, argv: list[str], stdin: str | bytes, timeout: float) -> Executed:
        """As ``Run.execute``. Raises TypeError, ValueError, RuntimeError."""
        if isinstance(argv, (str, bytes)) or not argv:
            raise TypeError('argv is a list, such as ["python3", "tool.py"]')
        if not 0 < timeout <= _TIMEOUT_MAX:
            raise ValueError(f"timeout is {timeout}; it must be above 0 and at most 60 seconds")
        data = stdin.encode() if isinstance(stdin, str) else stdin
        with self._lock:
            self._asked += 1
            request = {
                "id": self._asked,
                "argv": [str(part) for part in argv],
                "stdin": base64.b64encode(data).decode("ascii"),
                "timeoutMs": max(1, round(timeout * 1000)),
            }
            self._wire.write({"nonce": self._nonce, "execute": request})
            answer = (self._wire.read() or {}).get("execute")
        if not isinstance(answer, dict) or answer.get("id") != request["id"]:
            raise RuntimeError("the host did not answer")
        if "refused" in answer:
            raise ValueError(f"the host refused to run this: {answer['refused']}")
        return Executed(
            exit_code=answer["exitCode"],
            stdout=base64.b64decode(answer["stdout"]),
            stderr=base64.b64decode(answer["stderr"]),
            cut=answer["cut"],
        )
