"""Plays a rollout with a script: ``python3 -P -s -B -m cloche.run_policy``.

Standard input: first the line ``{"script", "instruction", "tools", "variant"}``, then the answers
to calls, ``{"id", "result"}`` or ``{"id", "error": {"code", "message"}}``. Standard output: calls,
``{"id", "call": {"tool", "arguments"}}``, then ``{"finish": {"answer"}}`` or ``{"failed": "…"}``.
The script defines ``solve(agent)``, which returns the agent's answer, a string or None.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

from .agent import Agent
from .loading import load_script
from .wire import Wire, traceback_text


def main() -> None:
    """Plays and ends the process."""
    wire = Wire()
    request = wire.read() or {}
    nonce = {"nonce": request["nonce"]} if "nonce" in request else {}
    try:
        answer = play(wire, request)
    except BaseException as error:  # noqa: BLE001  sys.exit() in a script is a failure too.
        _give_up(wire, nonce, error)
    wire.finish({**nonce, "finish": {"answer": answer}})


def play(wire: Wire, request: dict[str, Any]) -> str | None:
    """What the script's ``solve`` returns."""
    module = load_script(Path(str(request.get("script", "/play/solution.py"))), "policy")
    solve = getattr(module, "solve", None)
    if not callable(solve):
        raise TypeError(f"{request.get('script')} defines no function solve(agent)")
    answer = solve(Agent(wire, request))
    if answer is not None and not isinstance(answer, str):
        raise TypeError(
            f"solve() returned {type(answer).__name__}; it must return a string or None"
        )
    # Half a surrogate pair is no text that the host could keep.
    return answer and answer.encode("utf-8", "backslashreplace").decode("utf-8")


def _give_up(wire: Wire, nonce: dict[str, Any], error: BaseException) -> NoReturn:
    text = traceback_text(error, skip=__file__)
    sys.stderr.write(text)
    wire.finish({**nonce, "failed": text})


if __name__ == "__main__":
    main()
