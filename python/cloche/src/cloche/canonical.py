"""One JSON text per value (RFC 8785), as the host writes it too."""

from __future__ import annotations

import json
import math
from typing import Any

_EXACT = 2**53


def canonical_json(value: Any, where: str = "value") -> str:
    """The value's one text. Raises TypeError or ValueError that say where in it the trouble is."""
    if value is None or isinstance(value, (bool, str)):
        return _text(value, where)
    if isinstance(value, int):
        if abs(value) > _EXACT:
            raise ValueError(
                f"{where} is {value}: JSON keeps whole numbers up to 2^53; use a string"
            )
        return str(value)
    if isinstance(value, float):
        return _number(value, where)
    if isinstance(value, (list, tuple)):
        items = (canonical_json(item, f"{where}[{index}]") for index, item in enumerate(value))
        return f"[{','.join(items)}]"
    if isinstance(value, dict):
        return _object(value, where)
    raise TypeError(f"{where} is a {type(value).__name__}, which JSON can't hold")


def _object(value: dict[Any, Any], where: str) -> str:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"{where} has the key {key!r}; keys are strings in JSON")
    names = sorted((str(key) for key in value), key=_utf16)
    members = (
        f"{_text(key, where)}:{canonical_json(value[key], f'{where}.{key}')}" for key in names
    )
    return f"{{{','.join(members)}}}"


def _utf16(key: str) -> bytes:
    """ECMAScript sorts by these."""
    return key.encode("utf-16-be", "surrogatepass")


def _text(value: bool | str | None, where: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{where} holds half a surrogate pair, which is no text") from error
    return text


def _number(value: float, where: str) -> str:
    """As ECMAScript writes it: the fewest digits, an exponent only below 1e-6 and from 1e21 on."""
    if not math.isfinite(value):
        raise ValueError(f"{where} is {value}, which JSON can't hold")
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, part = mantissa.partition(".")
    significant = (whole + part).lstrip("0")
    digits = significant.rstrip("0")
    # Where the decimal point stands, counted from the first significant digit.
    point = len(whole) + int(exponent or 0) - (len(whole + part) - len(significant))
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
