"""What the ledger has: the one place of the crash test that knows its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Row, Select, select

from cardrail.truth_sources import ledger_truth
from cardrail.truths import Truth
from ledger.audit import AuditReport, audit
from ledger.database import Database
from ledger.house import AccountKind
from ledger.outcomes import Outcome
from ledger.tables import accounts, authorizations, clearings, holds, reversals

RecordKey: TypeAlias = tuple[str, str, str]  # network, RRN, verb

_OWN = "late:%"  # request keys of the gateway's own reversals


class Stored(msgspec.Struct, frozen=True):
    """One stored answer; `amount` in minor units, `holds` whether it has opened a hold."""

    approved: bool
    approval_code: str = ""
    amount: int = 0
    holds: bool = False


class Books(msgspec.Struct, frozen=True):
    """The ledger at one moment.

    Attributes
    ----------
    stored
        The stored answers to what networks have asked, by what was asked.
    posted
        What each wallet has, less what it owes, minor units.
    truth
        What the ledger says of each authorization.
    """

    stored: Mapping[RecordKey, Sequence[Stored]]
    posted: Mapping[int, int]
    truth: Truth
    audit: AuditReport


def read_books(url: str) -> Books:
    """Read the ledger at `url`; nothing stays open, so that it can be killed and recover alone."""
    database = Database.open(url, must_exist=True)
    try:
        with database.reading() as connection:
            return Books(
                _stored(connection),
                _posted(connection),
                ledger_truth(connection, 0),
                audit(connection),
            )
    finally:
        database.close()


_AUTHORIZATIONS: Select[Any] = select(
    authorizations.c.network,
    authorizations.c.rrn,
    authorizations.c.verb,
    authorizations.c.outcome,
    authorizations.c.approval_code,
    authorizations.c.amount,
    holds.c.authorization_id.label("hold"),
).select_from(
    authorizations.outerjoin(
        holds,
        (holds.c.account_id == authorizations.c.account_id)
        & (holds.c.authorization_id == authorizations.c.authorization_id),
    )
)
_REVERSALS: Select[Any] = select(reversals.c.network, reversals.c.rrn, reversals.c.outcome).where(
    reversals.c.request_key.not_like(_OWN)
)
_CLEARINGS: Select[Any] = select(clearings.c.network, clearings.c.rrn, clearings.c.outcome)


def _stored(connection: Connection) -> Mapping[RecordKey, Sequence[Stored]]:
    found: defaultdict[RecordKey, list[Stored]] = defaultdict(list)
    for row in connection.execute(_AUTHORIZATIONS):
        found[row.network, row.rrn, row.verb].append(
            Stored(_said_yes(row), row.approval_code, row.amount, row.hold is not None)
        )
    for verb, statement in (("reverse", _REVERSALS), ("clear", _CLEARINGS)):
        for row in connection.execute(statement):
            found[row.network, row.rrn, verb].append(Stored(_said_yes(row)))
    return found


def _said_yes(row: Row[Any]) -> bool:
    return Outcome[row.outcome].approved


def _posted(connection: Connection) -> Mapping[int, int]:
    wallets = select(accounts.c.account_id, accounts.c.posted, accounts.c.owed).where(
        accounts.c.kind == AccountKind.WALLET.value
    )
    return {row.account_id: row.posted - row.owed for row in connection.execute(wallets)}
