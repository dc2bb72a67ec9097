"""Canonical requests as a network would send them, varied by keyword."""

from __future__ import annotations

import msgspec

from gateway.approval_codes import ApprovalCodes
from gateway.business_day import BusinessCalendar
from gateway.cards import Card, CardControls, CardKind, CardState
from gateway.case import Case
from gateway.policy import Policy
from networks.wire.messages import (
    Advice,
    AuthorizationRequest,
    Financial,
    OriginalData,
    Reversal,
)
from networks.wire.pan import TEST_EXPIRY, synthetic_pan

AT = 1_795_312_245_000_000  # 2026-11-22 01:50:45 UTC, 10:50:45 in Japan
POLICY = Policy()
TRANSACTION_ID = "386326054321098"
