"""Plays rollouts at once in one asyncio loop, with the official MCP client.

Needs the extra: pip install './python/cloche_client[mcp]'

python async_rollouts.py --url http://127.0.0.1:7317 --task library/catalogue-update --n 2
"""

from __future__ import annotations

import argparse
import asyncio
import os

from cloche_client import AsyncCloche


async def play(cloche: AsyncCloche, task: str) -> str:
    """One rollout, through MCP."""
    async with cloche.rollout(task, policy="example") as rollout:
        async with rollout.mcp() as session:
            listed = await session.list_tools()
            await session.call_tool("list_directory", {"path": "/workspace"})
        record = await rollout.finish(f"I saw {len(listed.tools)} tools.")
    return f"{record['id']} {record['outcome']} {record['reward']}"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7317")
    parser.add_argument("--task", default="library/catalogue-update")
    parser.add_argument("--n", type=int, default=2)
    asked = parser.parse_args()

    async with AsyncCloche(asked.url, key=os.environ.get("CLOCHE_KEY")) as cloche:
        played = await asyncio.gather(*(play(cloche, asked.task) for _ in range(asked.n)))
    print("\n".join(played))


if __name__ == "__main__":
    asyncio.run(main())
