"""Which events were told of some records, and which readers of the outbox have passed them.

The row of an event is the last thing that its transaction makes, so that its id is a little above
the ids of what it tells of. There it is looked for by its text: off the hot path.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from ledger.events import Event, decode_events
from ledger.ids import first_id_at
from ledger.outbox import NUMBERING
from ledger.tables import events, positions

COMMITTED_WITHIN = 10_000_000  # microseconds from a request to its commit, at most
_ROWS_MOST = 64
_LATEST_ROWS = 20_000


class Subject(msgspec.Struct, frozen=True):
    """What events are looked for: its id, and between which times (microseconds) they were told."""

    subject_id: int
    since: int
    until: int


class Told(msgspec.Struct, frozen=True):
    """One event; who has read it, and who will but has not come by yet, by their names."""

    event: Event
    read_by: tuple[str, ...]
    awaited_by: tuple[str, ...]


def read_told(
    connection: Connection, outbox: int, account_id: int, subjects: Collection[Subject]
) -> list[Told]:
    """The events about `subjects`, which are of one account; those that were pruned are missing."""
    if not subjects:
        return []
    found = (
        select(events.c.sequence, events.c.data)
        .where(events.c.account_id == outbox, or_(*map(_may_tell_of, subjects)))
        .order_by(events.c.event_id)
        .limit(_ROWS_MOST)
    )
    readers = _readers(connection, outbox)
    ids = {each.subject_id for each in subjects}
    return [
        _told(event, row.sequence, readers)
        for row in connection.execute(found)
        for event in decode_events(row.data)
        if event.account_id == account_id and event.subject_id in ids
    ]


def find_in_outbox(connection: Connection, outbox: int, rrn: str) -> list[Event]:
    """The authorizations of that RRN among the latest rows, which nobody may have read yet."""
    ids = select(events.c.event_id).where(events.c.account_id == outbox)
    oldest = ids.order_by(events.c.event_id.desc()).offset(_LATEST_ROWS).limit(1)
    first = connection.scalar(oldest) or 0
    name = f'"rrn":"{rrn}"'
    found = (
        select(events.c.data)
        .where(
            events.c.account_id == outbox,
            events.c.event_id > first,
            events.c.data.contains(name, autoescape=True),
        )
        .order_by(events.c.event_id)
        .limit(_ROWS_MOST)
    )
    return [
        event
        for data in connection.scalars(found)
        for event in decode_events(data)
        if event.data.get("rrn") == rrn
    ]


def _may_tell_of(subject: Subject) -> ColumnElement[bool]:
    name = f'"subject_id":{subject.subject_id},'
    return and_(
        events.c.event_id >= first_id_at(subject.since),
        events.c.event_id < first_id_at(subject.until),
        events.c.data.contains(name, autoescape=True),
    )


def _readers(connection: Connection, outbox: int) -> list[tuple[str, int]]:
    found = select(positions.c.reader, positions.c.sequence).where(
        positions.c.account_id == outbox, positions.c.reader != NUMBERING
    )
    return [(row.reader, row.sequence) for row in connection.execute(found)]


def _told(event: Event, sequence: int, readers: Collection[tuple[str, int]]) -> Told:
    """A row without a number has been read by nobody."""
    passed = {name: 0 < sequence <= position for name, position in readers}
    read = tuple(sorted(name for name, has_read in passed.items() if has_read))
    return Told(event, read, tuple(sorted(set(passed) - set(read))))
