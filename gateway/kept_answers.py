"""The answers to writes, kept so that a repeat of one gets its answer and is not done again.

Rules of this file:

1. A key is claimed before the work and has its answer after it; both are durable.
2. Who claims a key that has an answer gets it, if he asks for the same; else he is refused.
3. A claim whose process died is free again after a while. The work must bear being done twice
   then, by names that follow from the key.
4. Answers are forgotten after a week.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from gateway.cards import METADATA
from ledger.database import Database

__all__ = [  # METADATA has the tables of both modules
    "KEPT_ANSWERS",
    "METADATA",
    "Answer",
    "Claim",
    "Claimed",
    "KeptAnswers",
    "OtherRequest",
    "UnderWay",
    "digest",
]

_UNDER_WAY = 0  # the status of a claim without an answer
_CLAIM_MICROSECONDS = 60_000_000
_KEPT_MICROSECONDS = 7 * 86_400_000_000

# No account's, so that it is not sharded with them: operators write seldom.
KEPT_ANSWERS = Table(
    "kept_answers",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("body", Text, nullable=False),
    Column("claimed_at", BigInteger, nullable=False),  # microseconds
    Index("kept_answers_claimed_at", "claimed_at"),
)
_table = KEPT_ANSWERS.c


class Answer(msgspec.Struct, frozen=True):
    """What was answered: an HTTP status and its body."""

    status: int
    media_type: str
    body: str


class Claimed(msgspec.Struct, frozen=True):
    """The key is ours: do the work, then `keep` its answer, or `release` the key."""

    key: str
    at: int


class UnderWay(msgspec.Struct, frozen=True):
    """Somebody else is doing the work of this key."""


class OtherRequest(msgspec.Struct, frozen=True):
    """The key was used for another request."""


Claim: TypeAlias = Claimed | Answer | UnderWay | OtherRequest


def digest(*parts: str) -> str:
    """64 hex digits that tell one sequence of texts from any other."""
    return sha256(msgspec.json.encode(parts)).hexdigest()


class KeptAnswers:
    """The answers kept in `database`; used by any number of threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: str, request: str, at: int) -> Claim:
        """Begin the write `key` (a digest) of `request` (a digest of it) at `at` (microseconds)."""
        try:
            with self._database.transaction() as connection:
                return _claim(connection, key, request, at)
        except IntegrityError:
            return UnderWay()  # somebody was quicker by the blink of an eye

    def keep(self, claimed: Claimed, answer: Answer) -> None:
        """The work of `claimed` is done, and this is its answer."""
        with self._database.transaction() as connection:
            connection.execute(
                update(KEPT_ANSWERS)
                .where(_table.key == claimed.key, _table.claimed_at == claimed.at)
                .values(status=answer.status, media_type=answer.media_type, body=answer.body)
            )

    def release(self, claimed: Claimed) -> None:
        """The work of `claimed` was not done, or nobody knows: whoever asks again does it."""
        ours = (_table.key == claimed.key, _table.claimed_at == claimed.at)
        with self._database.transaction() as connection:
            connection.execute(delete(KEPT_ANSWERS).where(*ours, _table.status == _UNDER_WAY))


def _claim(connection: Connection, key: str, request: str, at: int) -> Claim:
    connection.execute(delete(KEPT_ANSWERS).where(_table.claimed_at < at - _KEPT_MICROSECONDS))
    found = connection.execute(select(KEPT_ANSWERS).where(_table.key == key)).one_or_none()
    if found is None:
        row = {"key": key, "request": request, "status": _UNDER_WAY, "media_type": "", "body": ""}
        connection.execute(insert(KEPT_ANSWERS).values(**row, claimed_at=at))
        return Claimed(key, at)
    if found.request != request:
        return OtherRequest()
    if found.status != _UNDER_WAY:
        return Answer(found.status, found.media_type, found.body)
    if at - found.claimed_at < _CLAIM_MICROSECONDS:
        return UnderWay()
    taken = connection.execute(
        update(KEPT_ANSWERS)
        .where(_table.key == key, _table.claimed_at == found.claimed_at)
        .values(claimed_at=at)
    )
    return Claimed(key, at) if taken.rowcount else UnderWay()
