"""One second as messages write it: DE 7, 12, 13, and what their names begin with.

Nothing here reads a clock: every function is given the second it works for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import msgspec

JST = timezone(timedelta(hours=9), "JST")


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
