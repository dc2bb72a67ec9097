"""Which request an answer belongs to, and why it belongs to none.

An answer matches a request that is still waiting when its MTI answers the request's, and every
match attribute that both carry is the same. The first attribute (the STAN by default) is the
index; an answer without a known one is compared with the latest requests. What was answered or
timed out is remembered, within a bound, so that a late answer can be explained.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Generic, TypeAlias, TypeVar, cast

from networks.wire.errors import DuplicateKey
from networks.wire.generated import make_function
from networks.wire.messages import Message, response_mti

DEFAULT_MATCH = ("stan", "transmission", "rrn", "acquirer", "pan")
_COMPARED = 64
_HEAP_SLACK = 64

Values: TypeAlias = tuple[str, ...]
_ValuesOf: TypeAlias = Callable[[Message, str], Values]
P = TypeVar("P")


class Unmatched(StrEnum):
    """Why an answer belongs to no request that is waiting."""

    LATE = "late"
    ALREADY_ANSWERED = "already-answered"
    KEY_DIFFERS = "key-differs"
    NEVER_SENT = "never-sent"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`detail` names attributes and times, never a value; `late_seconds` is of LATE only."""

    reason: Unmatched
    detail: str
    late_seconds: float | None = None


@dataclass(slots=True, eq=False, repr=False)
class Pending(Generic[P]):
    """A request of ours that waits for its answer.

    `values` are the expected MTI and the match attributes; `purpose` is the caller's.
    """

    message: Message
    values: Values
    sent_at: float
    deadline: float
    purpose: P
    is_waiting: bool = True


class Matcher(Generic[P]):
    """The requests of one link that wait for answers, and the memory of `remembered` others."""

    __slots__ = ("_count", "_ended", "_heap", "_match_on", "_remembered", "_values_of", "_waiting")

    def __init__(self, match_on: Values = DEFAULT_MATCH, remembered: int = 4096) -> None:
        self._match_on = match_on
        self._remembered = remembered
        self._waiting: dict[str, list[Pending[P]]] = {}
        self._count = 0
        self._heap: list[tuple[float, int, Pending[P]]] = []
        # By MTI and first attribute: the values, when it ended, whether with an answer.
        self._ended: OrderedDict[Values, tuple[Values, float, bool]] = OrderedDict()
        self._values_of: dict[type[Message], _ValuesOf] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, message: Message, now: float, deadline: float, purpose: P) -> Pending[P]:
        """Wait for the answer to `message`.

        Raises
        ------
        DuplicateKey
            If an answer could not be told from that to a request which is already waiting.
        """
        values = self._values(message, response_mti(message.mti))
        bucket = self._waiting.setdefault(values[1], [])
        if any(other.values == values for other in bucket):
            raise DuplicateKey
        pending = Pending(message, values, now, deadline, purpose)
        bucket.append(pending)
        self._count += 1
        heappush(self._heap, (deadline, id(pending), pending))
        return pending

    def match(self, answer: Message, now: float) -> Pending[P] | Mismatch:
        """The request that `answer` belongs to, which then waits no more, or why there is none."""
        values = self._values(answer, answer.mti)
        for pending in self._waiting.get(values[1], ()):
            if pending.values == values:
                self._end(pending, now, was_answered=True)
                return pending
        found = self._compare(values, now)
        if isinstance(found, Pending):
            self._end(found, now, was_answered=True)
        return found

    def withdraw(self, request: Message, now: float) -> Pending[P] | None:
        """The waiting request that `request` is a copy of, which then waits no more."""
        values = self._values(request, response_mti(request.mti))
        for pending in self._waiting.get(values[1], ()):
            if pending.values == values:
                self._end(pending, now, was_answered=True)
                return pending
        return None

    def next_deadline(self) -> float | None:
        """When the next request times out."""
        heap = self._heap
        while heap and not heap[0][2].is_waiting:
            heappop(heap)
        return heap[0][0] if heap else None

    def expired(self, now: float) -> Iterator[Pending[P]]:
        """Each request whose deadline has come; it waits no more."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            pending = self._heap[0][2]
            self._end(pending, deadline, was_answered=False)
            yield pending

    def drain(self) -> list[Pending[P]]:
        """All that is waiting, in the order of sending; nothing waits any more."""
        drained = [pending for bucket in self._waiting.values() for pending in bucket]
        self._waiting.clear()
        self._heap.clear()
        self._count = 0
        return sorted(drained, key=lambda pending: pending.sent_at)

    def _values(self, message: Message, mti: str) -> Values:
        of_class = type(message)
        values_of = self._values_of.get(of_class)
        if values_of is None:
            values_of = self._values_of[of_class] = _make_values(of_class, self._match_on)
        return values_of(message, mti)

    def _end(self, pending: Pending[P], now: float, *, was_answered: bool) -> None:
        values = pending.values
        bucket = self._waiting[values[1]]
        bucket.remove(pending)
        if not bucket:
            del self._waiting[values[1]]
        self._count -= 1
        pending.is_waiting = False
        ended = self._ended
        ended.pop(values[:2], None)  # the latest is the last to be forgotten
        ended[values[:2]] = (values, now, was_answered)
        if len(ended) > self._remembered:
            ended.popitem(last=False)
        if len(self._heap) > 2 * self._count + _HEAP_SLACK:
            self._heap = [entry for entry in self._heap if entry[2].is_waiting]
            heapify(self._heap)

    def _compare(self, values: Values, now: float) -> Pending[P] | Mismatch:
        """Look for a request that agrees in what the answer carries, or differs least."""
        if not any(values[1:]):
            return Mismatch(Unmatched.KEY_DIFFERS, f"no {', '.join(self._match_on)}")
        candidates = self._waiting.get(values[1]) or list(self._latest())
        differing = [(self._differing(other.values, values), other) for other in candidates]
        agreeing = [other for names, other in differing if not names]
        if len(agreeing) == 1:
            return agreeing[0]
        if agreeing:
            detail = f"{len(agreeing)} requests agree with what the answer carries"
            return Mismatch(Unmatched.KEY_DIFFERS, detail)
        return self._explain_ended(values, now) or self._explain_waiting(
            min((names for names, _ in differing), key=len, default=())
        )

    def _latest(self) -> Iterator[Pending[P]]:
        buckets = islice(reversed(self._waiting.values()), _COMPARED)
        return (pending for bucket in buckets for pending in bucket)

    def _differing(self, ours: Values, theirs: Values) -> tuple[str, ...]:
        """Names of what both carry and is not the same; the MTI always counts."""
        names = ("mti", *self._match_on)
        return tuple(
            name
            for name, our, their in zip(names, ours, theirs, strict=True)
            if our and their and our != their
        )

    def _explain_ended(self, values: Values, now: float) -> Mismatch | None:
        ended = self._ended.get(values[:2])
        if ended is None or self._differing(ended[0], values):
            return None
        if ended[2]:
            return Mismatch(Unmatched.ALREADY_ANSWERED, "an answer came before")
        late = now - ended[1]
        return Mismatch(Unmatched.LATE, f"{late:.3f} s after its deadline", late)

    def _explain_waiting(self, nearest: tuple[str, ...]) -> Mismatch:
        """One difference, or several of a request with the same index, point at that request."""
        if nearest and (len(nearest) == 1 or self._match_on[0] not in nearest):
            return Mismatch(Unmatched.KEY_DIFFERS, ", ".join(nearest))
        return Mismatch(Unmatched.NEVER_SENT, "no request resembles it")


def _make_values(
    message_class: type[Message], match_on: Values
) -> Callable[[Message, str], Values]:
    """A function from a message and an MTI to its match values; what a class lacks is blank."""
    known = message_class.__struct_fields__
    parts = [f"message.{name}" if name in known else "''" for name in match_on]
    body = [f"return (mti, {', '.join(parts)})"]
    made = make_function("values", "message, mti", body, {})
    return cast("_ValuesOf", made)
