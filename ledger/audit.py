"""Replay the books: every balance against its entries, every hold against what it is part of.

Each check is one statement that returns what disagrees, so that an audit of a clean ledger moves
no rows. It reads one consistent view and can run beside the writer.
"""

from __future__ import annotations

from functools import cache

import msgspec
from sqlalchemy import Connection, func, select

from ledger.audit_checks import Check, account_checks
from ledger.audit_house import house_checks
from ledger.tables import accounts, metadata


class Disagreement(msgspec.Struct, frozen=True):
    """One thing that does not add up. `subject` names it, e.g. ``"account 17"``."""

    check: str
    subject: str
    expected: str
    found: str


class AuditReport(msgspec.Struct, frozen=True):
    """What was looked at (rows of each table) and what disagreed."""

    counts: dict[str, int]
    totals: dict[str, int]
    disagreements: tuple[Disagreement, ...]

    @property
    def clean(self) -> bool:
        """Whether the books balance."""
        return not self.disagreements


@cache
def checks() -> tuple[Check, ...]:
    """Every check: its name, what it is about, and the statement that returns what disagrees."""
    return (*account_checks(), *house_checks())


def audit(connection: Connection) -> AuditReport:
    """Check everything; `connection` should be one reading transaction."""
    found = [
        Disagreement(check, subject.format(*row), str(row[-2]), str(row[-1]))
        for check, subject, statement in checks()
        for row in map(tuple, connection.execute(statement))
    ]
    counts = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in metadata.sorted_tables
    }
    currencies = select(accounts.c.currency, func.sum(accounts.c.posted)).group_by(
        accounts.c.currency
    )
    totals = {currency: int(total) for currency, total in connection.execute(currencies)}
    return AuditReport(counts, totals, tuple(found))
