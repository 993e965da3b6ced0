"""Server-sent events are read the same however their bytes are cut."""

from __future__ import annotations

import random
import unittest
from itertools import pairwise

from cloche_client._server_sent import ServerSentReader

TEXT = (
    ": hello\n\nid: 1\nevent: a\ndata: x\u2028y\ndata:z\n\n"
    "data\n\nid: 2\n\ndata: \u00fc\n\ndata: cut"
)
WANTED = [("1", "a", "x\u2028y\nz"), ("1", "message", ""), ("2", "message", "\u00fc")]


class ServerSentEvents(unittest.TestCase):
    def test_are_read_as_the_standard_says_wherever_they_are_cut(self) -> None:
        chance = random.Random(1)
        for end in ("\n", "\r\n", "\r"):
            whole = TEXT.replace("\n", end).encode()
            for _ in range(200):
                places = sorted(chance.choices(range(len(whole) + 1), k=chance.randint(0, 12)))
                cuts = [0, *places, len(whole)]
                reader = ServerSentReader()
                read = [
                    (message.id, message.event, message.data)
                    for start, stop in pairwise(cuts)
                    for message in reader.feed(whole[start:stop])
                ]
                self.assertEqual(read, WANTED)


if __name__ == "__main__":
    unittest.main()
