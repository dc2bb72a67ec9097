"""The numbers and times that name a message: STAN, RRN, transaction identifier, DE 7, 12, 13.

Nothing here reads a clock: every function is given the second it works for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import msgspec

JST = timezone(timedelta(hours=9), "JST")
LARGEST_STAN = 999_999


class Stamp(msgspec.Struct, frozen=True):
    """One second, as messages write it.

    Attributes
    ----------
    transmission
        DE 7, MMDDhhmmss GMT.
    local_time, local_date, local_year
        DE 12 and DE 13, Japan's; two digits of the year.
    reference_hour
        The head of an RRN: last digit of the year, day of the year, hour (ydddhh, GMT).
    identifier_second
        The head of a transaction identifier: yddd and the second of the day (GMT).
    """

    transmission: str
    local_time: str
    local_date: str
    local_year: str
    reference_hour: str
    identifier_second: str


@lru_cache(maxsize=64)
def stamp(second: int) -> Stamp:
    """How messages write `second` (since the epoch, UTC).

    >>> stamp(1_795_311_045).transmission, stamp(1_795_311_045).local_time
    ('1122013045', '103045')
    """
    instant = datetime.fromtimestamp(second, UTC)
    local = instant.astimezone(JST)
    day = f"{instant.year % 10}{instant:%j}"
    return Stamp(
        transmission=f"{instant:%m%d%H%M%S}",
        local_time=f"{local:%H%M%S}",
        local_date=f"{local:%m%d}",
        local_year=f"{local:%y}",
        reference_hour=f"{day}{instant:%H}",
        identifier_second=f"{day}{second % 86_400:05d}",
    )


class Names(msgspec.Struct, frozen=True):
    """What names one new message."""

    stamp: Stamp
    stan: str
    rrn: str
    transaction_id: str


class Numbering:
    """Deals out STANs, and what is built on them; the STAN wraps from 999999 to 1.

    RRN and transaction identifier are unique as long as fewer than 999,999 messages an hour and
    100,000 a second are named.
    """

    __slots__ = ("_last",)

    def __init__(self, last: int = 0) -> None:
        self._last = last

    def take(self, second: int) -> Names:
        """Name the next message, sent in `second` (since the epoch, UTC)."""
        self._last = self._last % LARGEST_STAN + 1
        written = stamp(second)
        stan = f"{self._last:06d}"
        return Names(
            stamp=written,
            stan=stan,
            rrn=written.reference_hour + stan,
            transaction_id=f"3{written.identifier_second}{self._last % 100_000:05d}",
        )
