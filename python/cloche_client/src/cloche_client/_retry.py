"""When and how often a request is made again. Only what is safe to repeat ever is."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

#: Overloaded, draining, or a proxy that lost the service for a moment.
PASSING = frozenset({429, 502, 503, 504})
#: The service says that it did nothing: repeating is safe whatever was asked.
NOTHING_DONE = frozenset({429})
#: So does one that is starting: it looks after what an earlier process left.
NOT_STARTED = "api/not-ready"
#: Not a byte of the request can have arrived.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Retry:
    """All times in seconds."""

    #: Attempts in all; 1: never again.
    attempts: int = 8
    #: The first pause is at most this; each further one twice as much.
    first_pause: float = 0.2
    #: Longest pause of our own choice.
    longest_pause: float = 10.0
    #: A ``Retry-After`` beyond this is not waited for: the error is raised at once.
    longest_retry_after: float = 120.0

    def pause(self, attempt: int, retry_after: float | None) -> float | None:
        """Seconds until the next attempt (from 1), or None if there is to be none."""
        if attempt >= self.attempts:
            return None
        most = min(self.longest_pause, self.first_pause * 2 ** (attempt - 1))
        # All of it random: workers that failed together must not come back together.
        own = random.uniform(0, most)
        if retry_after is None:
            return own
        return None if retry_after > self.longest_retry_after else retry_after + own


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds from now that ``Retry-After`` asks for, as a number or as a date."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def is_repeated_after(status: int, code: str, repeatable: bool) -> bool:
    """Whether an answer of this status and code is worth asking again, and safe."""
    undone = status in NOTHING_DONE or code == NOT_STARTED
    return status in PASSING and (repeatable or undone)


def is_repeated_after_failure(error: httpx.TransportError, repeatable: bool) -> bool:
    """Whether a request that got no answer may be made again."""
    return repeatable or isinstance(error, NEVER_SENT)
