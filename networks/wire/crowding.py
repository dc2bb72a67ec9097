"""What a link lets in while there is too much: at most a few refusals, and all that is not new.

To refuse a request costs a third of what it costs to decide it, so under ten times the load the
refusals alone would take all the time there is. In each second a few are refused, and the others
are dropped after a look at their MTI: the network's timer ends them, and it stands in.
Reversals, advices and clearings tell what has happened and are never dropped; they have places of
their own (`SessionLimits.reserved`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from networks.wire.dialect import Dialect
from networks.wire.errors import Crowded, InFlightLimit, SessionError
from networks.wire.framing import NOTHING, Skip
from networks.wire.messages import Message
from networks.wire.open_requests import OpenRequests
from networks.wire.session_limits import SessionLimits
from networks.wire.spec import Encoding

NEW_REQUESTS = frozenset({"0100", "0101", "0200", "0201"})


class Door:
    """Lets the requests of one link in.

    `is_crowded` tells whether there is more than can be done already, whatever link it came from;
    it is asked once for each piece of the stream.
    """

    __slots__ = (
        "_crowded",
        "_dropped",
        "_is_crowded",
        "_limits",
        "_new",
        "_open",
        "_refusals_left",
        "_second",
        "_told_at",
    )

    def __init__(
        self,
        dialect: Dialect,
        limits: SessionLimits,
        open_requests: OpenRequests,
        is_crowded: Callable[[], bool],
    ) -> None:
        self._limits = limits
        self._open = open_requests
        self._new = _new_requests(dialect)
        self._is_crowded = is_crowded
        self._crowded = False
        self._dropped = 0
        self._second = self._told_at = -1  # before any
        self._refusals_left = 0

    def look_out(self, now: float) -> Skip:
        """A piece of the stream has come: which payloads need not even be cut out."""
        self._crowded = self._is_crowded()
        if int(now) != self._second:
            self._second, self._refusals_left = int(now), self._limits.refusals
        is_shut = self._crowded or len(self._open) >= self._limits.incoming
        return self._new if is_shut and not self._refusals_left else NOTHING

    def let_in(self, payloads: Iterable[bytes], skipped_count: int) -> Iterator[bytes]:
        """Those of a piece's `payloads` that are to be read; others were skipped as it was told."""
        self._dropped += skipped_count
        most = self._limits.incoming
        for payload in payloads:
            if (self._crowded or len(self._open) >= most) and self._new.takes(payload):
                if not self._refusals_left:
                    self._dropped += 1
                    continue
                self._refusals_left -= 1
            yield payload

    def refusal(self, message: Message, now: float) -> SessionError | None:
        """Why a request that was read is not accepted, if it is not."""
        is_new = message.mti in NEW_REQUESTS
        if is_new and self._crowded:
            return Crowded()
        if not self._open.has_place(now, is_new=is_new):
            return InFlightLimit(self._limits.incoming)
        return None

    def take_dropped(self) -> int:
        """How many were dropped since this last told; at most once a second, not for each piece."""
        if self._told_at == self._second:
            return 0
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._told_at = self._second
        return dropped


def _new_requests(dialect: Dialect) -> Skip:
    """`NEW_REQUESTS`, told from the MTI behind a header of the usual size."""
    is_packed = dialect.elements["t"].encoding is Encoding.BCD
    extent = dialect.header.extent
    usual = extent(b"")
    return Skip(
        usual,
        frozenset(bytes.fromhex(mti) if is_packed else mti.encode() for mti in NEW_REQUESTS),
        frozenset(first for first in range(256) if extent(bytes([first])) != usual),
    )
