"""Has workbooks read and computed by the code that the agent's tools have, in a process of its own.

One process serves all that is asked here, and a fork of this process starts its own. What a
workbook does to it is a fact about the workbook: it may take so much time on a processor and so
much memory, and when it dies of that, the workbook is unreadable and the next one gets a new
process.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import subprocess
import threading
from pathlib import Path
from typing import Any

PROGRAM = Path("/usr/lib/cloche")
#: Seconds on a processor, from a workbook's first byte to its last value.
CPU_SECONDS = 12
_HEAP_MIB = 384
_CHUNK = 1 << 16


class NotComputed(Exception):
    """A workbook that can't be read or computed, and why."""


def read_workbook(data: bytes, request: dict[str, Any]) -> list[dict[str, Any]]:
    """The sheets of a workbook with every cell computed: ``servers/spreadsheet/book-values.ts``
    says what each member means. Raises NotComputed."""
    global _running
    with _lock:
        if _running is not None and not _running.usable:
            _running.close()
            _running = None
        _running = _running or _Calculator()
        try:
            answer = _running.ask(data, request)
        except BaseException:
            # Also when a time limit breaks in: what it says next would answer this question.
            _running.close()
            _running = None
            raise
    if "failed" in answer:
        raise NotComputed(answer["failed"])
    sheets: list[dict[str, Any]] = answer["sheets"]
    return sheets


def _reserve_freely() -> None:
    """Lets Node reserve addresses beyond what a criterion may have; its heap has its own limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


class _Calculator:
    """A running program, ready for the next workbook."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(
            [
                str(PROGRAM / "node"),
                f"--max-old-space-size={_HEAP_MIB}",
                str(PROGRAM / "workbooks" / "workbook-values.mjs"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"UV_THREADPOOL_SIZE": "1", "LANG": "C.UTF-8", "TZ": "UTC"},
            cwd="/",
            preexec_fn=_reserve_freely,
        )
        with contextlib.suppress(OSError):
            # Where memory ends, this process ends and not the one that judges.
            Path(f"/proc/{self._process.pid}/oom_score_adj").write_text("1000")
        if self._exchange(b"") is None:
            raise RuntimeError(
                f"{PROGRAM}/node with workbooks/workbook-values.mjs does not start here"
            )

    @property
    def usable(self) -> bool:
        """Whether it is this process's own, and alive."""
        return self.owner == os.getpid() and self._process.poll() is None

    def ask(self, data: bytes, request: dict[str, Any]) -> dict[str, Any]:
        """What it says of a workbook. Raises NotComputed."""
        self._allow(CPU_SECONDS)
        header = json.dumps({**request, "bytes": len(data)}).encode() + b"\n"
        line = self._exchange(header + data)
        if line is None:
            raise NotComputed("it takes too much time or memory to read and compute")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends it, or gives up what a fork has of its parent's."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        else:
            self._process.returncode = 0
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _allow(self, seconds: int) -> None:
        """So much more time on a processor; the kernel ends it after that."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        used = (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK")
        _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_CPU)
        limit = used + seconds + 1
        resource.prlimit(self._process.pid, resource.RLIMIT_CPU, (limit, hard))

    def _exchange(self, data: bytes) -> bytes | None:
        """Sends bytes and reads the line that comes back; None if it ends without one."""
        reading, writing = self._process.stdout, self._process.stdin
        assert reading is not None
        assert writing is not None
        left, parts = memoryview(data), []
        with selectors.DefaultSelector() as selector:
            selector.register(reading, selectors.EVENT_READ)
            if left:
                os.set_blocking(writing.fileno(), False)
                selector.register(writing, selectors.EVENT_WRITE)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is writing:
                        try:
                            left = left[os.write(writing.fileno(), left[:_CHUNK]) :]
                        except BrokenPipeError:
                            return None
                        if not left:
                            selector.unregister(writing)
                        continue
                    part = os.read(reading.fileno(), _CHUNK)
                    if not part:
                        return None
                    parts.append(part)
                    if part.endswith(b"\n"):
                        return b"".join(parts)


_lock = threading.Lock()
_running: _Calculator | None = None
