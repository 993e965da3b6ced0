"""Fuzzes one reader of the graders' library: ``run.py READER --cases N --seed N --seconds N``.

Prints a line of JSON: how many cases there were, how they ended, and what did not hold. Only the
library's own Failed may come out of a reader, within two seconds of a processor and 512 MiB.
A case follows from the seed and its number alone: ``--from N --cases 1`` repeats it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from cloche import Failed, calculator
from fuzz.readers.cases import READERS, Reader
from fuzz.readers.inputs import ROOT

LONGEST_SECONDS = 2.0
MEMORY_BYTES = 512 * 1024 * 1024
MOST_FAILURES = 5
_VALUES = ROOT / "servers" / "spreadsheet" / "values-main.ts"


class TooLong(BaseException):
    """A case took more than its time."""


def main() -> None:
    """Runs the cases that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("reader", choices=sorted(READERS))
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--node", default="")
    given = parser.parse_args()
    _bound()
    with tempfile.TemporaryDirectory() as folder:
        if given.node:
            _have_calculator(Path(folder), given.node)
        print(json.dumps(_fuzz(READERS[given.reader], given)), flush=True)


def _fuzz(reader: Reader, given: argparse.Namespace) -> dict[str, Any]:
    seeds = reader.seeds()
    for data in seeds:
        reader.read(data)
    began, slowest, accepted, refused = time.monotonic(), 0.0, 0, 0
    failures: list[dict[str, Any]] = []
    done = 0
    for number in range(given.first, given.first + given.cases):
        if time.monotonic() - began > given.seconds or len(failures) == MOST_FAILURES:
            break
        rng = random.Random(given.seed * 1_000_003 + number)
        data = reader.mutate(rng, rng.choice(seeds))
        before = _processor_seconds()
        signal.setitimer(signal.ITIMER_PROF, LONGEST_SECONDS)
        try:
            reader.read(data)
            accepted += 1
        except Failed:
            refused += 1
        except (Exception, TooLong) as error:  # noqa: BLE001  They are what is looked for.
            failures.append({"case": number, "error": repr(error)[:300], "where": _where(error)})
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        took = _processor_seconds() - before
        if took > LONGEST_SECONDS:
            failures.append({"case": number, "error": f"took {took:.1f} seconds", "where": ""})
        slowest = max(slowest, took)
        done += 1
    return {
        "cases": done,
        "accepted": accepted,
        "refused": refused,
        "failures": failures,
        "seconds": round(time.monotonic() - began, 1),
        "slowestMs": round(slowest * 1000),
        "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _processor_seconds() -> float:
    """Of this process, of those that it started and that are gone, and of the calculator."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = time.process_time() + children.ru_utime + children.ru_stime
    running = calculator._running
    if running is None or not running.usable:
        return spent
    fields = Path(f"/proc/{running._process.pid}/stat").read_text().rpartition(")")[2].split()
    return spent + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _bound() -> None:
    resource.setrlimit(
        resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1])
    )

    def late(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGPROF, late)


def _have_calculator(folder: Path, node: str) -> None:
    """The calculator as the grader image has it, from the sources."""
    (folder / "workbooks").mkdir()
    (folder / "node").symlink_to(node)
    (folder / "workbooks" / "workbook-values.mjs").write_text(
        f"await import({json.dumps(str(_VALUES))});\n"
    )
    calculator.PROGRAM = folder


if __name__ == "__main__":
    main()
