"""Server-sent events."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from ._wire import RolloutEvent

#: The status of a stream that has ended and was read to its end.
NOTHING_LEFT = 204
# A CR at the very end may be the first half of a CRLF: it waits for the next bytes. Not
# str.splitlines: that also splits at characters that JSON leaves as they are.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True)
class ServerSent:
    """One message of a stream."""

    id: str
    event: str
    data: str


class ServerSentReader:
    """Takes bytes as they come and gives messages as the standard reads them."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._kept = ""
        self._id = ""
        self._event = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSent]:
        """The messages that these bytes complete."""
        *lines, self._kept = _LINE_END.split(self._kept + self._decoder.decode(chunk))
        for line in lines:
            message = self._take(line)
            if message is not None:
                yield message

    def _take(self, line: str) -> ServerSent | None:
        if line == "":
            message = None
            if self._data:
                message = ServerSent(self._id, self._event or "message", "\n".join(self._data))
            self._event, self._data = "", []
            return message
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id" and "\0" not in value:
            self._id = value
        elif field == "event":
            self._event = value
        elif field == "data":
            self._data.append(value)
        return None


def events_of(reader: ServerSentReader, chunk: bytes) -> Iterator[RolloutEvent]:
    """The events of a rollout that these bytes complete."""
    for message in reader.feed(chunk):
        yield cast(RolloutEvent, json.loads(message.data))
