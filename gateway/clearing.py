"""Clearing on line: what has moved is posted (0220), or held and posted at once (0200)."""

from __future__ import annotations

from gateway.amounts import billed
from gateway.case import Case
from gateway.common import common, common_after, reference_to
from gateway.points import points_for
from gateway.references import reference_of_sale
from gateway.transactions import purpose_of
from ledger.commands import Authorize, Clear, Decision, Purpose
from ledger.money import Money
from networks.wire.messages import Financial

_MOVES_MONEY = frozenset({Purpose.PURCHASE, Purpose.CASH, Purpose.CREDIT})


def clear(request: Financial, case: Case) -> Clear:
    """The command for a clearing advice; it is posted whatever the wallet holds."""
    purpose = purpose_of(request, case.network) or Purpose.PURCHASE
    amount = billed(request)
    return Clear(
        **common(request, case),
        reference=reference_of_sale(request, case.at),
        amount=amount,
        credit=purpose is Purpose.CREDIT,
        sequence=_number(request.clearing_sequence),
        count=_number(request.clearing_count),
        fee=case.policy.cash_fee if purpose is Purpose.CASH else 0,
        points=points_for(amount, purpose, case.policy),
    )


def clear_at_once(held: Authorize, decision: Decision, case: Case) -> Clear | None:
    """The posting that follows the hold of a single-message request; ``None`` without one.

    Two commands and not one: should the process die between them, the network repeats its
    request, the hold is found again, and the posting follows.
    """
    if not decision.outcome.approved or held.purpose not in _MOVES_MONEY:
        return None
    amount = Money(decision.amount, decision.currency)
    return Clear(
        **common_after(held, posting_key(decision.authorization_id)),
        reference=reference_to(held.origin, decision.approval_code),
        amount=amount,
        credit=held.purpose is Purpose.CREDIT,
        fee=case.policy.cash_fee if held.purpose is Purpose.CASH else 0,
        points=points_for(amount, held.purpose, case.policy),
        unless_reversed=True,
    )


def posting_key(authorization_id: int) -> str:
    """The request key of the posting that follows a single message's hold."""
    return f"post:{authorization_id}"


def _number(digits: str) -> int:
    return int(digits) if digits.isdecimal() else 0
