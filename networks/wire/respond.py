"""Answers from requests (DOMAIN 1.6).

An answer echoes what identifies its request (`ECHOED`). An authorization approved in full, with
its approval code, also echoes what its clearing will need (`ECHOED_IN_APPROVAL`: DE 19, 25, 62.1,
63.1) and names its source (DE 44.1). QPX-1 has none of the latter: its attribute tables leave them
out when an answer is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from networks.wire.generated import make_function
from networks.wire.messages import (
    NO_ELEMENTS,
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

ECHOED = (
    "transmission",
    "stan",
    "rrn",
    "pan",
    "processing_code",
    "currency",
    "acquirer",
    "terminal",
    "merchant",
    "transaction_id",
)
ECHOED_IN_APPROVAL = ("acquirer_country", "condition", "characteristics", "network_id")

_RESPONSE_CLASS: Mapping[type[CardRequest], type[CardResponse]] = MappingProxyType(
    {
        AuthorizationRequest: AuthorizationResponse,
        Advice: AdviceResponse,
        Reversal: ReversalResponse,
        Financial: FinancialResponse,
    }
)
_Builder: TypeAlias = Callable[..., CardResponse]


def respond(  # noqa: PLR0913 - named, not positional
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
    is_approval = approval_code != "" and response_code == APPROVED
    return _BUILDERS[type(request), is_approval](
        request,
        response_code,
        approval_code,
        request.amount if amount is None else amount,
        billing_amount,
        "" if billing_amount is None else request.billing_currency,
        additional_amounts,
    )


def _make_builder(request_class: type[CardRequest], *, is_approval: bool) -> _Builder:
    """A function that fills in the answer by position, which is what makes it fast."""
    response_class = _RESPONSE_CLASS[request_class]
    echoed = [*ECHOED, *(ECHOED_IN_APPROVAL if is_approval else ())]
    if request_class is Reversal:
        echoed.append("original")
    given = (
        "response_code",
        "approval_code",
        "amount",
        "billing_amount",
        "billing_currency",
        "additional_amounts",
    )
    values = {name: f"request.{name}" for name in echoed} | {name: name for name in given}
    values |= {"mti": "response_mti(request.mti)", "elements": "NO_ELEMENTS"}
    if is_approval:
        values["response_source"] = repr(ISSUER)
    fields = msgspec.structs.fields(response_class)
    arguments = ", ".join(values.get(field.name, repr(field.default)) for field in fields)
    scope = {
        "response_class": response_class,
        "response_mti": response_mti,
        "NO_ELEMENTS": NO_ELEMENTS,
    }
    body = [f"return response_class({arguments})"]
    builder: _Builder = make_function("build", ", ".join(("request", *given)), body, scope)
    return builder


_BUILDERS = {
    (request_class, is_approval): _make_builder(request_class, is_approval=is_approval)
    for request_class in _RESPONSE_CLASS
    for is_approval in (False, True)
}


# What the answer to a message about no card echoes.
_ECHOED_WITHOUT_CARD: Mapping[type[Message], tuple[str, ...]] = MappingProxyType(
    {
        NetworkManagement: ("management_code", "network_id"),
        Administrative: ("network_id",),
        FileUpdate: ("pan", "update_code", "file_name"),
    }
)


def acknowledge(request: Message, response_code: str = APPROVED) -> Message:
    """The answer to any `request`, with nothing but its echoes and `response_code`."""
    if isinstance(request, CardRequest):
        return respond(request, response_code=response_code)
    if type(request) not in _ECHOED_WITHOUT_CARD:
        raise TypeError(f"{type(request).__name__} is no request")
    echoed = ("transmission", "stan", "rrn", *_ECHOED_WITHOUT_CARD[type(request)])
    values = {name: getattr(request, name) for name in echoed}
    answer: Callable[..., Message] = type(request)
    return answer(mti=response_mti(request.mti), response_code=response_code, **values)
