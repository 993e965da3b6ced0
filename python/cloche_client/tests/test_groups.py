"""Groups are played to their end, lost members again."""

from __future__ import annotations

import sys
import traceback
import unittest
from typing import Any

import httpx
from cloche_client import AsyncCloche, AsyncRollout, Cloche, Rollout
from stand_in import Reply, StandIn, answer, ended, problem, view


class GroupOfTwo:
    """Its second member loses its first attempt when that is finished."""

    def __init__(self, replaced: bool) -> None:
        self.replaced = replaced
        self.members = ["a1", "b1"]
        self.ended: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> Reply:
        _, _, kind, *rest = request.url.path.split("/")
        if kind == "groups":
            return answer(
                {
                    "id": "g1",
                    "members": [self.view(one) for one in self.members],
                    "ended": all(one in self.ended for one in self.members),
                }
            )
        rollout = rest[0]
        if request.method == "GET":
            return answer(self.view(rollout))
        if rest[-1] == "tools":
            return problem(409, "rollout/not-serving")
        outcome = "graded" if rest[-1] == "finish" else "cancelled"
        self.ended[rollout] = ended("infra_error" if rollout == "b1" else outcome, id=rollout)
        if rollout == "b1" and self.replaced:
            self.members[1] = "b2"
        return answer(self.ended[rollout])

    def view(self, rollout: str) -> Any:
        return self.ended.get(rollout) or view(id=rollout)


class Groups(unittest.TestCase):
    def test_a_lost_member_is_played_again(self) -> None:
        service = StandIn(GroupOfTwo(replaced=True))
        played: list[tuple[int, str]] = []

        def play(rollout: Rollout, member: int) -> str:
            played.append((member, rollout.id))
            return "done"

        with Cloche("http://cloche.test", transport=service).group("test/note", n=2) as group:
            self.assertTrue(group.play(play)["ended"])
        self.assertEqual(sorted(played), [(0, "a1"), (1, "b1"), (1, "b2")])
        self.assertFalse([one for one in service.asked if one.startswith("DELETE")])

    def test_what_a_play_raised_stands_beside_the_results_of_the_others(self) -> None:
        service = StandIn(GroupOfTwo(replaced=False))

        def play(rollout: Rollout, member: int) -> None:
            if member == 0:
                raise ValueError("the model is not there")

        with Cloche("http://cloche.test", transport=service).group("test/note", n=2) as group:
            first, second = group.play(play)["members"]
        self.assertIsInstance(first["error"], ValueError)
        self.assertEqual((first["member"], first["outcome"]), (0, "cancelled"))
        self.assertEqual((second["member"], second["error"]), (1, None))
        lines = traceback.format_exception(first["error"])
        if sys.version_info >= (3, 11):
            self.assertIn("member 0 of g1 was played, rollout a1", "".join(lines))
        self.assertIn("DELETE /v1/rollouts/a1", service.asked)
        self.assertIn("POST /v1/rollouts/b1/finish", service.asked)

    def test_an_ending_under_the_agents_hands_is_no_error(self) -> None:
        service = StandIn(GroupOfTwo(replaced=False))

        def play(rollout: Rollout, member: int) -> str:
            return rollout.call("read_file").text

        with Cloche("http://cloche.test", transport=service).group("test/note", n=2) as group:
            self.assertTrue(group.play(play)["ended"])


class AsyncGroups(unittest.IsolatedAsyncioTestCase):
    async def test_a_lost_member_is_played_again(self) -> None:
        service = StandIn(GroupOfTwo(replaced=True))
        played: list[tuple[int, str]] = []

        async def play(rollout: AsyncRollout, member: int) -> str:
            played.append((member, rollout.id))
            return "done"

        async with AsyncCloche("http://cloche.test", transport=service) as cloche:
            async with cloche.group("test/note", n=2) as group:
                self.assertTrue((await group.play(play))["ended"])
        self.assertEqual(sorted(played), [(0, "a1"), (1, "b1"), (1, "b2")])

    async def test_what_plays_raised_stands_beside_the_results_of_the_others(self) -> None:
        service = StandIn(GroupOfTwo(replaced=False))

        async def play(rollout: AsyncRollout, member: int) -> None:
            if member == 0:
                raise ValueError("the model is not there")

        async with AsyncCloche("http://cloche.test", transport=service) as cloche:
            async with cloche.group("test/note", n=2) as group:
                first, second = (await group.play(play))["members"]
        self.assertIsInstance(first["error"], ValueError)
        self.assertEqual((second["member"], second["error"]), (1, None))


if __name__ == "__main__":
    unittest.main()
