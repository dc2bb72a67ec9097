"""What happens, for those who watch: gathered for a moment, then handed to every reader.

The first after a quiet moment is handed out at once. Without a reader nothing is gathered. What is
gathered is bounded, and what a reader does not take in time it does not get: a slow reader costs
itself some of it, and the gateway nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gateway.control_messages import (
    MOST_DECLINES,
    MOST_EXCHANGES,
    Declines,
    Exchanged,
    Exchanges,
    framed,
)
from gateway.declines import is_decline
from gateway.records import DecisionRecord
from networks.wire.dialects import DIALECTS

BATCH_SECONDS = 0.05
_UNREAD_BYTES = 1024 * 1024  # of one reader, beyond which it gets nothing more for now

Item = TypeVar("Item")


class FeedReader:
    """One who watches: gets at most `most` of a batch, as frames through `write`."""

    __slots__ = ("dropped_count", "is_behind", "most", "write")

    def __init__(
        self, write: Callable[[bytes], None], is_behind: Callable[[], bool], most: int
    ) -> None:
        self.write = write
        self.is_behind = is_behind
        self.most = most
        self.dropped_count = 0  # since the last batch that it got


class Gathering(Generic[Item]):
    """One kind of what can be watched, with those who do. Belongs to the running event loop.

    `frame` makes what is sent of the items and the count of those left out.
    """

    def __init__(self, frame: Callable[[Sequence[Item], int], bytes], most: int) -> None:
        self.readers: set[FeedReader] = set()
        self.dropped_count = 0
        self._frame = frame
        self._most_ever = most
        self._most = 0
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Item] = []
        self._beyond_count = 0  # of this batch, not gathered
        self._timer: asyncio.TimerHandle | None = None
        self._handed_out_at = -math.inf

    def add(self, reader: FeedReader) -> None:
        """Someone begins to watch."""
        reader.most = min(reader.most, self._most_ever)
        self.readers.add(reader)
        self._readers_changed()

    def remove(self, reader: FeedReader) -> None:
        """Someone watches no longer, or never did."""
        self.readers.discard(reader)
        self._readers_changed()

    def put(self, item: Item) -> None:
        """Take an item, if anybody reads."""
        if len(self._gathered) < self._most:
            self._gathered.append(item)
            if self._timer is None:
                next_one = max(self._handed_out_at + BATCH_SECONDS, self._loop.time())
                self._timer = self._loop.call_at(next_one, self.hand_out)
        elif self.readers:
            self._beyond_count += 1

    def hand_out(self) -> None:
        """Give every reader what was gathered."""
        self._timer = None
        self._handed_out_at = self._loop.time()
        gathered, self._gathered = self._gathered, []
        beyond, self._beyond_count = self._beyond_count, 0
        for reader in self.readers:
            self._give(reader, gathered, beyond)

    def _readers_changed(self) -> None:
        self._most = max((each.most for each in self.readers), default=0)
        if not self.readers:
            self._gathered.clear()
            self._beyond_count = 0

    def _give(self, reader: FeedReader, gathered: Sequence[Item], beyond: int) -> None:
        given = () if reader.is_behind() else gathered[: reader.most]
        dropped = beyond + len(gathered) - len(given)
        self.dropped_count += dropped
        reader.dropped_count += dropped
        if given:
            reader.write(self._frame(given, reader.dropped_count))
            reader.dropped_count = 0


class Feed:
    """The exchanges of one gateway process, and by themselves what of them was declined.

    `is_read` is looked at before each `put`, so that nothing is done where nobody watches.
    """

    def __init__(self, worker: int) -> None:
        self.is_read = False
        self._worker = worker
        self._exchanges = Gathering(self._exchanges_frame, MOST_EXCHANGES)
        self._declines = Gathering(self._declines_frame, MOST_DECLINES)

    @property
    def readers_count(self) -> int:
        """How many watch."""
        return len(self._exchanges.readers) + len(self._declines.readers)

    @property
    def dropped_count(self) -> int:
        """How many exchanges readers did not get."""
        return self._exchanges.dropped_count + self._declines.dropped_count

    def add(self, reader: FeedReader) -> None:
        """Someone begins to watch every exchange."""
        self._exchanges.add(reader)
        self.is_read = True

    def add_for_declines(self, reader: FeedReader) -> None:
        """Someone begins to watch what is declined."""
        self._declines.add(reader)
        self.is_read = True

    def remove(self, reader: FeedReader) -> None:
        """Someone watches no longer."""
        self._exchanges.remove(reader)
        self._declines.remove(reader)
        self.is_read = self.readers_count > 0

    def put(self, record: DecisionRecord, request: bytes, response: bytes) -> None:
        """Take an exchange: `request` is header and message, `response` the whole frame."""
        self._exchanges.put((record, request, response))
        if is_decline(record):
            self._declines.put(record)

    def _exchanges_frame(
        self, gathered: Sequence[tuple[DecisionRecord, bytes, bytes]], dropped: int
    ) -> bytes:
        exchanges = tuple(_exchanged(*each) for each in gathered)
        return framed(Exchanges(self._worker, exchanges, dropped))

    def _declines_frame(self, gathered: Sequence[DecisionRecord], dropped: int) -> bytes:
        return framed(Declines(self._worker, tuple(gathered), dropped))


def _exchanged(record: DecisionRecord, request: bytes, response: bytes) -> Exchanged:
    return Exchanged(record, DIALECTS[record.network].framing.wrap(request), response)


def reader_of(writer: asyncio.StreamWriter, most: int) -> FeedReader:
    """A reader at the other end of a connection."""
    transport = writer.transport

    def is_behind() -> bool:
        return transport.get_write_buffer_size() > _UNREAD_BYTES

    return FeedReader(writer.write, is_behind, most)
