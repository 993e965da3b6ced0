"""A session of the official MCP client; its package is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp import ClientSession


@asynccontextmanager
async def mcp_session(
    url: str, token: str, options: Mapping[str, Any]
) -> AsyncIterator[ClientSession]:
    """An initialised session. Calls take as long as they take, unless the options say otherwise."""
    try:
        from mcp import ClientSession
        from mcp.client.streamable_http import streamable_http_client
    except ImportError as cause:
        raise ImportError("rollout.mcp() needs: pip install 'cloche-client[mcp]'") from cause
    async with _http_client(token) as http:
        size = _without_bound(streamable_http_client)
        async with streamable_http_client(url, http_client=http, **size) as streams:
            # A third one, the session's id, is there in version 1 of the package.
            async with ClientSession(streams[0], streams[1], **options) as session:
                await session.initialize()
                yield session


def _without_bound(client: Any) -> dict[str, Any]:
    """Version 2 drops what is larger than 1 MiB and comes as an event; the service has bounds."""
    name = "max_sse_event_size"
    return {name: None} if name in signature(client).parameters else {}


def _http_client(token: str) -> Any:
    """Version 2 of the package speaks HTTP with httpx2, version 1 with httpx: as it does."""
    from mcp.client import streamable_http

    transport: Any = streamable_http
    library: Any = getattr(transport, "httpx2", None) or transport.httpx
    headers = {"authorization": f"Bearer {token}"}
    return library.AsyncClient(headers=headers, timeout=library.Timeout(30, read=None))
