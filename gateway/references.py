"""How messages name themselves and each other: request keys, traces, references, fingerprints.

Everything that depends on who wrote a number is normalised here: DE 90 pads the acquirer to
eleven digits, DE 32 does not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

from ledger.commands import Origin, Reference
from networks.wire.messages import CardRequest, Financial, OriginalData, Reversal

_A_DAY = timedelta(days=1)


def trace_of(request: CardRequest) -> str:
    """DE 7, 11 and 32 of `request`: what the DE 90 of a later message about it will say."""
    return f"{request.transmission}{request.stan}{request.acquirer.lstrip('0')}"


def trace_of_original(original: OriginalData | None) -> str:
    """The trace of the message that a DE 90 names; blank without a DE 90."""
    if original is None:
        return ""
    return f"{original.transmission}{original.stan}{original.acquirer.lstrip('0')}"


def origin_of(request: CardRequest, network: str, card_id: int, sale: str = "") -> Origin:
    """Who asks: the key has what repeats have in common (MTI class, DE 7, 11, 32, 37, card).

    A reversal has the numbers of its original; what it leaves (DE 95, 61.3) tells a partial one
    and the full one after it apart. A `sale` (`sale_of`) is its life-cycle identifier.
    """
    trace = trace_of(request)
    left = _left_by(request) if isinstance(request, Reversal) else ""
    return Origin(
        network=network,
        request_key=f"{trace}|{request.mti[1:3]}:{request.rrn}:{card_id}{left}",
        transaction_id=sale or request.transaction_id,
        rrn=request.rrn,
        fingerprint=fingerprint_of(request),
        is_repeat=request.is_repeat,
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


def reference_of_sale(request: Financial, at: int) -> Reference:
    """How a clearing names its authorization: also by merchant, terminal and day of purchase.

    The trace has the day by Greenwich (DE 7), the clearing the merchant's (DE 13): one day around.
    """
    return msgspec.structs.replace(
        reference_to_original(request, request.original),
        days=_days_around(request.local_date, at // 86_400_000_000),
        merchant=request.merchant,
        terminal=request.terminal,
    )


@lru_cache(maxsize=256)
def _days_around(local_date: str, today: int) -> tuple[str, ...]:
    """MMDD the day before, of and after `local_date`; none if it is no date.

    Of the years that it may be in, the one that puts it before tomorrow (`today`: days since 1970).
    """
    now = datetime.fromtimestamp(0, UTC) + (today + 1) * _A_DAY
    for year in (now.year, now.year - 1):
        try:
            day = datetime.strptime(f"{year}{local_date}", "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            continue
        if day <= now:
            return tuple(f"{day + shift:%m%d}" for shift in (-_A_DAY, timedelta(), _A_DAY))
    return ()


def reference_to_original(request: CardRequest, original: OriginalData | None) -> Reference:
    """How a reversal or clearing names the authorization it is about."""
    return Reference(
        transaction_id=request.transaction_id,
        trace=trace_of_original(original),
        rrn=request.rrn,
        approval_code=request.approval_code,
    )
