# ruff: noqa: ANN401 - fields of a message or card are given by name
"""Requests as the networks send them, cards, and the case around both; varied by keyword."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.approval_codes import ApprovalCodes
from gateway.business_day import BusinessCalendar
from gateway.cards import Card
from gateway.case import Case
from gateway.policy import Policy
from networks.wire.masking import mask_pan
from networks.wire.messages import (
    Advice,
    AuthorizationRequest,
    CardRequest,
    Financial,
    OriginalData,
    Reversal,
)
from networks.wire.pan import TEST_EXPIRY, synthetic_pan

AT = 1_795_312_245_000_000  # 2026-11-22 01:50:45 UTC, 10:50:45 in Japan
POLICY = Policy(cash_fee=110)
TRANSACTION_ID = "386326054321098"
CARD = Card(
    card_id=7,
    account_id=70,
    index=b"i" * 32,
    masked_pan=mask_pan(synthetic_pan(7)),
    expiry=TEST_EXPIRY,
)
ORIGINAL = OriginalData("0100", "000101", "1122013045", "400552")

_COMMON = {
    "pan": synthetic_pan(7),
    "processing_code": "000000",
    "amount": 1250,
    "currency": "392",
    "transmission": "1122013045",
    "stan": "000101",
    "rrn": "632601000101",
    "local_time": "103045",
    "local_date": "1122",
    "expiry": TEST_EXPIRY,
    "merchant_category": "5411",
    "entry_mode": "0710",
    "condition": "00",
    "terminal": "T0000001",
    "merchant": "MERCHANT0000001",
    "merchant_name": "KONBINI SHIBUYA 1        TOKYO        JP",
}
_OF_NETWORK = {
    "visanet": {
        "acquirer": "400552",
        "acquirer_country": "392",
        "transaction_id": TRANSACTION_ID,
        "characteristics": "E",
    },
    "quicpay": {
        "acquirer": "9001",
        "forwarder": "9100",
        "entry_mode": "071",
        "quicpay_id": "99001234567890123",
        "quicpay_mode": "2",
        "authorization_path": "0",
        "payment_plan": "10",
        "slip": "00321",
        "terminal_identity": "1310012345678",
    },
}


def purchase(network: str = "visanet", **changes: Any) -> AuthorizationRequest:
    """An 0100."""
    return AuthorizationRequest(**{"mti": "0100", **_COMMON, **_OF_NETWORK[network], **changes})


def advice(network: str = "visanet", **changes: Any) -> Advice:
    """An 0120, approved in stand-in because the issuer was late."""
    own = {"mti": "0120", "response_code": "00", "approval_code": "STIP01"}
    why = {"stand_in_reason": "9020", "response_source": "2"} if network == "visanet" else {}
    return Advice(**{**own, **_COMMON, **_OF_NETWORK[network], **why, **changes})


def reversal(network: str = "visanet", **changes: Any) -> Reversal:
    """An 0400 of `purchase()`."""
    own = {"mti": "0400", "stan": "000102", "original": ORIGINAL, "approval_code": "A1B2C3"}
    return Reversal(**{**_COMMON, **_OF_NETWORK[network], **own, **changes})


def financial(network: str = "visanet", **changes: Any) -> Financial:
    """An 0200, or an 0220 by `mti`."""
    return Financial(**{"mti": "0200", **_COMMON, **_OF_NETWORK[network], **changes})


def card(**changes: Any) -> Card:
    """`CARD`, changed."""
    return msgspec.structs.replace(CARD, **changes)


def case(card: Card = CARD, network: str = "visanet", policy: Policy = POLICY) -> Case:
    """A request about `card` that came at `AT`."""
    day = BusinessCalendar(policy.business_day_offset_minutes).day(AT)
    return Case(network, policy, ApprovalCodes(0), card, day, AT)


def changed(request: CardRequest, **changes: Any) -> CardRequest:
    """`request` with other values."""
    return msgspec.structs.replace(request, **changes)
