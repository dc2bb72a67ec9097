"""What every message about an earlier one carries over from it, whatever the network."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from networks.wire.messages import CardRequest, OriginalData

Request = TypeVar("Request", bound=CardRequest)

_CARRIED = (
    "pan",
    "processing_code",
    "currency",
    "local_time",
    "local_date",
    "acquirer_country",
    "condition",
    "acquirer",
    "forwarder",
    "terminal",
    "merchant",
    "network_id",
    "transaction_id",
    "terminal_identity",
    "expiry",
    "merchant_category",
    "entry_mode",
    "merchant_name",
    "quicpay_id",
    "quicpay_mode",
    "payment_plan",
    "terminal_kind",
)
_REPEATED = str.maketrans("02", "13")


def carried(request: CardRequest) -> dict[str, Any]:
    """The attributes that later messages about `request` have in common with it."""
    return {name: getattr(request, name) for name in _CARRIED}


def named(request: CardRequest) -> dict[str, Any]:
    """The attributes by which a message takes the names of `request` for its own."""
    return {
        "stan": request.stan,
        "rrn": request.rrn,
        "transmission": request.transmission,
    }


def original_of(request: CardRequest) -> OriginalData:
    """How DE 90 names `request`."""
    return OriginalData(
        mti=request.mti[:3] + "0",
        stan=request.stan,
        transmission=request.transmission,
        acquirer=request.acquirer.zfill(11),
        forwarder=request.forwarder.zfill(11),
    )


def repeat_of(message: Request) -> Request:
    """The same message, marked as sent before: 0100 becomes 0101."""
    return msgspec.structs.replace(
        message, mti=message.mti[:3] + message.mti[3].translate(_REPEATED)
    )
