"""Which request of a link an answer belongs to, at the cost of a dictionary look-up.

The rules are those of `networks.wire.matching`: the STAN is the index, and MTI, DE 7, 37, 32 and 2
must be the request's wherever the answer carries them. What has ended is remembered for a while,
so that a second answer and a late one are told apart from one that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from loadtest.hundreds import Hundreds
from loadtest.remembered import Remembered, due
from loadtest.templates import Values

_REMEMBERED = 65_536

# Answers that decide nothing (DOMAIN 1.8).
NOT_DECIDED = frozenset({"30", "91", "96"})


class ErrorKind(StrEnum):
    """What a run must not have."""

    TIMEOUT = "timeout"  # no answer within the network's timer
    LATE = "late answer"  # after that
    DUPLICATE = "duplicate answer"
    UNMATCHED = "unmatched answer"  # of no request, or with keys that are not the request's
    UNREADABLE = "unreadable answer"
    REJECTED = "rejected message"  # given back with a reject header
    UNDECIDED = "not decided"  # DE 39 is 30, 91 or 96
    LOST = "lost with its link"
    UNSENT = "not sent"  # no link, or as many in flight as may be


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A request without an answer; times are monotonic seconds."""

    values: Values
    intended: float
    deadline: float


class Book:
    """The requests of one link; an answer ends one of them, a deadline the others.

    Those that were sent a hundred at a time are in `hundreds`.
    """

    __slots__ = ("_ended", "_waiting", "hundreds")

    def __init__(self) -> None:
        self.hundreds = Hundreds()
        self._waiting: dict[str, Waiting] = {}  # by STAN, the oldest first
        # By STAN: the values, whether with an answer.
        self._ended: Remembered[tuple[Values, bool]] = Remembered(_REMEMBERED)

    def __len__(self) -> int:
        return len(self._waiting) + len(self.hundreds)

    def expect(self, stan: str, waiting: Waiting) -> bool:
        """Wait for an answer; False if this STAN is waiting already."""
        if stan in self._waiting:
            return False
        self._waiting[stan] = waiting
        return True

    def answered(self, fields: Mapping[str, str]) -> Waiting | ErrorKind:
        """The request that an answer's elements end, or why there is none."""
        get = fields.get
        stan = get("11", "")
        values = (fields["t"], get("7", ""), get("37", ""), get("32", ""), get("2", ""))
        waiting = self._waiting.get(stan)
        if waiting is not None and (waiting.values == values or _agree(waiting.values, values)):
            del self._waiting[stan]
            self._ended.put(stan, (waiting.values, True))
            return waiting
        return self._answered_of_hundred(stan, values) or self._explain(stan, values)

    def _answered_of_hundred(self, stan: str, values: Values) -> Waiting | None:
        found = self.hundreds.find(stan)
        if found is None:
            return None
        hundred, place = found
        ours = hundred.names.values(place)
        if not _agree(ours, values):
            return None
        self.hundreds.end(hundred, place, was_answered=True)
        return Waiting(ours, hundred.intended[place], hundred.deadline)

    def withdraw(self, fields: Mapping[str, str]) -> None:
        """A request came back unread: it waits no more."""
        stan = fields.get("11", "")
        waiting = self._waiting.pop(stan, None)
        if waiting is not None:
            self._ended.put(stan, (waiting.values, False))
        elif (found := self.hundreds.find(stan)) is not None:
            self.hundreds.end(*found, was_answered=False)

    def expire(self, now: float) -> int:
        """How many requests have just come to their deadline; they wait no more."""
        expired = due(self._waiting, now)
        for stan in expired:
            self._ended.put(stan, (self._waiting.pop(stan).values, False))
        return len(expired) + self.hundreds.expire(now)

    def drain(self) -> int:
        """How many requests are waiting; none waits any more."""
        count = len(self._waiting)
        self._waiting.clear()
        return count + self.hundreds.drain()

    def _explain(self, stan: str, values: Values) -> ErrorKind:
        ended = self._ended.get(stan) or self.hundreds.ended(stan)
        if ended is None or not _agree(ended[0], values):
            return ErrorKind.UNMATCHED
        return ErrorKind.DUPLICATE if ended[1] else ErrorKind.LATE


def _agree(ours: Values, theirs: Values) -> bool:
    """Whether everything is the same that the answer carries."""
    return all(not their or our == their for our, their in zip(ours, theirs, strict=True))
