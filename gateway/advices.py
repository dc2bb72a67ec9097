"""Advices (0120): somebody else has decided, or tells the actual amount; it is applied as it is.

The network stood in while this issuer was away or late (DE 63.4, DE 44.1 = 2), the QUICPay centre
or terminal approved offline (DE 48.03), or a fuel pump tells what was really taken.
"""

from __future__ import annotations

from gateway.amounts import billed
from gateway.cards import has_limits
from gateway.case import Case
from gateway.common import common
from gateway.expiry import expires_at, is_travel
from gateway.points import points_for
from gateway.references import trace_of
from gateway.stand_in import stand_in_reason
from gateway.transactions import purpose_of
from ledger.commands import Advise, Purpose, Reference
from networks.wire.messages import Advice

_APPROVED = frozenset({"", "00", "08", "10", "11", "85"})  # a completion needs no DE 39


def advise(request: Advice, case: Case) -> Advise:
    """The command for `request`; an unknown processing code is taken as a purchase.

    Its approval code is the network's own, of no authorization of ours.
    """
    purpose = purpose_of(request, case.network) or Purpose.PURCHASE
    amount = billed(request)
    return Advise(
        **common(request, case),
        purpose=purpose,
        amount=amount,
        approved=request.response_code in _APPROVED,
        reference=Reference(
            transaction_id=request.transaction_id, trace=trace_of(request), rrn=request.rrn
        ),
        approval_code=request.approval_code or case.codes.next(),
        expires_at=expires_at(request, case.at, estimated=is_travel(request)),
        completes=stand_in_reason(request) is None,
        counted=has_limits(case.card.controls),
        points=points_for(amount, purpose, case.policy),
    )
