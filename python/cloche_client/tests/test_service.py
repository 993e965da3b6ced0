"""The client and a real service, where CLOCHE_TEST_URL says that one serves the task test/note."""

from __future__ import annotations

import asyncio
import os
import tarfile
import tempfile
import time
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cloche_client import AsyncCloche, AsyncRollout, Cloche, ClocheError, Rollout

URL = os.environ.get("CLOCHE_TEST_URL", "")
#: Where that service has keys.
KEY = os.environ.get("CLOCHE_KEY")
TASK = "test/note"
NOTE = "/workspace/note.txt"
WELL = {"path": NOTE, "content": "hello-1\n"}


@unittest.skipUnless(URL, "CLOCHE_TEST_URL names no service")
class Service(unittest.TestCase):
    def setUp(self) -> None:
        self.cloche = Cloche(URL, key=KEY)
        self.addCleanup(self.cloche.close)

    def refused(self, task: str) -> ClocheError:
        with self.assertRaises(ClocheError) as caught:
            self.cloche.rollout(task)
        return caught.exception

    def test_refuses_with_codes(self) -> None:
        error = self.refused("test/nothing")
        self.assertEqual((error.code, error.status), ("task/unknown", 404))
        with self.assertRaisesRegex(ClocheError, "rollout/unknown") as caught:
            self.cloche.get("nothing")
        self.assertIn("See that the id is whole", caught.exception.advice)
        self.assertIn(caught.exception.advice, str(caught.exception))

    @unittest.skipUnless(KEY, "the service has no keys")
    def test_refuses_who_has_no_key_or_an_unknown_one(self) -> None:
        for key in (None, "cloche-guessed"):
            with Cloche(URL, key=key) as cloche, self.assertRaises(ClocheError) as caught:
                cloche.rollout(TASK)
            self.assertEqual((caught.exception.code, caught.exception.status), ("api/no-key", 401))

    def test_lists_tasks(self) -> None:
        self.assertEqual([task["id"] for task in self.cloche.tasks()], [TASK])

    def test_a_rollout_is_played_from_request_to_reward(self) -> None:
        with self.cloche.rollout(TASK, policy="python", labels={"run": "a"}) as rollout:
            self.assertEqual(rollout.instruction, f"Write the line hello-1 into {NOTE}.\n")
            names = [tool["name"] for tool in rollout.tools()]
            shown = rollout.tools("openai")
            self.assertEqual([tool["function"]["name"] for tool in shown], names)
            rollout.call("write_file", WELL)
            read, missing, nonsense = rollout.call_all(
                [
                    ("read_text_file", {"path": NOTE}),
                    ("read_text_file", {"path": "/workspace/nothing"}),
                    ("nonsense", {}),
                ]
            )
            self.assertEqual(read.text, "hello-1\n")
            self.assertEqual((missing.is_error, missing.error), (True, None))
            self.assertTrue(nonsense.is_error)
            self.assertIsNotNone(nonsense.error)
            record = rollout.finish("done")
        self.assertEqual(record["reward"], {"sparse": 1, "dense": 1, "gain": 1})
        self.assertEqual((record["rewardKind"], rollout.reward), ("sparse", 1))
        self.assertEqual(record["ending"], {"kind": "submitted", "answer": "done"})
        self.assertEqual(sorted(step["step"] for step in rollout.steps()), [1, 2, 3, 4])
        events = list(rollout.events())
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        again = self.cloche.grade(rollout.id)
        self.assertTrue(again["same"])
        self.assertEqual(self.cloche.grade(rollout.bundle())["grade"], again["grade"])
        self.assertIn(rollout.id, [one["id"] for one in self.cloche.rollouts(policy="python")])

    def test_what_has_ended_is_read_by_its_id_however_it_ended(self) -> None:
        with self.cloche.rollout(TASK, policy="reader") as rollout:
            rollout.call("write_file", WELL)
            with self.assertRaises(ClocheError) as caught:
                self.cloche.ended(rollout.id)
            self.assertEqual(caught.exception.code, "client/not-ended")
        past = self.cloche.ended(rollout.id)
        self.assertEqual((past.record["outcome"], past.reward), ("cancelled", None))
        self.assertEqual([step["tool"] for step in past.steps()], ["write_file"])
        self.assertEqual([event["type"] for event in past.events()].count("step"), 1)
        with tempfile.TemporaryDirectory() as folder:
            path = past.download(Path(folder) / "bundle.tar")
            self.assertEqual(path.read_bytes(), past.bundle())
            self.assertEqual([one.name for one in Path(folder).iterdir()], ["bundle.tar"])
            with tarfile.open(path) as tar:
                names = tar.getnames()
        self.assertIn(f"{past.record['bundle']}/workspace/after.json", names)
        self.assertFalse(past.grade()["same"])

    def test_records_are_listed_by_what_is_said(self) -> None:
        with self.cloche.rollout(TASK, policy="lister", reward="dense") as rollout:
            rollout.call("write_file", {**WELL, "content": "wrong"})
            record = rollout.finish()
        self.assertEqual(record["split"], "train")
        at = datetime.fromisoformat(record["requestedAt"].replace("Z", "+00:00"))
        fits: list[dict[str, Any]] = [
            {"since": at, "until": at + timedelta(seconds=1)},
            {"since": record["requestedAt"]},
            {"split": "train", "outcome": "graded"},
            {"min_reward": 0.25, "max_reward": 0.25},
            {"min_reward": 0},
            {"id": record["id"][:10]},
        ]
        for query in fits:
            found = self.cloche.rollouts(policy="lister", **query)
            self.assertEqual([one["id"] for one in found], [record["id"]], query)
        others: list[dict[str, Any]] = [
            {"until": at.replace(tzinfo=timezone.utc)},
            {"split": "holdout"},
            {"outcome": "none"},
            {"min_reward": 0.5},
            {"max_reward": 0},
        ]
        for query in others:
            self.assertEqual(list(self.cloche.rollouts(policy="lister", **query)), [], query)

    def test_an_idle_rollout_lives_by_its_heartbeat_and_is_cancelled_when_left(self) -> None:
        with self.cloche.rollout(TASK, lease_ms=5_000) as rollout:
            time.sleep(7)
            self.assertEqual(self.cloche.get(rollout.id)["phase"], "serving")
        self.assertEqual(self.cloche.get(rollout.id)["outcome"], "cancelled")

    def test_a_group_is_played(self) -> None:
        def play(rollout: Rollout, member: int) -> str:
            rollout.call("write_file", WELL if member == 0 else {**WELL, "content": "wrong"})
            if member == 2:
                raise ValueError("the model is not there")
            return "done"

        with self.cloche.group(TASK, n=3, reward="dense") as group:
            ended = group.play(play)
        first, second, third = ended["members"]
        self.assertEqual((first["reward"], second["reward"], third["reward"]), (1, 0.25, None))
        self.assertEqual((first["error"], second["error"], ended["gradable"]), (None, None, 2))
        self.assertEqual((third["member"], third["outcome"]), (2, "cancelled"))
        self.assertIsInstance(third["error"], ValueError)
        self.assertEqual(len(self.cloche.ended(third["id"]).steps()), 1)


@unittest.skipUnless(URL, "CLOCHE_TEST_URL names no service")
class AsyncService(unittest.IsolatedAsyncioTestCase):
    async def test_a_rollout_is_played_through_the_official_mcp_client(self) -> None:
        async with AsyncCloche(URL, key=KEY) as cloche, cloche.rollout(TASK) as rollout:
            async with rollout.mcp() as session:
                listed = await session.list_tools()
                self.assertIn("write_file", [tool.name for tool in listed.tools])
                await session.call_tool("write_file", WELL)
            record = await rollout.finish()
            self.assertEqual(record["reward"], {"sparse": 1, "dense": 1, "gain": 1})
            self.assertEqual([step["tool"] for step in await rollout.steps()], ["write_file"])
            events = [event async for event in rollout.events()]
            past = await cloche.ended(rollout.id)
            self.assertEqual(past.record, record)
            self.assertEqual(await past.steps(), await rollout.steps())
            self.assertEqual([event async for event in past.events()], events)
            self.assertEqual(len(await past.bundle()) % 512, 0)
            found = [one async for one in cloche.rollouts(id=rollout.id, min_reward=1)]
            self.assertEqual(found, [record])
            self.assertTrue((await cloche.grade(rollout.id))["same"])
        self.assertEqual([e["phase"] for e in events if e["type"] == "phase"][-1], "stored")

    async def test_a_large_result_comes_whole_through_mcp_however_late_it_is(self) -> None:
        large = f"{os.path.dirname(NOTE)}/large"
        fill = f"head -c 1500000 /dev/zero | tr '\\0' x > {large}"
        async with AsyncCloche(URL, key=KEY) as cloche, cloche.rollout(TASK) as rollout:
            await rollout.call("run_command", {"command": fill})
            async with rollout.mcp() as session:
                # As many as may be under way at once: the next call waits for one of them.
                sleeps = [
                    asyncio.create_task(session.call_tool("run_command", {"command": "sleep 2"}))
                    for _ in range(8)
                ]
                await asyncio.sleep(0.5)
                result = await session.call_tool("read_text_file", {"path": large})
                await asyncio.gather(*sleeps)
            # An event of more than 1 MiB: the answer has long become a stream.
            self.assertEqual(len(getattr(result.content[0], "text", "")), 1_500_000)

    async def test_a_group_is_played(self) -> None:
        async def play(rollout: AsyncRollout, member: int) -> None:
            await rollout.call("write_file", WELL)

        async with AsyncCloche(URL, key=KEY) as cloche, cloche.group(TASK, n=3) as group:
            ended = await group.play(play)
        self.assertEqual(ended["gradable"], 3)


if __name__ == "__main__":
    unittest.main()
