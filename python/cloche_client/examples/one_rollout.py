"""Plays one rollout and prints its reward.

python one_rollout.py --url http://127.0.0.1:7317 --task library/catalogue-update
"""

from __future__ import annotations

import argparse
import json
import os

from cloche_client import Cloche
from policy import play


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:7317")
    parser.add_argument("--task", default="library/catalogue-update")
    parser.add_argument("--variant", type=int, default=1)
    asked = parser.parse_args()

    with Cloche(asked.url, key=os.environ.get("CLOCHE_KEY")) as cloche:
        with cloche.rollout(asked.task, variant=asked.variant, policy="example") as rollout:
            print("rollout", rollout.id)
            record = rollout.finish(play(rollout))

    print("outcome", record["outcome"])
    for criterion in record["criteria"] or []:
        print(f"  {criterion['score']}  {criterion['name']}: {criterion['reason']}")
    print("reward", json.dumps(record["reward"]))


if __name__ == "__main__":
    main()
