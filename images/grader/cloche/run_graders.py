"""Grades runs, each in a process of its own: ``python3 -P -s -B -m cloche.run_graders``.

Standard input, for each run: one line ``{"nonce", "root", "seconds"}``, then its files
(``arrival``), for which a folder ``root`` is made and removed again. Standard output: for each the
line that ``run_grader`` would print, or ``{"nonce", "silent": "…"}`` if its process gave none. Runs
of one task only: a process of one could see the next of the same user's.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from .arrival import unpack
from .proof.trial import warm
from .run_grader import judgement
from .wire import Wire


def main() -> None:
    """Grades until the host closes the stream."""
    wire = Wire()
    warm()
    while (request := wire.read()) is not None:
        root = Path(str(request["root"]))
        root.mkdir()
        try:
            unpack(wire.input, str(root))
            answer = judged_apart(root, float(request["seconds"]))
        finally:
            for folder in (root, *Path("/tmp").iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
        wire.write({"nonce": request["nonce"], **answer})


def judged_apart(root: Path, seconds: float) -> dict[str, Any]:
    """The judgement of a process that is gone afterwards, and all that it has started."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _judge(root, writing)
    os.close(writing)
    try:
        data = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        try:
            os.killpg(child, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if data is None:
        return {"silent": f"no answer within {seconds:g} s"}
    try:
        return json.loads(data)  # type: ignore[no-any-return]
    except ValueError:
        return {"silent": "its process ended without an answer"}


def _judge(root: Path, writing: int) -> None:
    try:
        os.setpgid(0, 0)
        data = memoryview(json.dumps(judgement(root)).encode("ascii"))
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)


def _read(pipe: int, late: float) -> bytes | None:
    """All that comes until the other end is closed; None if that takes too long."""
    data = b""
    while True:
        left = late - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return data
        data += chunk


if __name__ == "__main__":
    main()
