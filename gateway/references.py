"""How messages name themselves and each other: request keys, traces, references, fingerprints.

Everything that depends on who wrote a number is normalised here: DE 90 pads the acquirer to
eleven digits, DE 32 does not.
"""

from __future__ import annotations

from ledger.commands import Origin, Reference
from networks.wire.messages import CardRequest, OriginalData, Reversal


def trace_of(request: CardRequest) -> str:
    """DE 7, 11 and 32 of `request`: what the DE 90 of a later message about it will say."""
    return f"{request.transmission}{request.stan}{request.acquirer.lstrip('0')}"


def trace_of_original(original: OriginalData | None) -> str:
    """The trace of the message that a DE 90 names; blank without a DE 90."""
    if original is None:
        return ""
    return f"{original.transmission}{original.stan}{original.acquirer.lstrip('0')}"


def origin_of(request: CardRequest, network: str, card_id: int) -> Origin:
    """Who asks: the key has what repeats have in common (MTI class, DE 7, 11, 32, 37, card).

    A reversal has the numbers of its original; what it leaves (DE 95, 61.3) tells a partial one
    and the full one after it apart.
    """
    trace = trace_of(request)
    left = _left_by(request) if isinstance(request, Reversal) else ""
    return Origin(
        network=network,
        request_key=f"{request.mti[1:3]}{trace}:{request.rrn}:{card_id}{left}",
        trace=trace,
        transaction_id=request.transaction_id,
        rrn=request.rrn,
        fingerprint=fingerprint_of(request),
    )


def _left_by(request: Reversal) -> str:
    left = request.replacement_billing_amount or request.replacement_amount
    return f":{left}" if left else ""


def fingerprint_of(request: CardRequest) -> str:
    """What two requests of one key must agree on: processing code, amount, merchant."""
    return f"{request.processing_code}:{request.amount}:{request.currency}:{request.merchant}"


def sale_of(request: CardRequest) -> str:
    """What names a QUICPay sale at its terminal (DE 48.06, 48.05); blank without either."""
    if not request.terminal_identity or not request.slip:
        return ""
    return f"{request.terminal_identity}:{request.slip}"


def reference_to_original(request: CardRequest, original: OriginalData | None) -> Reference:
    """How a reversal or clearing names the authorization it is about."""
    return Reference(
        transaction_id=request.transaction_id,
        trace=trace_of_original(original),
        rrn=request.rrn,
        approval_code=request.approval_code,
    )
