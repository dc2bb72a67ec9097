"""Later messages of the VisaNet-like network about an authorization (DOMAIN 1.9).

A reversal and a stand-in advice have their original's STAN, DE 7 and RRN; increments, completions
and clearing have names of their own and are tied to it by the transaction identifier (DE 62.2).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from networks.followups import carried, named, original_of
from networks.numbering import Names
from networks.wire.messages import (
    Advice,
    AuthorizationRequest,
    CardRequest,
    Financial,
    Reversal,
)

_INCREMENT = "3900"
_ISSUER_TIMEOUT = "9020"


class ReversalReason(StrEnum):
    """DE 63.3 of a reversal."""

    CANCELLED = "2501"
    TIMED_OUT = "2502"
    PARTIAL = "2504"


def _billing(request: CardRequest) -> dict[str, Any]:
    return {
        "billing_amount": request.billing_amount,
        "billing_currency": request.billing_currency,
    }


def _own(names: Names) -> dict[str, Any]:
    return {"stan": names.stan, "rrn": names.rrn, "transmission": names.stamp.transmission}


def time_out(request: CardRequest, _names: Names) -> Reversal:
    """0420: the network saw no answer and takes everything back."""
    return Reversal(
        mti="0420",
        amount=request.amount,
        message_reason=ReversalReason.TIMED_OUT,
        original=original_of(request),
        **named(request),
        **_billing(request),
        **carried(request),
    )


def cancel(
    request: CardRequest, _names: Names, approval_code: str, replacement: int | None = None
) -> Reversal:
    """0400: the merchant takes it back, all but `replacement` where less was delivered."""
    reason = ReversalReason.CANCELLED if replacement is None else ReversalReason.PARTIAL
    return Reversal(
        mti="0400",
        amount=request.amount,
        approval_code=approval_code,
        message_reason=reason,
        replacement_amount=replacement,
        original=original_of(request),
        **named(request),
        **_billing(request),
        **carried(request),
    )


def stand_in(request: CardRequest, _names: Names) -> Advice:
    """0120 with 63.4 = 9020: no answer in time, so the network approved by itself."""
    return Advice(
        mti="0120",
        amount=request.amount,
        approval_code=f"SI{request.stan[-4:]}",
        response_code="00",
        response_source="2",
        stand_in_reason=_ISSUER_TIMEOUT,
        **named(request),
        **_billing(request),
        **carried(request),
    )


def increment(request: CardRequest, names: Names, amount: int) -> AuthorizationRequest:
    """0100 with 63.3 = 3900: `amount` on top of what is held already."""
    return AuthorizationRequest(
        mti="0100",
        amount=amount,
        characteristics="I",
        message_reason=_INCREMENT,
        **_own(names),
        **carried(request),
    )


def complete(request: CardRequest, names: Names, amount: int, approval_code: str) -> Advice:
    """0120 without 63.4: the pump stopped at `amount`; RRN and identifier are the request's."""
    return Advice(
        mti="0120",
        amount=amount,
        approval_code=approval_code,
        response_code="00",
        **_own(names) | {"rrn": request.rrn},
        **carried(request),
    )


def clear(
    request: CardRequest, names: Names, amount: int, approval_code: str, part: tuple[int, int]
) -> Financial:
    """0220 for `amount` in the billing currency; `part` is sequence and count, (0, 0) if whole."""
    sequence, count = part
    return Financial(
        mti="0220",
        approval_code=approval_code,
        clearing_sequence=f"{sequence:02d}" if count else "",
        clearing_count=f"{count:02d}" if count else "",
        elements=_conversion(request),
        **_own(names),
        **_cleared_amounts(request, amount),
        **carried(request),
    )


def _conversion(request: CardRequest) -> dict[str, str]:
    return {field: request.elements[field] for field in ("10", "16") if field in request.elements}


def _cleared_amounts(request: CardRequest, amount: int) -> dict[str, Any]:
    """DE 4, and DE 6 where it was billed in another currency: both in proportion."""
    if request.billing_amount is None:
        return {"amount": amount}
    share = (request.amount or 0) * amount // max(request.billing_amount, 1)
    return {
        "amount": max(share, 1),
        "billing_amount": amount,
        "billing_currency": request.billing_currency,
    }
