"""Outcome to DE 39: one table, and what differs by network (DOMAIN 1.8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.transactions import VISANET
from ledger.commands import Purpose
from ledger.outcomes import Outcome

APPROVED = "00"
FORMAT_ERROR = "30"
ISSUER_UNAVAILABLE = "91"

RESPONSE_CODES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.CONFLICT: "12",
        Outcome.ACCOUNT_UNKNOWN: "14",
        Outcome.INSTRUMENT_UNKNOWN: "14",
        Outcome.INSTRUMENT_RESTRICTED: "62",
        Outcome.INSTRUMENT_LOST: "41",
        Outcome.INSTRUMENT_STOLEN: "43",
        Outcome.ACCOUNT_CLOSED: "78",
        Outcome.INSTRUMENT_EXPIRED: "54",
        Outcome.AMOUNT_LIMIT: "61",
        Outcome.COUNT_LIMIT: "65",
        Outcome.NOT_PERMITTED: "57",
        Outcome.CURRENCY_UNSUPPORTED: "12",
        Outcome.REVERSED_BEFORE: "05",
        Outcome.ORIGINAL_UNKNOWN: "25",
        Outcome.WITHDRAWN: ISSUER_UNAVAILABLE,
        Outcome.INSUFFICIENT_FUNDS: "51",
        Outcome.FORMAT_INVALID: FORMAT_ERROR,
        Outcome.TRANSACTION_INVALID: "12",
        Outcome.AMOUNT_INVALID: "13",
        Outcome.APPROVED_PARTIALLY: "10",
        Outcome.APPROVED: APPROVED,
    }
)

# What a network says otherwise, by outcome and purpose.
DIFFERENT: Mapping[tuple[str, Outcome, Purpose], str] = MappingProxyType(
    {(VISANET, Outcome.APPROVED, Purpose.VERIFICATION): "85"}  # no reason to decline
)


def response_code(network: str, outcome: Outcome, purpose: Purpose) -> str:
    """The DE 39 that tells `outcome` to `network`."""
    return DIFFERENT.get((network, outcome, purpose)) or RESPONSE_CODES[outcome]
