"""What the agent asked of hosts outside, as the host wrote it down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request to a host outside of the sandbox, and what became of it."""

    #: From 1, in the order in which requests came.
    number: int
    #: "CONNECT" for what went through a tunnel: what was said in it, nobody saw.
    method: str
    #: As it was asked for; it may be no name at all.
    host: str
    port: int | None
    #: Where it was sent; None if it was sent nowhere.
    address: str | None
    #: "allowed", "refused", "failed", or "begun" if its end was not seen.
    outcome: str
    #: Why it was refused, or how it failed.
    reason: str | None
    bytes_out: int
    bytes_in: int


def requests_of(lines: Iterable[Mapping[str, Any]]) -> tuple[Request, ...]:
    """One for each request: of its lines the last one tells all."""
    last = {line["request"]: line for line in lines}
    return tuple(
        Request(
            number=number,
            method=line["method"],
            host=line["host"],
            port=line["port"],
            address=line["address"],
            outcome=line["outcome"],
            reason=line["reason"],
            bytes_out=line["bytesOut"],
            bytes_in=line["bytesIn"],
        )
        for number, line in sorted(last.items())
    )
