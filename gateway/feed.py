"""Exchanges for those who watch: gathered for a moment, then handed to every reader.

Without a reader nothing is gathered. What is gathered is bounded, and what a reader does not take
in time it does not get: a slow reader costs itself exchanges, and the gateway nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.control_messages import MOST_EXCHANGES, Exchanged, Exchanges, framed
from gateway.records import DecisionRecord
from networks.wire.dialects import DIALECTS

BATCH_SECONDS = 0.05
_UNREAD_BYTES = 1024 * 1024  # of one reader, beyond which it gets nothing more for now


class FeedReader:
    """One who watches: gets at most `most` exchanges of a batch, as frames through `write`."""

    __slots__ = ("dropped_count", "is_behind", "most", "write")

    def __init__(
        self, write: Callable[[bytes], None], is_behind: Callable[[], bool], most: int
    ) -> None:
        self.write = write
        self.is_behind = is_behind
        self.most = min(most, MOST_EXCHANGES)
        self.dropped_count = 0  # since the last batch that it got


class Feed:
    """The exchanges of one gateway process. Belongs to the running event loop.

    `is_read` is looked at before each `put`, so that nothing is done where nobody watches.
    """

    def __init__(self, worker: int) -> None:
        self.is_read = False
        self.dropped_count = 0
        self._worker = worker
        self._loop = asyncio.get_running_loop()
        self._readers: set[FeedReader] = set()
        self._most = 0
        self._gathered: list[tuple[DecisionRecord, bytes, bytes]] = []
        self._beyond_count = 0  # of this batch, not gathered
        self._timer: asyncio.TimerHandle | None = None

    @property
    def readers_count(self) -> int:
        """How many watch."""
        return len(self._readers)

    def add(self, reader: FeedReader) -> None:
        """Someone begins to watch."""
        self._readers.add(reader)
        self._readers_changed()

    def remove(self, reader: FeedReader) -> None:
        """Someone watches no longer."""
        self._readers.discard(reader)
        self._readers_changed()

    def put(self, record: DecisionRecord, request: bytes, response: bytes) -> None:
        """Take an exchange: `request` is header and message, `response` the whole frame."""
        if len(self._gathered) >= self._most:
            self._beyond_count += 1
            return
        self._gathered.append((record, request, response))
        if self._timer is None:
            self._timer = self._loop.call_later(BATCH_SECONDS, self._hand_out)

    def _readers_changed(self) -> None:
        self._most = max((each.most for each in self._readers), default=0)
        self.is_read = bool(self._readers)
        if not self._readers:
            self._gathered.clear()
            self._beyond_count = 0

    def _hand_out(self) -> None:
        self._timer = None
        gathered, self._gathered = self._gathered, []
        beyond, self._beyond_count = self._beyond_count, 0
        exchanges = tuple(_exchanged(*each) for each in gathered)
        for reader in self._readers:
            self._give(reader, exchanges, beyond)

    def _give(self, reader: FeedReader, exchanges: tuple[Exchanged, ...], beyond: int) -> None:
        given = () if reader.is_behind() else exchanges[: reader.most]
        dropped = beyond + len(exchanges) - len(given)
        self.dropped_count += dropped
        reader.dropped_count += dropped
        if given:
            reader.write(framed(Exchanges(self._worker, given, reader.dropped_count)))
            reader.dropped_count = 0


def _exchanged(record: DecisionRecord, request: bytes, response: bytes) -> Exchanged:
    return Exchanged(record, DIALECTS[record.network].framing.wrap(request), response)


def reader_of(writer: asyncio.StreamWriter, most: int) -> FeedReader:
    """A reader at the other end of a connection."""
    transport = writer.transport

    def is_behind() -> bool:
        return transport.get_write_buffer_size() > _UNREAD_BYTES

    return FeedReader(writer.write, is_behind, most)
