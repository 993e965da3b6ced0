"""The client and a real service, where CLOCHE_TEST_URL says that one serves the task test/note."""

from __future__ import annotations

import os
import time
import unittest

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
        with self.assertRaisesRegex(ClocheError, "rollout/unknown"):
            self.cloche.get("nothing")

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
            assert read.result is not None and missing.result is not None
            self.assertEqual(read.result.text, "hello-1\n")
            self.assertTrue(missing.result.is_error)
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

    def test_an_idle_rollout_lives_by_its_heartbeat_and_is_cancelled_when_left(self) -> None:
        with self.cloche.rollout(TASK, lease_ms=5_000) as rollout:
            time.sleep(7)
            self.assertEqual(self.cloche.get(rollout.id)["phase"], "serving")
        self.assertEqual(self.cloche.get(rollout.id)["outcome"], "cancelled")

    def test_a_group_is_played(self) -> None:
        def play(rollout: Rollout, member: int) -> str:
            rollout.call("write_file", WELL if member == 0 else {**WELL, "content": "wrong"})
            return "done"

        with self.cloche.group(TASK, n=2, reward="dense") as group:
            ended = group.play(play)
        self.assertEqual((ended["gradable"], ended["shortfall"]), (2, []))
        self.assertEqual([member["reward"] for member in ended["members"]], [1, 0.25])


@unittest.skipUnless(URL, "CLOCHE_TEST_URL names no service")
class AsyncService(unittest.IsolatedAsyncioTestCase):
    async def test_a_rollout_is_played_through_the_official_mcp_client(self) -> None:
        async with AsyncCloche(URL, key=KEY) as cloche, cloche.rollout(TASK) as rollout:
            async with rollout.mcp() as session:
                listed = await session.list_tools()
                self.assertIn("write_file", [tool.name for tool in listed.tools])
                await session.call_tool("write_file", WELL)
            record = await rollout.finish()
            self.assertEqual((record["reward"] or {}).get("sparse"), 1)
            self.assertEqual([step["tool"] for step in await rollout.steps()], ["write_file"])
            events = [event async for event in rollout.events()]
            self.assertTrue((await cloche.grade(rollout.id))["same"])
        self.assertEqual([e["phase"] for e in events if e["type"] == "phase"][-1], "stored")

    async def test_a_large_result_comes_whole_through_mcp_however_late_it_is(self) -> None:
        late = f"{os.path.dirname(NOTE)}/late"
        fill = f"(sleep 1; head -c 1500000 /dev/zero | tr '\\0' x > {late}) > /dev/null 2>&1 &"
        async with AsyncCloche(URL, key=KEY) as cloche, cloche.rollout(TASK) as rollout:
            await rollout.call("run_command", {"command": f"mkfifo {late}; {fill}"})
            async with rollout.mcp() as session:
                result = await session.call_tool("read_text_file", {"path": late})
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
