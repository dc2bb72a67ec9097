"""Authorizations, clearings and general ledger of business days, set side by side.

The audit proves that the books add up, to the last row; this explains, in sums, what has happened
and what is still open. Not reconciled is what should be equal and is not; a clearing without a
hold, or a wallet that owes, is open and no mistake.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from ledger.general_ledger import general_ledger_lines, turnovers
from ledger.reconciliation_checks import (
    Check,
    checks_of_general_ledger,
    checks_of_holds,
    checks_of_positions,
    checks_of_today,
)
from ledger.recorded import recorded_lines
from ledger.report_lines import Line
from ledger.settlement import Within, settlement_positions
from ledger.still_open import open_lines

PENDING_DAYS = 7


class Reconciliation(msgspec.Struct, frozen=True):
    """What was found of `days`; holds that are pending for more than `pending_days` are listed."""

    days: tuple[int, ...]
    pending_days: int
    lines: tuple[Line, ...]
    checks: tuple[Check, ...]

    @property
    def disagreements(self) -> tuple[Check, ...]:
        """The checks whose numbers are not equal."""
        return tuple(check for check in self.checks if not check.agrees)

    @property
    def reconciled(self) -> bool:
        """Whether everything agrees."""
        return not self.disagreements


def reconcile(
    connection: Connection, days: Sequence[int], *, pending_days: int = PENDING_DAYS
) -> Reconciliation:
    """Reconcile business days (YYYYMMDD); `connection` should be one reading transaction.

    Raises
    ------
    ValueError
        If there is no day, or the last is no date.
    """
    chosen = tuple(sorted({*days}))
    if not chosen:
        raise ValueError("no day to reconcile")
    found = turnovers(connection)
    lines = [
        *recorded_lines(connection, chosen),
        *open_lines(connection, chosen[-1], pending_days),
        *general_ledger_lines(found, chosen),
    ]
    settled = settlement_positions(connection, Within(chosen[0], chosen[-1]))
    checks = [
        *checks_of_positions([each for each in settled if each.day in chosen]),
        *checks_of_holds(lines),
        *checks_of_general_ledger(lines),
        *checks_of_today(connection, found),
    ]
    return Reconciliation(chosen, pending_days, tuple(lines), tuple(checks))
