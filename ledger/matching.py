"""Which authorization a later message means: a ladder, tried from the surest rung down.

The network's transaction id comes first, then the trace of the message itself, then the approval
code with the RRN or the amount (DOMAIN 1.9 item 5, 2.5). Each match says which rung found it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ledger.commands import Reference
from ledger.rows import Authorization


class Match(msgspec.Struct, frozen=True):
    """The authorization found, and why; ``None`` if no rung found one."""

    authorization: Authorization | None
    explanation: str


class Candidates(msgspec.Struct, frozen=True, gc=False):
    """What shares a name with the message, oldest first, on its account and network."""

    by_transaction: Sequence[Authorization] = ()
    by_trace: Sequence[Authorization] = ()
    by_approval: Sequence[Authorization] = ()


NOTHING = Match(None, "no authorization matches")


def match(reference: Reference, amount: int, candidates: Candidates) -> Match:
    """Climb down the ladder. `amount` (minor units) tells apart what has no RRN."""
    found = candidates.by_transaction
    if found:
        named = [each for each in found if reference.trace and each.trace == reference.trace]
        if named:
            return Match(_best(named), "matched by transaction id and trace")
        return Match(_best(found), "matched by transaction id")
    if candidates.by_trace:
        return Match(_best(candidates.by_trace), "matched by trace")
    same_rrn = [each for each in candidates.by_approval if _same_rrn(each, reference)]
    if same_rrn:
        return Match(_best(same_rrn), "matched by approval code and RRN")
    same_amount = [each for each in candidates.by_approval if each.amount == amount]
    if same_amount and not reference.rrn:
        return Match(_best(same_amount), "matched by approval code and amount")
    return NOTHING


def _same_rrn(authorization: Authorization, reference: Reference) -> bool:
    return bool(reference.rrn) and authorization.rrn == reference.rrn


def _best(found: Sequence[Authorization]) -> Authorization:
    """The first that made or changed a hold; increments share their original's names."""
    return next((each for each in found if each.hold_id), found[0])
