"""The same run graded again under other conditions: each time the verdict must be the same."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .ground import Ground

#: Makes a program see another day (images/clock/clock.c); the box's init says which.
CLOCK = "/usr/lib/cloche/clock.so"
PLAIN = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Condition:
    """One way in which two gradings of the same run may differ."""

    name: str
    env: dict[str, str]
    #: Files are made in another order and are of other times.
    shuffled: bool = False
    loaded: bool = False


ALONE = (
    Condition("hash seed 1", {"PYTHONHASHSEED": "1"}),
    Condition("hash seed 4242", {"PYTHONHASHSEED": "4242"}),
    Condition("time zone Pacific/Auckland", {"TZ": "Pacific/Auckland"}),
    Condition("time zone America/Lima", {"TZ": "America/Lima"}),
    Condition("locale C", {"LC_ALL": "C"}),
    Condition("another day", {"LD_PRELOAD": CLOCK}),
    Condition("files in another order", {}, shuffled=True),
    Condition("a busy machine", {}, loaded=True),
)
#: All of them at once are as good as each alone, unless something differs.
TOGETHER = (
    Condition("again", {}),
    Condition(
        "hash seed 1, Pacific/Auckland, locale C, another day, files in another order",
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland", "LC_ALL": "C", "LD_PRELOAD": CLOCK},
        shuffled=True,
    ),
    Condition(
        "hash seed 4242, America/Lima, a busy machine",
        {"PYTHONHASHSEED": "4242", "TZ": "America/Lima"},
        loaded=True,
    ),
)


def repeats(
    ground: Ground, seconds: float, differs: Callable[[Any], str | None]
) -> list[dict[str, str | None]]:
    """What each condition changes; None for nothing. The first cause is looked for if one does."""
    found: list[dict[str, str | None]] = []

    def judge(conditions: tuple[Condition, ...]) -> bool:
        for each in conditions:
            difference = differs(repeat(ground, each, seconds))
            found.append({"condition": each.name, "difference": difference})
        return any(each["difference"] for each in found)

    if judge(TOGETHER) and found[0]["difference"] is None:
        judge(ALONE)
    return found


def repeat(ground: Ground, condition: Condition, seconds: float) -> list[dict[str, Any]] | str:
    """The verdict under this condition, or a sentence that says why there is none."""
    root = ground.root
    if condition.shuffled:
        root = ground.root.parent / "shuffled"
        _copy_shuffled(ground.root, root)
    busy = [_busy() for _ in range(2)] if condition.loaded else []
    try:
        return _graded(root, {**PLAIN, **condition.env}, seconds)
    finally:
        for each in busy:
            each.kill()
            each.wait()
        if condition.shuffled:
            shutil.rmtree(root, ignore_errors=True)


def _graded(root: Path, env: dict[str, str], seconds: float) -> list[dict[str, Any]] | str:
    argv = [sys.executable, "-P", "-s", "-B", "-m", "cloche.run_grader"]
    whole = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": os.environ.get("HOME", "/"),
        **env,
    }
    request = json.dumps({"nonce": "repeat", "root": str(root)}) + "\n"
    try:
        done = subprocess.run(
            argv,
            env=whole,
            input=request.encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {seconds:g} s"
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        printed = done.stderr[-500:].decode("utf-8", "replace")
        return f"it ended with exit code {done.returncode}: {printed}"
    return answer.get("criteria") or str(answer.get("failed"))


def _busy() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])


def shuffle(root: Path) -> None:
    """Makes all below a folder anew, in another order and of other times."""
    copy = root.with_name(f"{root.name}-shuffled")
    _copy_shuffled(root, copy)
    shutil.rmtree(root)
    copy.rename(root)


def _copy_shuffled(source: Path, target: Path) -> None:
    """The same tree, made in another order, each file of another time."""
    rng = random.Random(7)
    target.mkdir()
    for folder, folders, files in os.walk(source, followlinks=False):
        here = target / Path(folder).relative_to(source)
        names = [(name, True) for name in folders] + [(name, False) for name in files]
        rng.shuffle(names)
        for name, is_folder in names:
            if is_folder:
                (here / name).mkdir()
            else:
                shutil.copyfile(Path(folder) / name, here / name)
                at = rng.randrange(10**9)
                os.utime(here / name, (at, at))
