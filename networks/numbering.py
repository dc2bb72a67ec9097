"""The numbers that name a message: STAN, RRN, transaction identifier.

Nothing here reads a clock: every function is given the second it works for.
"""

from __future__ import annotations

import msgspec

from networks.wire.stamps import Stamp, stamp

LARGEST_STAN = 999_999
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEADS = 1000 + 26 * 36 * 36
RRNS_AN_HOUR = _HEADS * 1000


class Names(msgspec.Struct, frozen=True):
    """What names one new message."""

    stamp: Stamp
    stan: str
    rrn: str
    transaction_id: str


class Numbering:
    """Deals out names; the STAN wraps from 999999 to 1.

    The last six characters of an RRN are digits for the first million messages and begin with a
    letter after that, so that RRNs are unique up to `RRNS_AN_HOUR`. Transaction identifiers are
    unique up to 100,000 a second.
    """

    __slots__ = ("_head", "_serial")

    def __init__(self, last: int = 0) -> None:
        self._serial = last
        self._head = _head(last // 1000)

    def take(self, second: int) -> Names:
        """Name the next message, sent in `second` (since the epoch, UTC)."""
        self._serial = serial = self._serial + 1
        thousands, rest = divmod(serial, 1000)
        if not rest:
            self._head = _head(thousands)
        written = stamp(second)
        return Names(
            stamp=written,
            stan=f"{(serial - 1) % LARGEST_STAN + 1:06d}",
            rrn=f"{written.reference_hour}{self._head}{rest:03d}",
            transaction_id=f"3{written.identifier_second}{serial % 100_000:05d}",
        )


def _head(thousands: int) -> str:
    """Three characters for the thousands of a running number.

    >>> _head(7), _head(999), _head(1000), _head(1000 + 36 * 36), _head(_HEADS)
    ('007', '999', 'A00', 'B00', '000')
    """
    thousands %= _HEADS
    if thousands < 1000:
        return f"{thousands:03d}"
    letter, rest = divmod(thousands - 1000, 36 * 36)
    return _DIGITS[10 + letter] + _DIGITS[rest // 36] + _DIGITS[rest % 36]
