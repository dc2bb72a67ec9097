"""Reversals (0400, 0420): a hold is released, wholly or down to what was really used.

Also the gateway's own: an approval that was decided after its request had been answered 91.
"""

from __future__ import annotations

import msgspec

from gateway.amounts import billed, replacement
from gateway.authorize import details_of
from gateway.case import Case
from gateway.clearing import posting_key
from gateway.references import origin_of, reference_to_original
from ledger.commands import Authorize, Clear, Decision, Reference, Reverse
from ledger.money import Money
from networks.wire.messages import Reversal

_SINGLE_MESSAGE = "02"


def reverse(request: Reversal, case: Case) -> Reverse:
    """The command for `request`."""
    return Reverse(
        account_id=case.card.account_id,
        origin=origin_of(request, case.network, case.card.card_id),
        at=case.at,
        instrument_id=case.card.card_id,
        day=case.day.number,
        details=details_of(request),
        reference=reference_to_original(request, request.original),
        amount=billed(request),
        replacement=replacement(request),
    )


def names_single_message(request: Reversal) -> bool:
    """Whether the original was held and posted at once (DE 90: 0200)."""
    return request.original is not None and request.original.mti.startswith(_SINGLE_MESSAGE)


def give_back(reversed_: Reverse, decision: Decision) -> Clear | None:
    """Takes back what a single message has posted, which releasing its hold cannot undo.

    Its key is the original's, with what stays of it: a reversal and its advice, or a repeat, pay
    once.
    """
    if not decision.authorization_id or decision.amount:
        return None  # there was none, or it was held and not yet posted
    stays = reversed_.replacement or Money(0, reversed_.amount.currency)
    name = f"{decision.authorization_id}:{stays.amount}"
    return Clear(
        account_id=reversed_.account_id,
        origin=msgspec.structs.replace(
            reversed_.origin,
            request_key=f"back:{name}",
            trace=f"back:{reversed_.origin.trace}",
            fingerprint="back",
        ),
        at=reversed_.at,
        instrument_id=reversed_.instrument_id,
        day=reversed_.day,
        details=reversed_.details,
        reference=reversed_.reference,
        amount=stays,
        undoes=posting_key(decision.authorization_id),
    )


def is_of_single_message(taken_back: Reverse) -> bool:
    """Whether the gateway's own reversal is of a request that holds and posts at once."""
    return taken_back.details["mti"].startswith(_SINGLE_MESSAGE)


def take_back(late: Authorize) -> Reverse:
    """The reversal of an approval that its network never heard of: nobody else will send one."""
    origin = late.origin
    return Reverse(
        account_id=late.account_id,
        origin=msgspec.structs.replace(
            origin,
            request_key=f"late:{origin.request_key}",
            trace=f"late:{origin.trace}",
        ),
        at=late.at,
        instrument_id=late.instrument_id,
        day=late.day,
        details={**late.details, "reason": "decided after the deadline"},
        reference=Reference(
            transaction_id=origin.transaction_id,
            trace=origin.trace,
            rrn=origin.rrn,
            approval_code=late.approval_code,
        ),
        amount=late.amount,
    )
