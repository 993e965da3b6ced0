"""Loads a file of a task (grader.py, generate.py, solution.py) as a module."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from .criteria import Criterion, GraderMistake, collect
from .wire import TRACEBACK_LIMIT, clean, traceback_text


class GraderFailed(Exception):
    """grader.py can't be used; the message is a sentence or a traceback."""


def load_grader(root: Path) -> list[Criterion]:
    """The criteria of ``root/task/grader.py``. Raises GraderFailed."""
    try:
        return collect(lambda: load_script(root / "task" / "grader.py", "grader"))
    except GraderMistake as mistake:
        raise GraderFailed(clean(str(mistake), TRACEBACK_LIMIT)) from mistake
    except BaseException as error:
        raise GraderFailed(traceback_text(error)) from error


def load_grader_anew(root: Path, known: list[Criterion]) -> list[Criterion]:
    """The same once more: what it does while it is loaded, it does again, its own modules too.

    Raises GraderFailed if that gives other criteria than those that are known.
    """
    folder = str(root / "task")
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(f"{folder}/"):
            del sys.modules[name]
    criteria = load_grader(root)
    if [each.declared() for each in criteria] != [each.declared() for each in known]:
        raise GraderFailed("grader.py defines other criteria than on the untouched state")
    return criteria


def load_script(path: Path, name: str) -> ModuleType:
    """Runs the file as module ``name``.

    Modules that lie beside it can be imported, but never take the place of installed ones: the
    folder comes last on the path. Raises whatever the file raises; FileNotFoundError without one.
    """
    source = path.read_bytes()
    module = ModuleType(name)
    module.__file__ = str(path)
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    sys.modules[name] = module
    exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102
    return module
