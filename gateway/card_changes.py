"""A card that an operator changes is changed for a running gateway within seconds.

Whoever changes a card writes the time beside it; the gateway asks again and again for what has
changed since it last asked. That is one look at an index, whatever the number of cards.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from sqlalchemy import Connection, literal_column, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.cards import CARD_COLUMNS, CARDS, Card, card_of, control_values
from ledger.database import Database

_log = logging.getLogger(__name__)

_OVERLAP = 10_000_000  # microseconds: for clocks that differ, and commits that take their time

OnLoop = Callable[..., object]


def card_of_account(
    connection: Connection, account_id: int, card_id: int, *, locked: bool = False
) -> Card | None:
    """One card by its key, `locked` until the transaction ends; ``None`` if there is none."""
    key = (CARDS.c.account_id == account_id, CARDS.c.card_id == card_id)
    chosen = select(*CARD_COLUMNS).where(*key)
    if locked:
        chosen = chosen.with_for_update()
    row = connection.execute(chosen).one_or_none()
    return None if row is None else card_of(row)


def change_card(connection: Connection, card: Card, at: int) -> None:
    """Store state and controls of `card`; running gateways follow. `at` in microseconds."""
    connection.execute(
        update(CARDS)
        .where(CARDS.c.account_id == card.account_id, CARDS.c.card_id == card.card_id)
        .values(state=card.state.value, changed_at=at, **control_values(card.controls))
    )


def cards_changed_since(connection: Connection, since: int) -> tuple[list[Card], int]:
    """The cards changed after `since` (microseconds), and when the last of them was."""
    columns = [*CARD_COLUMNS, CARDS.c.changed_at]
    rows = connection.execute(
        select(*columns).where(
            CARDS.c.changed_at > literal_column("0"),  # said in so many words for the index
            CARDS.c.changed_at > since,
        )
    ).all()
    return [card_of(row) for row in rows], max((row.changed_at for row in rows), default=since)


class CardChanges:
    """Looks for changed cards every so many `seconds`, in a thread of its own.

    `put` is given the cards, by `on_loop`, e.g. ``loop.call_soon_threadsafe``.
    """

    def __init__(
        self,
        database: Database,
        put: Callable[[list[Card]], None],
        on_loop: OnLoop,
        *,
        seconds: float,
    ) -> None:
        self._database = database
        self._put = put
        self._on_loop = on_loop
        self._seconds = seconds
        self._latest = 0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="card-changes", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, if it was started."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._look()

    def _look(self) -> None:
        try:
            with self._database.reading() as connection:
                since = self._latest - _OVERLAP
                cards, latest = cards_changed_since(connection, since)
        except SQLAlchemyError as error:
            _log.warning("changed cards could not be read: %s", type(error).__name__)
            return
        self._latest = max(self._latest, latest)
        if cards:
            self._on_loop(self._put, cards)
