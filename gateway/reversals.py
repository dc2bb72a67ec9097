"""Reversals (0400, 0420): a hold is released, wholly or down to what was really used.

Also the gateway's own: an approval that was decided after its request had been answered 91.
"""

from __future__ import annotations

import msgspec

from gateway.amounts import billed, replacement
from gateway.authorize import details_of
from gateway.case import Case
from gateway.references import origin_of, reference_to_original
from ledger.commands import Authorize, Reference, Reverse
from networks.wire.messages import Reversal


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
