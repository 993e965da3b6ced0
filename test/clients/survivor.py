"""Plays against a service that is killed and started again; says on stdout how far it is.

Each line that it prints waits for one on its stdin: what the test does meanwhile is done then.
"""

from __future__ import annotations

import os
import sys
import threading
import time

from cloche_client import Cloche, ClocheError, Retry, Rollout

TASK = "test/note"
PATH = "/workspace/note.txt"
WELL = {"path": PATH, "content": "hello-1\n"}
#: Longer than a start takes, whatever the dice say.
PATIENT = Retry(attempts=200, first_pause=0.1, longest_pause=0.3)


def reached(what: str) -> None:
    print(what, flush=True)
    sys.stdin.readline()


def lost_member(cloche: Cloche) -> None:
    def play(rollout: Rollout, member: int) -> str:
        if member == 0 and rollout.view["attempt"] == 1:
            reached(f"lose {rollout.id}")
        rollout.call("write_file", WELL)
        return "done"

    with cloche.group(TASK, n=2, limits={"openFiles": 200}) as group:
        ended = group.play(play)
    assert (ended["gradable"], ended["shortfall"]) == (2, []), ended
    assert [lost["outcome"] for lost in ended["lost"]] == ["infra_error"], ended
    records = [member["record"] for member in ended["members"]]
    assert [record and record["limits"].get("openFiles") for record in records] == [200, 200]


def restart(cloche: Cloche) -> None:
    with cloche.rollout(TASK, lease_ms=5_000, group="survivors") as rollout:
        seen: list[int] = []

        def follow() -> None:
            seen.extend(event["seq"] for event in rollout.events())

        following = threading.Thread(target=follow)
        following.start()
        rollout.call("write_file", WELL)
        cut: list[str] = []

        def call() -> None:
            try:
                rollout.call("run_command", {"command": "sleep 60"})
            except ClocheError as error:
                cut.append(error.code)

        cutting = threading.Thread(target=call)
        cutting.start()
        time.sleep(0.5)
        reached("kill")
        cutting.join()
        assert cut == ["client/unreachable"], cut  # It may have been run: it is not made again.
        reached("start")  # The start is under way, and it may be that nobody listens yet.
        assert rollout.call("read_text_file", {"path": PATH}).text == "hello-1\n"
        time.sleep(6)  # Longer than the lease: its heart beats on.
        record = rollout.finish("done")
        following.join()
        reward = record["reward"]
        assert reward is not None, record
        assert reward["sparse"] == 1, record
        assert seen == list(range(1, len(seen) + 1)), seen
        steps = sorted(f"{step['tool']} {step['outcome']}" for step in rollout.steps())
        assert steps == ["read_text_file ok", "run_command interrupted", "write_file ok"], steps
    assert [one["id"] for one in cloche.rollouts(group="survivors")] == [rollout.id]


def main() -> None:
    key = os.environ["CLOCHE_KEY"]
    with Cloche(sys.argv[1], key=key, retry=PATIENT) as cloche:
        lost_member(cloche)
        restart(cloche)
    print("survived", flush=True)


main()
