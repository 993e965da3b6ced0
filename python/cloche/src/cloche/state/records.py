"""JSON that a service wrote, read strictly: what is wrong with it fails the criterion."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ..files import File

DEPTH_LIMIT = 64


def parse_json(file: File, text: str, where: str = "") -> Any:
    """The value of a JSON text of this file; ``where`` ("line 3") is said if it is none."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        _require_depth(value)
        return value
    except (ValueError, RecursionError) as error:
        place = f" in {where}" if where else ""
        file.unreadable(f"is not the JSON that its service writes{place}: {error}")


def text_of(file: File, data: dict[str, Any], key: str, where: str) -> str:
    """The text under this key; anything else fails the criterion."""
    value = data.get(key)
    if not isinstance(value, str):
        file.reject(f"has no text {key!r} in {where}")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _require_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH_LIMIT):
        level = [part for each in level for part in _parts(each)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {DEPTH_LIMIT}")


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
