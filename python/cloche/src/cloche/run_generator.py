"""Makes one variant of a task: ``python3 -P -s -B -m cloche.run_generator``.

Standard input: one line ``{"nonce", "root", "variant", "seed", "now"}``. Runs ``generate(variant)``
of ``root/task/generate.py``, which fills ``root/out/workspace`` and, if the task has services that
keep something, ``root/out/state``; writes ``root/out/expected.json`` and
``root/out/variables.json``. Standard output: ``{"nonce", "ok": true}`` or
``{"nonce", "failed": "…"}``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .build.world import Builders
from .canonical import canonical_json
from .dates import parse_datetime
from .loading import load_script
from .wire import TRACEBACK_LIMIT, Wire, clean, traceback_text


@dataclass
class Variant(Builders):
    """What ``generate`` is given: folders to fill, and writers that fill them."""

    number: int
    seed: int
    #: The task's clock, with its time zone; a generator uses no other.
    now: datetime
    #: The only source of chance: the same seed gives the same fixture.
    rng: random.Random
    #: The folder to fill. It already holds the task's static fixture, if it has one.
    workspace: Path
    #: The services' state, a folder for each: ``variant.state / "mail"``. It is there, and already
    #: holds the static fixture's, for those that the task's servers work on.
    state: Path
    #: Values for ``{{name}}`` in instruction.md.
    variables: dict[str, str | int | float] = field(default_factory=dict)


def main() -> None:
    """Generates and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    nonce = request.get("nonce")
    try:
        generate(request)
    except GeneratorMistake as mistake:
        wire.finish({"nonce": nonce, "failed": clean(str(mistake), TRACEBACK_LIMIT)})
    except BaseException as error:  # noqa: BLE001  sys.exit() is no way to finish.
        wire.finish({"nonce": nonce, "failed": traceback_text(error, skip=__file__)})
    wire.finish({"nonce": nonce, "ok": True})


class GeneratorMistake(Exception):
    """generate.py is wrong in a way that needs no traceback to see."""


def generate(request: dict[str, Any]) -> None:
    """Runs generate.py for one request and writes what it returned."""
    root = Path(str(request.get("root", "/grade")))
    out = root / "out"
    workspace = out / "workspace"
    state = out / "state"
    for folder in (workspace, state):
        folder.mkdir(parents=True, exist_ok=True)
    seed = int(request["seed"])
    variant = Variant(
        number=int(request["variant"]),
        seed=seed,
        now=parse_datetime(request["now"]),
        rng=random.Random(seed),
        workspace=workspace,
        state=state,
    )
    # What forgets to use variant.rng is repeatable all the same.
    random.seed(seed)
    module = load_script(root / "task" / "generate.py", "generate")
    function = getattr(module, "generate", None)
    if not callable(function):
        raise GeneratorMistake("generate.py defines no function generate(variant)")
    expected = function(variant)
    _write(out / "expected.json", expected, "the value that generate() returned")
    _write(out / "variables.json", _variables(variant.variables), "variant.variables")


def _variables(values: dict[str, Any]) -> dict[str, str]:
    for name, value in values.items():
        plain = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        if not isinstance(name, str) or not plain:
            raise GeneratorMistake(
                f"variant.variables[{name!r}] is {value!r}; "
                "names are strings, values strings or numbers"
            )
    return {name: str(value) for name, value in values.items()}


def _write(path: Path, value: Any, what: str) -> None:
    try:
        text = canonical_json(value, what)
    except (TypeError, ValueError, RecursionError) as error:
        raise GeneratorMistake(str(error)) from error
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
