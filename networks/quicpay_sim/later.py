"""Later messages of the QUICPay+-like network about a tap.

Each has a STAN of its own and names the tap by DE 90; there is no transaction identifier, so
clearing also repeats approval code, slip, terminal identity and RRN (DOMAIN 3.3).
"""

from __future__ import annotations

from typing import Any

from networks.followups import carried, original_of
from networks.numbering import Names
from networks.quicpay_sim.openings import slip_of
from networks.wire.messages import CardRequest, Financial, Reversal


def _own(names: Names) -> dict[str, Any]:
    return {"stan": names.stan, "rrn": names.rrn, "transmission": names.stamp.transmission}


def time_out(request: CardRequest, names: Names) -> Reversal:
    """0420 処理未了: the tap was seen, its answer was not."""
    return Reversal(
        mti="0420",
        amount=request.amount,
        slip=request.slip,
        original=original_of(request),
        **_own(names),
        **carried(request),
    )


def cancel(
    request: CardRequest, names: Names, approval_code: str, _replacement: int | None = None
) -> Reversal:
    """0400: cancelled the same day; QPX-1 has no partial cancel."""
    return Reversal(
        mti="0400",
        amount=request.amount,
        approval_code=approval_code,
        slip=slip_of(names),
        original_slip=request.slip,
        original=original_of(request),
        **_own(names),
        **carried(request),
    )


def clear(
    request: CardRequest, names: Names, amount: int, approval_code: str, _part: tuple[int, int]
) -> Financial:
    """0220: the day's sale, in one piece."""
    return Financial(
        mti="0220",
        amount=amount,
        approval_code=approval_code,
        slip=request.slip,
        original=original_of(request),
        **_own(names) | {"rrn": request.rrn},
        **carried(request),
    )
