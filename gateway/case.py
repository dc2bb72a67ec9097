"""What is known about one request besides the message itself; every handler is given one."""

from __future__ import annotations

import msgspec

from gateway.approval_codes import ApprovalCodes
from gateway.business_day import BusinessDay
from gateway.cards import Card
from gateway.policy import Policy


class Case(msgspec.Struct, frozen=True, gc=False):
    """Who asks about which card, and when.

    `at` is when the request came, microseconds since the epoch; `day` its business day.
    """

    network: str
    policy: Policy
    codes: ApprovalCodes
    card: Card
    day: BusinessDay
    at: int
