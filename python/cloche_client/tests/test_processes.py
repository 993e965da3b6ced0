"""One client in many processes, threads and event loops: each call gets its own result."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import pickle
import time
import unittest
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import httpx
from cloche_client import AsyncCloche, AsyncRollout, Cloche, ClocheError, Retry, Rollout
from stand_in import StandIn, answer, view

URL = os.environ.get("CLOCHE_TEST_URL", "")
KEY = os.environ.get("CLOCHE_KEY")
TASK = "test/note"
WORKERS = 5
CALLS = 20


def wrong(rollout: Rollout, name: str, calls: int = CALLS) -> list[str]:
    """Results of this worker's calls that are another's."""
    said = [f"{name}-{number}" for number in range(calls)]
    heard = [rollout.call("run_command", {"command": f"echo {word}"}).text for word in said]
    return [text for word, text in zip(said, heard, strict=True) if word not in text.split()]


def forked(work: list[tuple[str, Rollout]]) -> list[str]:
    """The same in forks of this process, as os.fork makes them; nothing of theirs is unwound."""
    pipes: list[tuple[int, int]] = []
    for name, rollout in work:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.write(write, json.dumps(wrong(rollout, name)).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(write)
        pipes.append((pid, read))
    heard: list[str] = []
    for pid, read in pipes:
        with os.fdopen(read) as pipe:
            heard += json.load(pipe)
        if os.waitpid(pid, 0)[1] != 0:
            heard.append(f"process {pid} failed")
    return heard


@unittest.skipUnless(URL, "CLOCHE_TEST_URL names no service")
class Processes(unittest.TestCase):
    def setUp(self) -> None:
        self.cloche = Cloche(URL, key=KEY)
        self.addCleanup(self.cloche.close)

    def held(self, count: int) -> list[Rollout]:
        rollouts = [self.cloche.rollout(TASK) for _ in range(count)]
        for rollout in rollouts:
            self.addCleanup(rollout.cancel)
            # A connection is open then, which a fork would share.
            self.assertEqual(wrong(rollout, "before", 2), [])
        return rollouts

    def test_forked_workers_get_their_own_results_while_their_parent_calls(self) -> None:
        mine, *theirs = self.held(3)
        work = [(f"child{number}", theirs[number % 2]) for number in range(WORKERS)]
        with ThreadPoolExecutor(1) as pool:
            calling = pool.submit(wrong, mine, "parent", CALLS)
            self.assertEqual(forked(work), [])
            self.assertEqual(calling.result(), [])
        self.assertEqual(wrong(mine, "after", 3), [])

    def test_workers_of_multiprocessing_get_their_own_results(self) -> None:
        (rollout,) = self.held(1)
        fork = multiprocessing.get_context("fork")
        queue: multiprocessing.SimpleQueue[list[str]] = fork.SimpleQueue()

        def work(name: str) -> None:
            queue.put(wrong(rollout, name))

        workers = [fork.Process(target=work, args=(f"worker{n}",)) for n in range(WORKERS)]
        for worker in workers:
            worker.start()
        self.assertEqual([queue.get() for _ in workers], [[]] * WORKERS)
        for worker in workers:
            worker.join()
            self.assertEqual(worker.exitcode, 0)

    def test_a_child_that_leaves_the_block_does_not_end_its_parents_rollout(self) -> None:
        with self.cloche.rollout(TASK) as rollout:
            pid = os.fork()
            if pid == 0:
                with rollout:
                    pass
                os._exit(0)
            os.waitpid(pid, 0)
            self.assertEqual(self.cloche.get(rollout.id)["phase"], "serving")

    def test_events_that_were_followed_before_a_fork_are_whole_in_both_processes(self) -> None:
        with self.cloche.rollout(TASK) as rollout:
            events = rollout.events()
            seen = [next(events)["seq"]]
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.write(write, json.dumps([event["seq"] for event in events]).encode())
                os._exit(0)
            os.close(write)
            rollout.call("run_command", {"command": "true"})
            rollout.finish()
            seen += [event["seq"] for event in events]
            with os.fdopen(read) as pipe:
                theirs = json.load(pipe)
            os.waitpid(pid, 0)
        self.assertEqual(seen, list(range(1, len(seen) + 1)))
        self.assertEqual(theirs, seen[1:])

    def test_threads_get_their_own_results(self) -> None:
        rollouts = self.held(2)
        with ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda n: wrong(rollouts[n % 2], f"thread{n}", 10), range(8))
            self.assertEqual([one for some in found for one in some], [])


@unittest.skipUnless(URL, "CLOCHE_TEST_URL names no service")
class Loops(unittest.TestCase):
    def test_a_client_goes_on_in_a_second_loop_and_so_does_its_rollout(self) -> None:
        cloche = AsyncCloche(URL, key=KEY)

        async def open_one() -> AsyncRollout:
            rollout = await cloche.rollout(TASK, lease_ms=5_000)
            await rollout.call("run_command", {"command": "true"})
            return rollout

        async def go_on() -> str:
            said = (await rollout.call("run_command", {"command": "echo second"})).text
            await asyncio.sleep(7)  # Longer than the lease: its heart beats on.
            self.assertEqual((await cloche.get(rollout.id))["phase"], "serving")
            await rollout.finish()
            await cloche.close()
            return said

        rollout = asyncio.run(open_one())
        self.assertIn("second", asyncio.run(go_on()))

    def test_loops_in_threads_and_forks_get_their_own_results(self) -> None:
        cloche = AsyncCloche(URL, key=KEY)

        async def wrong_in(name: str) -> list[str]:
            async with cloche.rollout(TASK) as rollout:

                async def one(word: str) -> str | None:
                    text = (await rollout.call("run_command", {"command": f"echo {word}"})).text
                    return None if word in text.split() else text

                heard = await asyncio.gather(*(one(f"{name}-{n}") for n in range(8)))
            return [text for text in heard if text is not None]

        def in_loop(name: str) -> list[str]:
            return asyncio.run(wrong_in(name))

        self.assertEqual(in_loop("first"), [])
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(in_loop, ["a", "b", "c"]))
        self.assertEqual(found, [[], [], []])
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(write, json.dumps(in_loop("child")).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.assertEqual(json.load(pipe), [])
        os.waitpid(pid, 0)


def refused() -> None:
    """In a process of a pool: what is raised has to come back from there."""
    problem = {"code": "rollout/unknown", "detail": "there is none", "remedy": "Look again."}
    transport = StandIn([httpx.Response(404, json=problem)])
    Cloche("http://cloche.test", transport=transport).get("r1")


class Apart(unittest.TestCase):
    def test_an_error_comes_back_whole_from_another_process(self) -> None:
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            with self.assertRaises(ClocheError) as caught:
                pool.submit(refused).result(timeout=60)
        error = caught.exception
        self.assertEqual((error.code, error.status), ("rollout/unknown", 404))
        self.assertEqual((error.detail, error.advice), ("there is none", "Look again."))
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))

    def test_a_transport_of_the_callers_own_is_refused_in_a_fork(self) -> None:
        cloche = Cloche("http://cloche.test", transport=StandIn([answer(view())]))
        pid = os.fork()
        if pid == 0:
            try:
                cloche.get("r1")
            except ClocheError as error:
                os._exit(7 if error.code == "client/own-transport" else 1)
            os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        self.assertEqual(cloche.get("r1")["id"], "r1")

    def test_a_client_that_was_closed_says_so(self) -> None:
        cloche = Cloche("http://cloche.test", retry=Retry(attempts=1))
        cloche.close()
        started = time.monotonic()
        with self.assertRaisesRegex(ClocheError, "client/closed: .*Make another client"):
            cloche.get("r1")
        self.assertLess(time.monotonic() - started, 60)


if __name__ == "__main__":
    unittest.main()
