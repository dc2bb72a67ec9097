"""How long after its authorization a purchase is cleared, read from the events of the ledger.

Only what happens from the first look on counts, as with every count of a process. A very busy
ledger is sampled: what is behind by more than `_ROWS_MOST` rows is passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from gateway.histograms import Cell, Histogram, count_in, histogram, new_cell
from ledger.ids import made_at
from ledger.outbox_watch import last_number, rows_after

_HOUR = 3600.0
_DAY = 24 * _HOUR
LAG_BOUNDS = (
    *(1.0, 10.0, 60.0, 600.0, _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY),
    *(2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY),
)
_ROWS_MOST = 2000
_POSTED = "clearing.posted"


class _About(msgspec.Struct, frozen=True, gc=False):
    network: str = ""
    hold_id: int = 0


class _Told(msgspec.Struct, frozen=True, gc=False):
    """What this needs of an `Event`; the rest is not even read."""

    type: str
    at: int
    data: _About


_decoder = msgspec.json.Decoder(tuple[_Told, ...])


class ClearingLags:
    """Of each network: seconds from authorization to clearing. Not shared between threads."""

    def __init__(self) -> None:
        self._through: int | None = None
        self._cells: defaultdict[str, Cell] = defaultdict(lambda: new_cell(LAG_BOUNDS))

    def look(self, connection: Connection, outbox: int) -> None:
        """Take in what has been told since the last look."""
        last = last_number(connection, outbox)
        after = last if self._through is None else max(self._through, last - _ROWS_MOST)
        for data in rows_after(connection, outbox, after, last):
            for told in _decoder.decode(data):
                if told.type == _POSTED and told.data.hold_id:
                    self._count(told)
        self._through = last

    def by_network(self) -> Mapping[str, Histogram]:
        """Since the first look."""
        return {network: histogram(LAG_BOUNDS, cell) for network, cell in self._cells.items()}

    def _count(self, told: _Told) -> None:
        seconds = max(0, told.at - made_at(told.data.hold_id)) / 1e6
        count_in(self._cells[told.data.network], LAG_BOUNDS, seconds)
