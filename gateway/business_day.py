"""The business day of an instant, worked out once a day and not once a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

DAY_MICROSECONDS = 86_400_000_000


class BusinessDay(msgspec.Struct, frozen=True, gc=False):
    """One day of local time. `number` is YYYYMMDD, `month` YYMM as on a card."""

    number: int
    month: str


class BusinessCalendar:
    """Days of a fixed offset from UTC (Japan has no summer time)."""

    __slots__ = ("_day", "_end", "_offset", "_start")

    def __init__(self, offset_minutes: int) -> None:
        self._offset = offset_minutes * 60_000_000
        self._start = self._end = 0
        self._day = BusinessDay(0, "")

    def day(self, at: int) -> BusinessDay:
        """The business day at `at`, microseconds since the epoch."""
        if not self._start <= at < self._end:
            self._turn_to(at)
        return self._day

    def _turn_to(self, at: int) -> None:
        self._start = at - (at + self._offset) % DAY_MICROSECONDS
        self._end = self._start + DAY_MICROSECONDS
        local = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at + self._offset)
        self._day = BusinessDay(int(local.strftime("%Y%m%d")), local.strftime("%y%m"))
