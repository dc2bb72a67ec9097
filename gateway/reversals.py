"""Reversals (0400, 0420): a hold is released, wholly or down to what was really used.

Also the gateway's own: an approval that was decided after its request had been answered 91.
"""

from __future__ import annotations

import msgspec

from gateway.amounts import billed, replacement
from gateway.authorize import details_of
from gateway.case import Case
from gateway.references import origin_of, reference_to_original
from ledger.commands import Authorize, Clear, Decision, Reference, Reverse
from ledger.reversing import CLEARED_ALREADY
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
    """The credit for what a single message has posted, which releasing its hold cannot undo.

    Its key is the original's, so that a reversal and its advice, or a repeat, pay once.
    """
    if decision.explanation != CLEARED_ALREADY:
        return None
    amount = reversed_.amount
    if reversed_.replacement is not None:
        amount -= reversed_.replacement
    return Clear(
        account_id=reversed_.account_id,
        origin=msgspec.structs.replace(
            reversed_.origin,
            request_key=f"back:{decision.authorization_id}",
            trace=f"back:{reversed_.origin.trace}",
            fingerprint="back",
        ),
        at=reversed_.at,
        instrument_id=reversed_.instrument_id,
        day=reversed_.day,
        details=reversed_.details,
        reference=reversed_.reference,
        amount=amount,
        credit=True,
    )


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
