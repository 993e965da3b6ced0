"""Calls of tools and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._errors import ClocheError
from ._wire import ProtocolError

#: The name of a tool and its arguments.
ToolCall = tuple[str, Mapping[str, Any]]


class ToolResult:
    """What a tool gave back, as MCP says it. A tool that failed says so in ``is_error``."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        #: The whole result.
        self.raw: Mapping[str, Any] = raw

    @property
    def content(self) -> Sequence[dict[str, Any]]:
        """The blocks of the result."""
        return self.raw.get("content") or []

    @property
    def text(self) -> str:
        """All text blocks, joined by line ends."""
        return "\n".join(block["text"] for block in self.content if block.get("type") == "text")

    @property
    def structured(self) -> Any:
        """The result's ``structuredContent``, or None."""
        return self.raw.get("structuredContent")

    @property
    def is_error(self) -> bool:
        """Whether the tool said that it failed."""
        return bool(self.raw.get("isError"))

    def __repr__(self) -> str:
        return f"ToolResult({self.text[:200]!r}{', is_error=True' if self.is_error else ''})"


@dataclass(frozen=True)
class ToolAnswer:
    """Either a result or a protocol error."""

    result: ToolResult | None
    error: ProtocolError | None


def calls_body(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Calls as the service takes them."""
    return [{"name": name, "arguments": dict(arguments)} for name, arguments in calls]


def answer_of(document: Mapping[str, Any]) -> ToolAnswer:
    """An answer as the service gives it."""
    error = document.get("error")
    if error is not None:
        return ToolAnswer(None, error)
    return ToolAnswer(ToolResult(document.get("result") or {}), None)


def result_of(tool: str, answer: ToolAnswer) -> ToolResult:
    """The result, or the protocol error raised."""
    if answer.result is not None:
        return answer.result
    error = answer.error or {"code": 0, "message": "no answer came"}
    raise ClocheError(
        "client/tool-protocol-error",
        f"the call of {tool!r} reached no tool: {error['message']} (JSON-RPC {error['code']})",
        status=200,
    )
