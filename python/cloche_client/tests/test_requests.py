"""What the client asks, when it asks again and what it raises."""

from __future__ import annotations

import json
import threading
import unittest
from typing import Any

import httpx
from cloche_client import AsyncCloche, Cloche, ClocheError, Retry, RolloutEvent
from stand_in import Reply, StandIn, answer, ended, problem, view

QUICK = Retry(attempts=4, first_pause=0.001, longest_pause=0.005)


def cloche_of(service: StandIn, **options: Any) -> Cloche:
    return Cloche("http://cloche.test", retry=QUICK, transport=service, **options)


def async_of(service: StandIn) -> AsyncCloche:
    return AsyncCloche("http://cloche.test", retry=QUICK, transport=service)


class Requests(unittest.TestCase):
    def refused(self, service: StandIn) -> ClocheError:
        with self.assertRaises(ClocheError) as caught:
            cloche_of(service).get("r1")
        return caught.exception

    def test_raise_the_problem_that_came_back(self) -> None:
        error = self.refused(StandIn([problem(404, "rollout/unknown")]))
        self.assertEqual((error.code, error.status), ("rollout/unknown", 404))
        self.assertEqual(error.detail, "said rollout/unknown")
        assert error.problem is not None
        self.assertEqual(error.problem["status"], 404)

    def test_raise_bad_answer_where_something_else_answers(self) -> None:
        error = self.refused(StandIn([httpx.Response(418, text="<html>teapot</html>")]))
        self.assertEqual((error.code, error.status), ("client/bad-answer", 418))
        error = self.refused(StandIn([httpx.Response(200, text="<html>welcome</html>")]))
        self.assertEqual(error.code, "client/bad-answer")

    def test_raise_unreachable_after_the_attempts(self) -> None:
        service = StandIn([httpx.ConnectError])
        error = self.refused(service)
        self.assertEqual((error.code, error.status), ("client/unreachable", None))
        self.assertEqual(len(service.seen), QUICK.attempts)

    def test_a_get_is_repeated(self) -> None:
        service = StandIn([httpx.ReadError, problem(502, "x/y"), answer(view())])
        self.assertEqual(cloche_of(service).get("r1")["id"], "r1")

    def test_a_rollout_is_asked_for_again_with_the_same_key_and_body(self) -> None:
        replies: list[Reply] = [
            httpx.RemoteProtocolError,
            problem(503, "api/not-ready"),
            answer(view()),
        ]
        service = StandIn(replies)
        cloche_of(service, key="secret").rollout("test/note", lease_ms=5000).release()
        self.assertEqual(service.asked, ["POST /v1/rollouts"] * 3)
        self.assertEqual(len({one.headers["idempotency-key"] for one in service.seen}), 1)
        self.assertEqual(
            json.loads(service.seen[2].content), {"task": "test/note", "leaseMs": 5000}
        )
        self.assertEqual(service.seen[0].headers["authorization"], "Bearer secret")

    def test_a_call_that_may_have_arrived_is_never_repeated(self) -> None:
        lost: list[Reply] = [
            httpx.ReadError,
            httpx.ReadTimeout,
            httpx.RemoteProtocolError,
            problem(500, "x/y"),
            problem(502, "x/y"),
            problem(503, "x/y", "0"),
        ]
        for reply in lost:
            service = StandIn([answer(view()), reply])
            rollout = cloche_of(service).rollout("test/note")
            with self.assertRaises(ClocheError):
                rollout.call("write_file", {"path": "/workspace/a"})
            rollout.release()
            self.assertEqual(service.asked.count("POST /v1/rollouts/r1/tools"), 1, reply)

    def test_a_call_that_did_not_arrive_or_was_not_taken_is_repeated(self) -> None:
        result = {"content": [{"type": "text", "text": "well"}]}
        service = StandIn(
            [
                answer(view()),
                httpx.ConnectError,
                problem(429, "api/rate-limited", "0"),
                problem(503, "api/not-ready", "0"),
                answer({"answers": [{"result": result}]}),
            ]
        )
        rollout = cloche_of(service).rollout("test/note")
        self.assertEqual(rollout.call("read").text, "well")
        rollout.release()

    def test_a_retry_after_that_is_too_far_off_is_not_waited_for(self) -> None:
        service = StandIn([problem(429, "rollout/queue-full", "3600")])
        with self.assertRaisesRegex(ClocheError, "rollout/queue-full"):
            cloche_of(service).group("test/note", n=8)
        self.assertEqual(len(service.seen), 1)

    def test_the_pause_is_never_shorter_than_retry_after(self) -> None:
        for attempt in range(1, 8):
            pause = Retry().pause(attempt, 3.0)
            assert pause is not None
            self.assertGreaterEqual(pause, 3.0)
            self.assertLessEqual(pause, 13.0)
        self.assertIsNone(Retry().pause(8, None))


class Rollouts(unittest.TestCase):
    def test_is_looked_at_until_it_serves(self) -> None:
        ahead = answer(view(phase="requested", mcp=None))
        service = StandIn([ahead, ahead, answer(view())])
        rollout = cloche_of(service).rollout("test/note")
        self.assertEqual((rollout.token, rollout.instruction), ("t", "Do it."))
        rollout.release()

    def test_that_ended_before_it_served_is_refused_with_its_fault(self) -> None:
        fault = {"code": "engine/image-missing", "message": "no such image"}
        service = StandIn([answer(ended("infra_error", fault=fault))])
        with self.assertRaisesRegex(ClocheError, "engine/image-missing: no such image") as caught:
            cloche_of(service).rollout("test/note")
        self.assertEqual(caught.exception.code, "client/rollout-ended")

    def test_is_cancelled_when_it_did_not_serve_in_time(self) -> None:
        def reply(request: httpx.Request) -> Reply:
            if request.method == "DELETE":
                return answer(ended("cancelled"))
            return answer(view(phase="requested", mcp=None))

        service = StandIn(reply)
        with self.assertRaises(ClocheError) as caught:
            cloche_of(service).rollout("test/note", timeout=0.1)
        self.assertEqual(caught.exception.code, "client/timeout")
        self.assertEqual(service.asked[-1], "DELETE /v1/rollouts/r1")

    def test_is_cancelled_when_it_is_left_unfinished(self) -> None:
        service = StandIn([answer(view()), problem(500, "api/internal")])
        with self.assertRaisesRegex(ValueError, "mine"), cloche_of(service).rollout("test/note"):
            raise ValueError("mine")
        self.assertEqual(service.asked, ["POST /v1/rollouts", "DELETE /v1/rollouts/r1"])

    def test_is_not_cancelled_when_it_was_finished(self) -> None:
        service = StandIn([answer(view()), answer(ended())])
        with cloche_of(service).rollout("test/note") as rollout:
            record = rollout.finish("done")
        self.assertEqual(record["reward"], {"sparse": 1, "dense": 1.0})
        self.assertEqual(service.asked[-1], "POST /v1/rollouts/r1/finish")

    def test_beats_its_heart_whatever_a_beat_comes_to(self) -> None:
        enough = threading.Event()
        beats: list[str] = []

        def reply(request: httpx.Request) -> Reply:
            if request.url.path.endswith("/finish"):
                return answer(ended())
            if not request.url.path.endswith("/heartbeat"):
                return answer(view())
            beats.append(request.url.path)
            if len(beats) == 3:
                enough.set()
            return problem(500, "api/internal") if len(beats) == 1 else answer({})

        rollout = cloche_of(StandIn(reply)).rollout("test/note", lease_ms=60)
        self.assertTrue(enough.wait(30))
        rollout.finish()

    def test_says_of_a_call_what_the_tool_said_and_raises_if_there_was_none(self) -> None:
        failed = {"content": [{"type": "text", "text": "no such file"}], "isError": True}
        unknown = {"code": -32602, "message": "Unknown tool"}
        service = StandIn(
            [
                answer(view()),
                answer({"answers": [{"result": failed}]}),
                answer({"answers": [{"error": unknown}]}),
                answer({"answers": [{"error": unknown}, {"result": failed}]}),
            ]
        )
        rollout = cloche_of(service).rollout("test/note")
        result = rollout.call("read_file", {"path": "a"})
        self.assertTrue(result.is_error)
        with self.assertRaises(ClocheError) as caught:
            rollout.call("nonsense")
        self.assertEqual(caught.exception.code, "client/tool-protocol-error")
        nonsense, missing = rollout.call_all([("nonsense", {}), ("read_file", {"path": "a"})])
        self.assertEqual((nonsense.error, nonsense.text), (unknown, "Unknown tool"))
        self.assertTrue(nonsense.is_error)
        self.assertEqual((missing.error, missing.text), (None, "no such file"))
        rollout.release()

    def test_says_in_data_that_the_budget_is_used_up(self) -> None:
        denied = {"content": [{"type": "text", "text": "used up"}], "isError": True}
        answers = [{"result": denied, "budgetUsed": "calls"}]
        service = StandIn([answer(view()), answer({"answers": answers})])
        rollout = cloche_of(service).rollout("test/note")
        self.assertEqual(rollout.call("read_file").budget_used, "calls")
        rollout.release()


def phase(seq: int, name: str) -> str:
    event: RolloutEvent = {"seq": seq, "type": "phase", "at": ""}
    return f"id: {seq}\nevent: phase\ndata: {json.dumps({**event, 'phase': name})}\n\n"


class Events(unittest.TestCase):
    def test_go_on_where_a_lost_connection_was(self) -> None:
        first = httpx.Response(200, text=": hello\n\n" + phase(1, "serving") + "id: 2\ndata: {")
        rest = httpx.Response(200, text=phase(2, "finished") + phase(3, "stored"))
        service = StandIn([answer(view()), first, problem(503, "x/y"), rest])
        rollout = cloche_of(service).rollout("test/note")
        self.assertEqual([event["seq"] for event in rollout.events()], [1, 2, 3])
        self.assertEqual(service.seen[-1].headers["last-event-id"], "1")
        rollout.release()

    def test_end_at_once_where_nothing_is_left(self) -> None:
        service = StandIn([answer(view()), httpx.Response(204)])
        rollout = cloche_of(service).rollout("test/note")
        self.assertEqual(list(rollout.events(after=9)), [])
        rollout.release()


class Async(unittest.IsolatedAsyncioTestCase):
    async def test_a_rollout_is_played_and_cancelled_as_the_other(self) -> None:
        result = {"content": [{"type": "text", "text": "well"}]}
        service = StandIn(
            [
                httpx.ConnectError,
                answer(view()),
                answer({"answers": [{"result": result}]}),
                answer(ended()),
            ]
        )
        async with async_of(service) as cloche, cloche.rollout("test/note") as rollout:
            self.assertEqual((await rollout.call("read")).text, "well")
            self.assertEqual((await rollout.finish())["outcome"], "graded")
        service = StandIn([answer(view()), answer(ended("cancelled"))])
        async with async_of(service) as cloche:
            async with await cloche.rollout("test/note") as rollout:
                pass
        self.assertEqual(service.asked[-1], "DELETE /v1/rollouts/r1")

    async def test_events_go_on_where_a_lost_connection_was(self) -> None:
        first = httpx.Response(200, text=phase(1, "serving") + "id: 2\ndata: {")
        rest = httpx.Response(200, text=phase(2, "stored"))
        service = StandIn([answer(view()), first, rest])
        async with async_of(service) as cloche:
            rollout = await cloche.rollout("test/note")
            self.assertEqual([event["seq"] async for event in rollout.events()], [1, 2])
            rollout.release()


if __name__ == "__main__":
    unittest.main()
