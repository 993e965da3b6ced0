"""Hostile calls and answers: what an agent may say, however odd, must not keep a grader busy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

BIG = 1 << 20
_WORD = "'{a,b}{c,d}*?[!x]{1..9}'"
COMMANDS = {
    "14 quoted words of braces and stars": "cat "
    + " ".join(f"'{{a,b}}*{{c,{at}}}*{{e,f}}*'" for at in range(14)),
    "braces that multiply": "cat " + "{a,b}" * 24,
    "stars in a row": "cat " + "*/" * 400 + "*" * 400,
    "brackets that never end": "cat [[[" * 2_000,
    "commands in commands": "echo " + "$(" * 2_000 + ")" * 2_000,
    "quotes that never end": "cat '" + '"' * 2_001,
    "a document that never ends": "cat <<EOF > a.txt\n" + "x\n" * 20_000,
    "loops in loops": "for a in 1 2 3; do " * 200 + "cat $a;" + " done;" * 200,
    "variables that double": "a=*;"
    + "".join(f"b{n}=$b{n - 1}$b{n - 1};" for n in range(1, 60))
    + "cat $b59",
    "1 MiB of words": f"cat {_WORD} " * (BIG // 40),
    "1 MiB in one word": "cat " + "x" * BIG,
    "backslashes": "cat " + "\\" * 65_537,
    "a NUL and what is no letter": "cat a\x00b \ufffd > \ufffe",
    "functions that call themselves": "f(){ f|f& };f;cat f",
    "a program in a program": "python3 -c '" + 'open("' * 5_000 + "'",
}


def _nested(depth: int) -> Any:
    found: Any = "x"
    for _ in range(depth):
        found = {"a": [found]}
    return found


def call_poisons(steps: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Kinds of calls that could have been made besides those of the run, each with all calls."""
    if not steps:
        return
    shell = next((s for s in steps if "command" in (s.get("arguments") or {})), None)
    like = shell or next((s for s in steps if "path" in (s.get("arguments") or {})), steps[0])
    name = "command" if shell else "path" if "path" in (like.get("arguments") or {}) else "text"
    for kind, text in COMMANDS.items():
        yield kind, [_call(like, {**(like["arguments"] or {}), name: text})]
    for kind, arguments in {
        "arguments nested 300 deep": _nested(150),
        "a list for arguments": [1, 2],
        "a text for arguments": "x",
        "nothing for arguments": None,
        "a list for a path": {**(like["arguments"] or {}), name: [["a"], {}]},
        "a number for a path": {**(like["arguments"] or {}), name: 10**400},
        "10,000 arguments": {f"a{at}": at for at in range(10_000)},
    }.items():
        yield kind, [_call(like, arguments)]
    result = {"content": [{"type": "text", "text": "x\n" * BIG}], "structuredContent": None}
    yield "a result of 2 MiB", [{**_call(like, like["arguments"]), "result": result}]
    odd = {"content": [{"type": "image"}, {"type": "text"}, {}], "structuredContent": [1]}
    yield "a result without a text", [{**_call(like, like["arguments"]), "result": odd}]
    yield (
        "a call without a result",
        [{**_call(like, like["arguments"]), "result": None, "outcome": "cancelled"}],
    )
    yield "5,000 calls", [_call(like, like["arguments"])] * 5_000


def _call(like: dict[str, Any], arguments: Any) -> dict[str, Any]:
    call = copy.copy(like)
    call["arguments"] = arguments
    call["overlaps"] = []
    return call


def answers() -> dict[str, str]:
    """Odd last words of an agent."""
    return {
        "an answer of 1 MiB": "12 " * (BIG // 3),
        "what is no letter for an answer": "\ufffe 12 \x00",
        "an answer of 100,000 brackets": "[" * 100_000,
        "a number of 10,000 digits for an answer": "9" * 10_000,
    }
