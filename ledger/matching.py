"""Which authorization a later message means: a ladder, tried from the surest rung down.

The network's transaction id comes first, then the trace of the message itself, then an earlier
clearing of the same acquirer's reference number, then the approval code with the RRN or the amount
(DOMAIN 1.9 item 5, 2.5). The lowest rung, merchant and amount, only suggests: a person confirms.
Each match says which rung found it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from ledger.commands import Reference
from ledger.rows import Authorization, Clearing


class Rung(StrEnum):
    """Where on the ladder a match was found, from the surest down; explanations begin with it."""

    TRANSACTION_AND_TRACE = "matched by transaction id and trace"
    TRANSACTION = "matched by transaction id"
    TRACE = "matched by trace"
    ACQUIRER = "matched by the acquirer's reference of an earlier clearing"
    APPROVAL_AND_RRN = "matched by approval code and RRN"
    APPROVAL_AND_AMOUNT = "matched by approval code and amount"
    APPROVAL_WITHIN_TOLERANCE = "matched by approval code, amount within tolerance"


class Match(msgspec.Struct, frozen=True, gc=False):
    """What was found, and why.

    `authorization` is ``None`` where only an earlier clearing tells; the ids are 0 for none.
    `suggested_id` is an authorization that it may be, if a person says so.
    """

    explanation: str
    authorization_id: int = 0
    hold_id: int = 0
    approval_code: str = ""
    authorization: Authorization | None = None
    suggested_id: int = 0


class Candidates(msgspec.Struct, frozen=True, gc=False):
    """What a message may mean on its account and network, oldest first."""

    by_transaction: Sequence[Authorization] = ()
    by_trace: Sequence[Authorization] = ()
    by_acquirer: Sequence[Clearing] = ()
    on_days: Sequence[Authorization] = ()


NOTHING = Match("no authorization matches")


def match(reference: Reference, amount: int, candidates: Candidates) -> Match:
    """Climb down the ladder. `amount` (minor units) tells apart what has no RRN."""
    return next(_rungs(reference, amount, candidates), NOTHING)


def _rungs(reference: Reference, amount: int, candidates: Candidates) -> Iterator[Match]:
    if found := candidates.by_transaction:
        same = {each.authorization_id for each in found}
        named = [each for each in candidates.by_trace if each.authorization_id in same]
        if named:
            yield _matched(named, Rung.TRANSACTION_AND_TRACE)
        yield _matched(found, Rung.TRANSACTION)
    if candidates.by_trace:
        yield _matched(candidates.by_trace, Rung.TRACE)
    for earlier in candidates.by_acquirer:
        if earlier.authorization_id:
            yield Match(
                Rung.ACQUIRER.value,
                earlier.authorization_id,
                earlier.hold_id,
                earlier.approval_code,
            )
    if reference.approval_code:
        yield from _by_approval(reference, amount, candidates.on_days)
    if reference.merchant:
        yield from _by_merchant(reference, amount, candidates.on_days)


def _by_approval(
    reference: Reference, amount: int, on_days: Sequence[Authorization]
) -> Iterator[Match]:
    found = [each for each in on_days if each.approval_code == reference.approval_code]
    if reference.rrn:
        if same_rrn := [each for each in found if each.rrn == reference.rrn]:
            yield _matched(same_rrn, Rung.APPROVAL_AND_RRN)
        return
    if exact := [each for each in found if each.amount == amount]:
        yield _matched(exact, Rung.APPROVAL_AND_AMOUNT)
    if near := [each for each in found if abs(each.amount - amount) <= reference.tolerance]:
        yield _matched(near, Rung.APPROVAL_WITHIN_TOLERANCE)


def _by_merchant(
    reference: Reference, amount: int, on_days: Sequence[Authorization]
) -> Iterator[Match]:
    for each in on_days:
        if each.hold_id and each.amount == amount and _is_at(each, reference):
            told = f"{NOTHING.explanation}; merchant and amount suggest one"
            yield Match(told, suggested_id=each.authorization_id)


def _is_at(authorization: Authorization, reference: Reference) -> bool:
    """Whether the details of `authorization` name the merchant and, if both know it, terminal."""
    details: dict[str, str] = msgspec.json.decode(authorization.details)
    terminal = details.get("terminal", "")
    return details.get("merchant") == reference.merchant and (
        not (terminal and reference.terminal) or terminal == reference.terminal
    )


def _matched(found: Sequence[Authorization], rung: Rung) -> Match:
    """The first that made or changed a hold; increments share their original's names."""
    row = next((each for each in found if each.hold_id), found[0])
    return Match(rung.value, row.authorization_id, row.hold_id, row.approval_code, row)
