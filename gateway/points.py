"""What a cardholder gets for paying: expected when it is authorized, final when it is cleared."""

from __future__ import annotations

from gateway.policy import Policy
from ledger.commands import Purpose
from ledger.money import Money

_PURCHASE = Purpose.PURCHASE  # looked up once


def points_for(amount: Money, purpose: Purpose, policy: Policy) -> int:
    """For a purchase so many per 1,000 minor units, rounded down; for anything else none."""
    if purpose is not _PURCHASE:
        return 0
    return amount.amount * policy.points_per_mille // 1000
