"""What every command takes from its message and case, and a later command from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import msgspec

from gateway.case import Case
from gateway.references import origin_of
from ledger.commands import Command, Origin, Reference
from networks.wire.messages import CardRequest


class Common(TypedDict):
    """The fields of `ledger.commands.Command`."""

    account_id: int
    origin: Origin
    at: int
    instrument_id: int
    day: int
    details: Mapping[str, str]


def common(request: CardRequest, case: Case) -> Common:
    """Of a command that `request` asks for."""
    card = case.card
    return Common(
        account_id=card.account_id,
        origin=origin_of(request, case.network, card.card_id),
        at=case.at,
        instrument_id=card.card_id,
        day=case.day.number,
        details=details_of(request),
    )


def common_after(earlier: Command, request_key: str) -> Common:
    """Of a command of the gateway's own that follows `earlier`; no later message names it."""
    origin = msgspec.structs.replace(earlier.origin, request_key=request_key)
    return Common(
        account_id=earlier.account_id,
        origin=origin,
        at=earlier.at,
        instrument_id=earlier.instrument_id,
        day=earlier.day,
        details=earlier.details,
    )


def reference_to(origin: Origin, approval_code: str) -> Reference:
    """How a command of the gateway's own names the one that came from `origin`."""
    return Reference(
        transaction_id=origin.transaction_id,
        trace=origin.trace,
        rrn=origin.rrn,
        approval_code=approval_code,
    )


def details_of(request: CardRequest) -> Mapping[str, str]:
    """What history shows of a message: no PAN, track, PIN block or CVV2."""
    details = {
        "mti": request.mti,
        "processing_code": request.processing_code,
        "merchant_category": request.merchant_category,
        "merchant": request.merchant,
        "merchant_name": request.merchant_name,
        "terminal": request.terminal,
        "entry_mode": request.entry_mode,
    }
    if request.billing_amount is not None:
        details["merchant_amount"] = f"{request.amount}"
        details["merchant_currency"] = request.currency
    if request.slip:
        details["slip"] = request.slip
        details["terminal_identity"] = request.terminal_identity
    return details
