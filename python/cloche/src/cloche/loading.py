"""Loads a file of a task (grader.py, generate.py, solution.py) as a module."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType


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
