"""What a person asks of the ledger, as its own commands: void a hold, match a clearing.

Each is named by the key of its write, so that asked twice it is done once, even if nobody lived to
tell the first time.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from gateway.common import Common, reference_to
from ledger.commands import TRACE_END, Origin, Reference, Resolve, Reverse, trace_in
from ledger.money import Money
from ledger.row_sets import AFTER_ALL
from ledger.rows import Authorization, Clearing
from ledger.tables import authorizations


class Act(msgspec.Struct, frozen=True):
    """One deed of an operator: `key` names it, `request` is a digest of what was asked.

    `at` is microseconds, `day` YYYYMMDD.
    """

    key: str
    request: str
    at: int
    day: int

    @property
    def request_key(self) -> str:
        """Its name in the ledger; it has no trace, for no message names it."""
        return f"operator:{self.key}"


class NotNamed(LookupError):
    """No reference names the authorization, or it names others as well."""

    def __str__(self) -> str:
        return "its network gave it no name of its own: a command might strike another one"


def void_hold(original: Authorization, act: Act, reason: str, reference: Reference) -> Reverse:
    """Releases all that the hold of `original`, which made it, still holds."""
    return Reverse(
        **_common(original, act, reason),
        reference=reference,
        amount=Money(original.amount, original.currency),
    )


def match_clearing(clearing: Clearing, act: Act, reason: str, reference: Reference) -> Resolve:
    """Tells that `clearing` is about the authorization of `reference`."""
    return Resolve(
        **_common(clearing, act, reason), clearing_key=clearing.request_key, reference=reference
    )


def write_off(clearing: Clearing, act: Act, reason: str) -> Resolve:
    """Tells that nobody is found for a credit in suspense."""
    return Resolve(**_common(clearing, act, reason), clearing_key=clearing.request_key)


def reference_of(connection: Connection, original: Authorization) -> Reference:
    """What names `original` and no other hold of its account.

    Raises
    ------
    NotNamed
        If nothing does.
    """
    trace = trace_in(original.request_key)
    if not trace:
        raise NotNamed
    beginning, table = trace + TRACE_END, authorizations.c
    alike = connection.scalars(
        select(table.hold_id).where(
            table.sent_on == original.sent_on,
            table.account_id == original.account_id,
            table.network == original.network,
            table.request_key >= beginning,
            table.request_key < beginning + AFTER_ALL,
            table.transaction_id == original.transaction_id,
            table.hold_id != 0,
        )
    )
    if {*alike} - {original.hold_id}:
        raise NotNamed
    return reference_to(_origin_of(original), "")


def _origin_of(row: Authorization) -> Origin:
    return Origin(row.network, row.request_key, row.transaction_id, row.rrn, row.fingerprint)


def _common(row: Authorization | Clearing, act: Act, reason: str) -> Common:
    return Common(
        account_id=row.account_id,
        origin=Origin(
            network=row.network,
            request_key=act.request_key,
            transaction_id="",
            rrn=row.rrn,
            fingerprint=act.request,
            is_repeat=True,  # perhaps: the ledger looks for its answer first
        ),
        at=act.at,
        instrument_id=0,
        day=act.day,
        details={"by": "operator", "reason": reason},
    )
