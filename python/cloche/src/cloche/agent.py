"""What ``solve(agent)`` is given: the tools of a rollout, called through the host."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from .wire import Wire

Call = tuple[str, dict[str, Any]]


class Result:
    """What a call of a tool gave back."""

    def __init__(self, result: dict[str, Any]) -> None:
        #: The whole result as MCP says it.
        self.raw = result

    @property
    def content(self) -> list[dict[str, Any]]:
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
        return f"Result({self.text[:200]!r}{', is_error=True' if self.is_error else ''})"


class ToolError(Exception):
    """A tool failed, or the call never reached one; ``result`` is what came back."""

    def __init__(self, tool: str, result: Result, code: int | None = None) -> None:
        words = result.text if code is None else f"error {code}: {result.text}"
        super().__init__(f"{tool}: {words}")
        self.tool = tool
        self.result = result
        #: The JSON-RPC error code; None if the tool itself reported the error.
        self.code = code


class HostGone(Exception):
    """The host closed the stream: the rollout is over."""


class Agent:
    """The tools of one rollout and what the agent was told. Usable from several threads."""

    def __init__(self, wire: Wire, request: dict[str, Any]) -> None:
        #: What the agent is told to do.
        self.instruction: str = request.get("instruction", "")
        #: The tools as MCP lists them: name, description, inputSchema, …
        self.tools: list[dict[str, Any]] = request.get("tools", [])
        #: The number of the variant.
        self.variant: int | None = request.get("variant")
        self._wire = wire
        self._lock = threading.Lock()
        self._next = 0
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._gone = False
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, tool: str, *, check: bool = True, **arguments: Any) -> Result:
        """Calls a tool and waits for its result.

        Raises ToolError if the call fails, unless ``check`` is False; HostGone when the rollout is
        over. For a tool with an argument called "check" or "tool", use ``call_all``.
        """
        return self._settled(tool, self._send(tool, arguments), check)

    def call_all(self, calls: Iterable[Call], *, check: bool = True) -> list[Result]:
        """Makes all calls at once and waits for all results, which come in the order of the calls.

        Raises as ``call`` does, for the first call that failed, when all have ended.
        """
        sent = [(tool, self._send(tool, arguments)) for tool, arguments in calls]
        for _, future in sent:
            future.exception()
        return [self._settled(tool, future, check) for tool, future in sent]

    def has_tool(self, name: str) -> bool:
        """Whether the agent was given a tool of this name."""
        return any(tool.get("name") == name for tool in self.tools)

    def _send(self, tool: str, arguments: dict[str, Any]) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            if self._gone:
                raise HostGone("the host closed the stream; the rollout is over")
            self._next += 1
            number = self._next
            self._waiting[number] = future
        self._wire.write({"id": number, "call": {"tool": tool, "arguments": arguments}})
        return future

    def _settled(self, tool: str, future: Future[dict[str, Any]], check: bool) -> Result:
        answer = future.result()
        error = answer.get("error")
        if error is not None:
            text = {"type": "text", "text": str(error.get("message", ""))}
            result = Result({"content": [text], "isError": True})
            if check:
                raise ToolError(tool, result, error.get("code"))
            return result
        result = Result(answer.get("result") or {})
        if check and result.is_error:
            raise ToolError(tool, result)
        return result

    def _listen(self) -> None:
        """Hands each answer to the call that waits for it, until the host closes the stream."""
        try:
            while (answer := self._wire.read()) is not None:
                with self._lock:
                    future = self._waiting.pop(answer.get("id", 0), None)
                if future is not None:
                    future.set_result(answer)
        finally:
            with self._lock:
                self._gone = True
                left = list(self._waiting.values())
                self._waiting.clear()
            for future in left:
                future.set_exception(HostGone("the host closed the stream; the rollout is over"))
