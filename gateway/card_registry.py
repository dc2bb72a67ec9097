"""Every card in memory, found by the keyed index of its PAN.

Cards issued while the gateway runs are looked up on a miss, off the hot path. Numbers that are
nobody's card are remembered for a while, so that a flood of them costs the database little; the
memory for them is bounded, and so are the lookups under way.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Thread

from sqlalchemy.exc import SQLAlchemyError

from gateway.cards import Card, find_cards
from ledger.database import Database

_log = logging.getLogger(__name__)

_LOOKED_UP_AT_ONCE = 200

Found = Callable[[Card | None], None]
OnLoop = Callable[..., object]


class CardRegistry:
    """Cards by index, and the indexes known to be no card's.

    Parameters
    ----------
    absent_most
        So many unknown indexes are remembered; the oldest is forgotten first.
    absent_seconds
        For so long, in seconds: a card issued meanwhile is found after that.
    """

    __slots__ = ("_absent", "_absent_most", "_absent_seconds", "_cards")

    def __init__(self, *, absent_most: int = 100_000, absent_seconds: float = 5.0) -> None:
        self._cards: dict[bytes, Card] = {}
        self._absent: OrderedDict[bytes, float] = OrderedDict()
        self._absent_most = absent_most
        self._absent_seconds = absent_seconds

    def __len__(self) -> int:
        return len(self._cards)

    @property
    def absent_count(self) -> int:
        """How many unknown indexes are remembered."""
        return len(self._absent)

    def put(self, cards: Iterable[Card]) -> None:
        """Add or replace `cards`."""
        for card in cards:
            self._cards[card.index] = card

    def find(self, index: bytes) -> Card | None:
        """The card, if it is known here."""
        return self._cards.get(index)

    def is_absent(self, index: bytes, now: float) -> bool:
        """Whether a lookup has lately found no such card; `now` in seconds."""
        until = self._absent.get(index)
        if until is None:
            return False
        if until > now:
            return True
        del self._absent[index]
        return False

    def put_absent(self, index: bytes, now: float) -> None:
        """Remember that there is no such card."""
        self._absent.pop(index, None)
        if len(self._absent) >= self._absent_most:
            self._absent.popitem(last=False)
        self._absent[index] = now + self._absent_seconds


class TooManyLookups(Exception):
    """As many unknown cards as allowed are being looked up already."""


class CardLookups:
    """Looks cards up in the database, in a thread of its own, several at a time.

    Answers come by `on_loop`, e.g. ``loop.call_soon_threadsafe``: `Found` with the card, or with
    ``None`` where there is none. If the database cannot be asked, `on_failure` is called instead.
    """

    def __init__(self, database: Database, on_loop: OnLoop, *, most: int = 1000) -> None:
        self._database = database
        self._on_loop = on_loop
        self._most = most
        self._waiting: dict[bytes, list[tuple[Found, Callable[[], None]]]] = {}
        self._asked_count = 0
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="card-lookups", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Look up what is asked already, then end the thread, if it was started."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def find(self, index: bytes, found: Found, on_failure: Callable[[], None]) -> None:
        """Ask for one card; the same card asked for twice is looked up once.

        Raises
        ------
        TooManyLookups
            If as many as allowed wait for their answer.
        """
        if self._asked_count >= self._most:
            raise TooManyLookups
        self._asked_count += 1
        callbacks = self._waiting.setdefault(index, [])
        callbacks.append((found, on_failure))
        if len(callbacks) == 1:
            self._queue.put(index)

    def _run(self) -> None:
        while (index := self._queue.get()) is not None:
            batch = [index]
            while len(batch) < _LOOKED_UP_AT_ONCE and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)  # stop after this batch
                    break
                batch.append(following)
            self._look_up(batch)

    def _look_up(self, batch: list[bytes]) -> None:
        try:
            with self._database.reading() as connection:
                cards = {card.index: card for card in find_cards(connection, batch)}
        except SQLAlchemyError as error:
            _log.warning("cards could not be looked up: %s", type(error).__name__)
            self._on_loop(self._fail, batch)
        else:
            self._on_loop(self._finish, batch, cards)

    def _finish(self, batch: list[bytes], cards: dict[bytes, Card]) -> None:
        for index in batch:
            for found, _ in self._answered(index):
                found(cards.get(index))

    def _fail(self, batch: list[bytes]) -> None:
        for index in batch:
            for _, on_failure in self._answered(index):
                on_failure()

    def _answered(self, index: bytes) -> list[tuple[Found, Callable[[], None]]]:
        callbacks = self._waiting.pop(index)
        self._asked_count -= len(callbacks)
        return callbacks
