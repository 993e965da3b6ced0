"""Plays a group of rollouts of one prompt and prints what GRPO makes of their rewards.

python group.py --url http://127.0.0.1:7317 --task library/catalogue-update --n 8
"""

from __future__ import annotations

import argparse
import os
from statistics import mean, pstdev

from cloche_client import Cloche, Rollout
from policy import play


def member_play(rollout: Rollout, member: int) -> str:
    """Samples of a policy differ; here every third one is careless."""
    return play(rollout, careful=member % 3 != 2)


def advantages(rewards: list[float]) -> list[float]:
    """How much better than its group each member was, in standard deviations."""
    spread = pstdev(rewards)
    return [0.0 if spread == 0 else (reward - mean(rewards)) / spread for reward in rewards]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7317")
    parser.add_argument("--task", default="library/catalogue-update")
    parser.add_argument("--variant", type=int, default=1)
    parser.add_argument("--n", type=int, default=8)
    asked = parser.parse_args()

    with Cloche(asked.url, key=os.environ.get("CLOCHE_KEY")) as cloche:
        with cloche.group(asked.task, variant=asked.variant, n=asked.n, policy="example") as group:
            ended = group.play(member_play)

    records = [member["record"] for member in ended["members"]]
    # A rollout without a grade has no reward: it is left out, never counted as a 0.
    graded = [record for record in records if record is not None and record["reward"] is not None]
    rewards = [record["reward"]["dense"] for record in graded if record["reward"] is not None]
    print(f"group {ended['id']}: {ended['gradable']} of {ended['n']} graded")
    for record, reward, advantage in zip(graded, rewards, advantages(rewards), strict=True):
        print(f"  {record['id']}  reward {reward:.3f}  advantage {advantage:+.3f}")
    for missing in ended["shortfall"]:
        print(f"  {missing['id']}  no reward: {missing['reason']}")
    for member in ended["members"]:
        if member["error"] is not None:
            print(f"  member {member['member']} raised {member['error']!r}")


if __name__ == "__main__":
    main()
