"""Reading the outbox: every fact once, an account's facts in their order, and none left out.

Writers commit out of the order of their ids, so that nobody may go on from the last id that he has
seen. Rows are *numbered* first: whatever has no sequence yet gets the next ones, in the order of
ids and under the lock of the shard's numbering. What commits late is numbered late, and not left
out. Two rows about one account were committed in the order of their ids (`Account.last_id`), and
so they are numbered in it. Readers go by sequence, each with a position of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, delete, func, select, update

from ledger.database import Database
from ledger.events import Event, decode_events
from ledger.ids import first_id_at
from ledger.row_sets import Change, Insert, Update, write
from ledger.rows import Position
from ledger.tables import events, positions

NUMBERING = "sequence"  # the reader whose position is the last sequence that was given

_NUMBERED_AT_ONCE = 128
_PRUNED_AT_ONCE = 256
_FIRST_ROWS, _MOST_ROWS = 8, 256


class Batch(msgspec.Struct, frozen=True, gc=False):
    """The events of the rows after `after` and up to `through`, which are sequences."""

    after: int
    through: int
    events: Sequence[Event]


class Reader:
    """One reader of one shard's outbox, by name: the next events, and how far it has come.

    Of two processes with the same name each event is worked on by one, or by both and kept by one.

    Parameters
    ----------
    outbox
        The shard's (`Placement.outbox`).
    events_at_once
        A batch ends with the row that reaches it.
    """

    def __init__(
        self,
        database: Database,
        outbox: int,
        name: str,
        *,
        events_at_once: int,
    ) -> None:
        assert name != NUMBERING
        self._database = database
        self._outbox = outbox
        self._name = name
        self.events_at_once = events_at_once
        self._rows_at_once = _FIRST_ROWS

    def fetch(self, ahead_of: Batch | None = None) -> Batch | None:
        """The events after this reader's position; ``None`` if all that is committed is read.

        Those after the batch `ahead_of`, if it is given, which is still to be acknowledged.
        What has no number yet gets it once there is nothing else to read. Nothing else is locked.
        A reader that is new starts with the oldest row that is kept.
        """
        after, rows = self._read(ahead_of)
        if not rows and number(self._database, self._outbox):
            after, rows = self._read(ahead_of)
        told: list[Event] = []
        taken = 0
        while taken < len(rows) and len(told) < self.events_at_once:
            told += decode_events(rows[taken].data)
            taken += 1
        self._rows_at_once = (
            taken + 1 if taken < len(rows) else min(2 * self._rows_at_once, _MOST_ROWS)
        )
        return Batch(after, rows[taken - 1].sequence, told) if taken else None

    def consume(
        self, batch: Batch, work: Callable[[Connection, Sequence[Event]], Sequence[Change]]
    ) -> bool:
        """Make the changes that `work` finds, exactly once: the position moves with them.

        False, and nothing has happened, if the position is no longer where the batch begins.

        Raises
        ------
        OutcomeUnknown
            If the database was lost while it committed; `fetch` then tells.
        Exception
            Whatever else went wrong: nothing has happened.
        """

        def in_turn(connection: Connection) -> tuple[bool, Sequence[Change]]:
            if _lock(connection, self._outbox, self._name) != batch.after:
                return False, ()
            changes = work(connection, batch.events)
            return True, [*changes, _move(self._outbox, self._name, batch.through)]

        return self._database.run(in_turn)

    def acknowledge(self, batch: Batch) -> bool:
        """Go on after `batch`, whose work is done elsewhere: at least once, should it be repeated.

        False if the position is no longer where the batch begins.
        """
        return self.consume(batch, lambda _connection, _events: ())

    def _read(self, ahead_of: Batch | None) -> tuple[int, Sequence[Row[int, str]]]:
        """Where it begins, and rows after it. From now on nothing is pruned that is not passed."""
        with self._database.reading() as connection:
            after = (
                ahead_of.through
                if ahead_of is not None
                else connection.scalar(_position_of(self._outbox, self._name))
            )
            later = (
                select(events.c.sequence, events.c.data)
                .where(events.c.account_id == self._outbox, events.c.sequence > (after or 0))
                .order_by(events.c.sequence)
                .limit(self._rows_at_once)
            )
            rows = connection.execute(later).all()
        if after is None:
            with self._database.transaction() as connection:
                _add(connection, self._outbox, self._name)
        return after or 0, rows


def number(database: Database, outbox: int) -> int:
    """Give every row that has been committed its sequence; how many there were without."""

    def some(connection: Connection) -> tuple[int, Sequence[Change]]:
        last = _lock(connection, outbox, NUMBERING)
        found = connection.scalars(unnumbered.limit(_NUMBERED_AT_ONCE)).all()
        if found:
            next_ones = enumerate(found, last + 1)
            connection.execute(numbered, [{"number": n, "row_id": each} for n, each in next_ones])
        return len(found), [_move(outbox, NUMBERING, last + len(found))]

    unnumbered = (
        select(events.c.event_id)
        .where(events.c.account_id == outbox, events.c.sequence == 0)
        .order_by(events.c.event_id)
    )
    numbered = (
        update(events)
        .where(events.c.account_id == outbox, events.c.event_id == bindparam("row_id"))
        .values(sequence=bindparam("number"))
    )
    with database.reading() as connection:
        if connection.scalar(unnumbered.limit(1)) is None:
            return 0
    return _repeat(database, some, _NUMBERED_AT_ONCE)


def prune(database: Database, outbox: int, before: int) -> int:
    """Delete the rows from before `before` (microseconds) that every reader has passed.

    How many it were. Where nobody has ever read, everything is kept.
    """

    def some(connection: Connection) -> tuple[int, Sequence[Change]]:
        passed = connection.scalar(slowest) or 0
        found = connection.execute(oldest).all()
        gone = [row.event_id for row in found if 0 < row.sequence <= passed]
        connection.execute(
            delete(events).where(events.c.account_id == outbox, events.c.event_id.in_(gone))
        )
        return len(gone), ()

    slowest = select(func.min(positions.c.sequence)).where(
        positions.c.account_id == outbox, positions.c.reader != NUMBERING
    )
    oldest = (
        select(events.c.event_id, events.c.sequence)
        .where(events.c.account_id == outbox, events.c.event_id < first_id_at(before))
        .order_by(events.c.event_id)
        .limit(_PRUNED_AT_ONCE)
    )
    return _repeat(database, some, _PRUNED_AT_ONCE)


def _repeat(
    database: Database, some: Callable[[Connection], tuple[int, Sequence[Change]]], at_once: int
) -> int:
    """Do `some` in one transaction after another, until it finds fewer; how many it were in all."""
    done = found = database.run(some)
    while found == at_once:
        found = database.run(some)
        done += found
    return done


def _position_of(outbox: int, name: str) -> Select[int]:
    return select(positions.c.sequence).where(
        positions.c.account_id == outbox, positions.c.reader == name
    )


def _lock(connection: Connection, outbox: int, name: str) -> int:
    """A position, which nobody else moves until the transaction ends."""
    position = _position_of(outbox, name).with_for_update()
    found = connection.scalar(position)
    if found is None:
        _add(connection, outbox, name)
        found = connection.scalar(position)
    assert found is not None
    return found


def _add(connection: Connection, outbox: int, name: str) -> None:
    start = Position(outbox, name, 0)
    write(connection, [Insert(positions, [msgspec.structs.astuple(start)], if_missing=True)])


def _move(outbox: int, name: str, sequence: int) -> Update:
    return Update(positions, ("sequence",), [(sequence, outbox, name)])
