"""The peer's requests that have no answer yet, so many and no more."""

from __future__ import annotations

from networks.wire.session_limits import SessionLimits


class OpenRequests:
    """Who of the peer's requests waits for our answer, by a number of our own.

    A caller that forgets to answer loses no place for good: when all places are taken, those of
    requests older than `answer_seconds` are free again, and such a request can be answered no more.
    """

    __slots__ = ("_arrivals", "_limits", "_sequence")

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._arrivals: dict[int, float] = {}  # the oldest first
        self._sequence = 0

    def __len__(self) -> int:
        return len(self._arrivals)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._arrivals

    def has_place(self, now: float, *, is_new: bool) -> bool:
        """Whether another request may wait; what is not new may take a reserved place."""
        arrivals, limit = self._arrivals, self._limits.incoming
        if not is_new:
            limit += self._limits.reserved
        if len(arrivals) < limit:
            return True
        forgotten = now - self._limits.answer_seconds
        while arrivals and arrivals[oldest := next(iter(arrivals))] <= forgotten:
            del arrivals[oldest]
        return len(arrivals) < limit

    def add(self, now: float) -> int:
        """The number of a request that came `now`."""
        self._sequence += 1
        self._arrivals[self._sequence] = now
        return self._sequence

    def discard(self, sequence: int) -> None:
        """The request has its answer."""
        self._arrivals.pop(sequence, None)
