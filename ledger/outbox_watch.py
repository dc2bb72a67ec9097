"""The outbox as one sees it who is no reader: nothing is locked for him, and nothing kept.

What has no number yet is behind everything that has one, and every reader has it before him.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, select

from ledger.ids import made_at
from ledger.outbox import NUMBERING
from ledger.tables import events, positions

_MOST_COUNTED = 100_000  # rows without a number; more of them is only more of the same


class Lag(msgspec.Struct, frozen=True):
    """What a reader has before him: rows of the outbox, the oldest of them made at `since`.

    `since` is microseconds since the epoch, 0 if there is none. A row is one commit's events.
    """

    reader: str
    rows: int
    since: int


def lags(connection: Connection, outbox: int) -> list[Lag]:
    """Of every reader that has ever read, by name."""
    found = connection.execute(
        select(positions.c.reader, positions.c.sequence)
        .where(positions.c.account_id == outbox)
        .order_by(positions.c.reader)
    )
    at = {row.reader: row.sequence for row in found}
    last = at.pop(NUMBERING, 0)
    waiting = unnumbered_count(connection, outbox)
    unnumbered = connection.scalar(_first(outbox, events.c.sequence == 0))
    found_lags = []
    for reader, sequence in at.items():
        oldest = connection.scalar(_first(outbox, events.c.sequence > sequence)) or unnumbered
        since = 0 if oldest is None else made_at(oldest)
        found_lags.append(Lag(reader, last - sequence + waiting, since))
    return found_lags


def unnumbered_count(connection: Connection, outbox: int) -> int:
    """How many rows have no number yet: many, if nobody reads. Counted up to a bound."""
    some = (
        select(events.c.event_id)
        .where(events.c.account_id == outbox, events.c.sequence == 0)
        .limit(_MOST_COUNTED)
    )
    return connection.scalar(select(func.count()).select_from(some.subquery())) or 0


def last_number(connection: Connection, outbox: int) -> int:
    """The last number that was given; 0 if none was."""
    position = select(positions.c.sequence).where(
        positions.c.account_id == outbox, positions.c.reader == NUMBERING
    )
    return connection.scalar(position) or 0


def rows_after(connection: Connection, outbox: int, sequence: int, through: int) -> Sequence[str]:
    """The `data` of the rows with a number after `sequence` and up to `through`, in their order."""
    chosen = (
        select(events.c.data)
        .where(
            events.c.account_id == outbox,
            events.c.sequence > sequence,
            events.c.sequence <= through,
        )
        .order_by(events.c.sequence)
    )
    return connection.scalars(chosen).all()


def _first(outbox: int, which: ColumnElement[bool]) -> Select[int]:
    """The id of the first row of those."""
    return (
        select(events.c.event_id)
        .where(events.c.account_id == outbox, which)
        .order_by(events.c.sequence, events.c.event_id)
        .limit(1)
    )
