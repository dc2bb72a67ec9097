"""Answers from requests (DOMAIN 1.6).

An answer echoes what identifies its request: DE 2, 3, 4, 7, 11, 32, 37, 41, 42, 49, of DE 62 the
transaction identifier, and DE 90. An authorization approved in full, with its approval code, also
echoes what its clearing will need: DE 19, 25, 62.1, 63.1, and names its source (44.1).
QPX-1 has none of the latter; its answers leave them out when they are written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from networks.wire.messages import (
    AdditionalAmount,
    Administrative,
    Advice,
    AdviceResponse,
    AuthorizationRequest,
    AuthorizationResponse,
    CardRequest,
    CardResponse,
    FileUpdate,
    Financial,
    FinancialResponse,
    Message,
    NetworkManagement,
    Reversal,
    ReversalResponse,
    response_mti,
)

APPROVED = "00"
ISSUER = "5"  # DE 44.1

_RESPONSE_CLASS: Mapping[type[CardRequest], type[CardResponse]] = MappingProxyType(
    {
        AuthorizationRequest: AuthorizationResponse,
        Advice: AdviceResponse,
        Reversal: ReversalResponse,
        Financial: FinancialResponse,
    }
)


def respond(
    request: CardRequest,
    *,
    response_code: str,
    approval_code: str = "",
    amount: int | None = None,
    billing_amount: int | None = None,
    additional_amounts: tuple[AdditionalAmount, ...] = (),
) -> CardResponse:
    """The answer to `request`.

    Parameters
    ----------
    approval_code
        Six characters, of an approval only.
    amount, billing_amount
        What was approved, where it is not what was asked for; `billing_amount` is answered only
        if given.
    additional_amounts
        Balances, or the original amount of a partial approval.
    """
    response = _RESPONSE_CLASS[type(request)](
        mti=response_mti(request.mti),
        transmission=request.transmission,
        stan=request.stan,
        rrn=request.rrn,
        pan=request.pan,
        processing_code=request.processing_code,
        amount=request.amount if amount is None else amount,
        currency=request.currency,
        billing_amount=billing_amount,
        billing_currency="" if billing_amount is None else request.billing_currency,
        acquirer=request.acquirer,
        terminal=request.terminal,
        merchant=request.merchant,
        approval_code=approval_code,
        response_code=response_code,
        transaction_id=request.transaction_id,
        additional_amounts=additional_amounts,
    )
    if isinstance(request, Reversal) and isinstance(response, ReversalResponse):
        return msgspec.structs.replace(response, original=request.original)
    if response_code == APPROVED and approval_code:
        return msgspec.structs.replace(
            response,
            acquirer_country=request.acquirer_country,
            condition=request.condition,
            characteristics=request.characteristics,
            network_id=request.network_id,
            response_source=ISSUER,
        )
    return response


def acknowledge(request: Message, response_code: str = APPROVED) -> Message:
    """The answer to any `request`, with nothing but its echoes and `response_code`."""
    match request:
        case CardRequest():
            return respond(request, response_code=response_code)
        case NetworkManagement():
            return NetworkManagement(
                mti=response_mti(request.mti),
                transmission=request.transmission,
                stan=request.stan,
                rrn=request.rrn,
                management_code=request.management_code,
                response_code=response_code,
                network_id=request.network_id,
            )
        case Administrative():
            return Administrative(
                mti=response_mti(request.mti),
                transmission=request.transmission,
                stan=request.stan,
                rrn=request.rrn,
                response_code=response_code,
                network_id=request.network_id,
            )
        case FileUpdate():
            return FileUpdate(
                mti=response_mti(request.mti),
                transmission=request.transmission,
                stan=request.stan,
                rrn=request.rrn,
                pan=request.pan,
                update_code=request.update_code,
                file_name=request.file_name,
                response_code=response_code,
            )
        case _:
            raise TypeError(f"{type(request).__name__} is no request")
