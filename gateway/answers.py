"""From a decision back to a message: DE 38, 39, 4, 6 and 54 of the answer.

An answer depends on the request and the stored decision alone, so that a repeat is answered with
the same bytes.
"""

from __future__ import annotations

from gateway.amounts import merchant_amount
from gateway.response_codes import APPROVED, RESPONSE_CODES, response_code
from ledger.commands import Authorize, Decision, Purpose
from ledger.outcomes import Outcome
from networks.wire.messages import (
    AdditionalAmount,
    CardRequest,
    CardResponse,
)
from networks.wire.respond import respond

_PARTIALLY, _INQUIRY = Outcome.APPROVED_PARTIALLY, Purpose.INQUIRY  # members looked up once
_LARGEST = 10**12 - 1  # DE 54 has twelve digits
_UNSPECIFIED = "00"  # DE 54 account type
_LEDGER_BALANCE, _AVAILABLE, _ORIGINAL_AMOUNT = "01", "02", "57"  # DE 54 amount types


def answer_authorization(
    request: CardRequest, command: Authorize, decision: Decision
) -> CardResponse:
    """0110 or 0210."""
    outcome = decision.outcome
    code = response_code(command.origin.network, outcome, command.purpose)
    if not outcome.approved:
        return respond(request, response_code=code)
    if outcome is _PARTIALLY:
        return _approved_partially(request, code, decision)
    amounts: tuple[AdditionalAmount, ...] = ()
    if command.purpose is _INQUIRY:
        amounts = _balances(request, decision)
    return respond(
        request,
        response_code=code,
        approval_code=decision.approval_code,
        additional_amounts=amounts,
    )


def answer_reversal(request: CardRequest, decision: Decision) -> CardResponse:
    """0410 or 0430: acknowledged whatever was found, or the network would send it for ever."""
    unknown = decision.outcome is Outcome.ACCOUNT_UNKNOWN
    return respond(request, response_code=RESPONSE_CODES[decision.outcome] if unknown else APPROVED)


def answer_advice(request: CardRequest, decision: Decision) -> CardResponse:
    """0130 or 0230: applied, or why it cannot be."""
    return respond(request, response_code=RESPONSE_CODES[decision.outcome])


def _approved_partially(request: CardRequest, code: str, decision: Decision) -> CardResponse:
    original = AdditionalAmount(
        _UNSPECIFIED, _ORIGINAL_AMOUNT, request.currency, request.amount or 0
    )
    return respond(
        request,
        response_code=code,
        approval_code=decision.approval_code,
        amount=merchant_amount(request, decision.amount),
        billing_amount=None if request.billing_amount is None else decision.amount,
        additional_amounts=(original,),
    )


def _balances(request: CardRequest, decision: Decision) -> tuple[AdditionalAmount, ...]:
    """Those that twelve digits can say."""
    currency = request.billing_currency or request.currency
    balances = ((_AVAILABLE, decision.available), (_LEDGER_BALANCE, decision.posted))
    return tuple(
        AdditionalAmount(_UNSPECIFIED, kind, currency, amount)
        for kind, amount in balances
        if abs(amount) <= _LARGEST
    )
