"""Calls of tools and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import ClocheError
from ._wire import ProtocolError

#: The name of a tool and its arguments.
ToolCall = tuple[str, Mapping[str, Any]]


class ToolResult:
    """What a call came to, as MCP says it. A tool that failed says so in ``is_error``.

    So does a call that reached no tool: then ``error`` says why, and ``text`` with it.
    """

    def __init__(
        self,
        raw: Mapping[str, Any],
        error: ProtocolError | None = None,
        budget_used: str | None = None,
    ) -> None:
        #: The whole result.
        self.raw: Mapping[str, Any] = raw
        #: The JSON-RPC error of a call that reached no tool.
        self.error = error
        #: What of the budget is used up ("calls", "wall" or "bytes"): no further call will be made.
        self.budget_used = budget_used

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
        """Whether the call failed."""
        return bool(self.raw.get("isError"))

    def __repr__(self) -> str:
        return f"ToolResult({self.text[:200]!r}{', is_error=True' if self.is_error else ''})"


def calls_body(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Calls as the service takes them."""
    return [{"name": name, "arguments": dict(arguments)} for name, arguments in calls]


def result_of(document: Mapping[str, Any]) -> ToolResult:
    """An answer as the service gives it."""
    error: ProtocolError | None = document.get("error")
    if error is None:
        return ToolResult(document.get("result") or {}, budget_used=document.get("budgetUsed"))
    text = {"type": "text", "text": error["message"]}
    return ToolResult({"content": [text], "isError": True}, error)


def require_tool(tool: str, result: ToolResult) -> ToolResult:
    """The result; raises if the call reached no tool."""
    if result.error is None:
        return result
    error = result.error
    raise ClocheError(
        "client/tool-protocol-error",
        f"the call of {tool!r} reached no tool: {error['message']} (JSON-RPC {error['code']})",
        status=200,
    )
