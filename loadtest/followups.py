"""Messages about an earlier one: its repeat, its reversal, its clearing (DOMAIN 1.9, 3.3)."""

from __future__ import annotations

from typing import Any

import msgspec

from loadtest.numbering import Particulars
from networks.wire.dialect import Dialect
from networks.wire.dialects import VISANET
from networks.wire.messages import CardRequest, CardResponse, Financial, OriginalData, Reversal

_CARRIED = (
    "pan",
    "expiry",
    "processing_code",
    "currency",
    "local_time",
    "local_date",
    "merchant_category",
    "acquirer_country",
    "entry_mode",
    "condition",
    "acquirer",
    "forwarder",
    "terminal",
    "merchant",
    "merchant_name",
    "network_id",
    "transaction_id",
    "quicpay_id",
    "quicpay_mode",
    "payment_plan",
    "slip",
    "terminal_identity",
    "terminal_kind",
)
_NAMES = ("stan", "rrn", "transmission")
_TIMED_OUT = "2502"  # DE 63.3


def repeat_of(request: CardRequest) -> CardRequest:
    """The same message, marked as sent before: 0100 becomes 0101."""
    return msgspec.structs.replace(request, mti=request.mti[:3] + "1")


def reversal_of(dialect: Dialect, request: CardRequest, given: Particulars) -> Reversal:
    """0420: the network takes everything back.

    On the VisaNet-like network it has the names of its original; on QPX-1 its own, `given`.
    """
    named = request if dialect is VISANET else given
    return Reversal(
        mti="0420",
        amount=request.amount,
        billing_amount=request.billing_amount,
        billing_currency=request.billing_currency,
        message_reason=_TIMED_OUT,
        original=_original_of(request),
        **{name: getattr(named, name) for name in _NAMES},
        **_carried(request),
    )


def clearing_of(
    dialect: Dialect, request: CardRequest, answer: CardResponse, given: Particulars
) -> Financial:
    """0220 for what was approved.

    On QPX-1 it has the RRN of its original and names it by DE 90; on the VisaNet-like network the
    transaction identifier does.
    """
    is_visanet = dialect is VISANET
    return Financial(
        mti="0220",
        amount=answer.amount,
        billing_amount=request.billing_amount,
        billing_currency=request.billing_currency,
        approval_code=answer.approval_code,
        original=None if is_visanet else _original_of(request),
        stan=given.stan,
        rrn=given.rrn if is_visanet else request.rrn,
        transmission=given.transmission,
        elements={key: request.elements[key] for key in ("10", "16") if key in request.elements},
        **_carried(request),
    )


def _carried(request: CardRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in _CARRIED}


def _original_of(request: CardRequest) -> OriginalData:
    """How DE 90 names `request`."""
    return OriginalData(
        mti=request.mti[:3] + "0",
        stan=request.stan,
        transmission=request.transmission,
        acquirer=request.acquirer.zfill(11),
        forwarder=request.forwarder.zfill(11),
    )
