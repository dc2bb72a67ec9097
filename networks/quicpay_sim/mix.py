"""What the QUICPay+-like centre carries: channels, devices, payment plans, fates, and weights."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from networks.traffic import Course, Fate, Settlement, Weighted


class Channel(StrEnum):
    """What a tap is."""

    TAP = "tap"  # QUICPay+
    PLAIN_TAP = "plain QUICPay tap"  # mode 1, which a prepaid card cannot use
    REFUND = "refund"
    STAND_IN = "centre stand-in"


CHANNELS: Mapping[Channel, float] = MappingProxyType(
    {
        Channel.TAP: 0.935,
        Channel.PLAIN_TAP: 0.015,
        Channel.REFUND: 0.03,
        Channel.STAND_IN: 0.02,
    }
)

# DE 48.07 and the cardholder verification (48.08) that comes with it.
DEVICES: Mapping[tuple[str, str], float] = MappingProxyType(
    {("1", "0"): 0.10, ("2", "1"): 0.55, ("3", "1"): 0.25, ("4", "1"): 0.10}
)

# DE 48.04 支払区分; a prepaid card pays in a lump sum (10).
PAYMENT_PLANS: Mapping[str, float] = MappingProxyType(
    {"10": 0.982, "61": 0.008, "21": 0.005, "80": 0.005}
)

COURSES: Mapping[Course, float] = MappingProxyType(
    {
        Course.PLAIN: 0.92,
        Course.LOST_ANSWER: 0.025,
        Course.TIMED_OUT: 0.025,  # 処理未了
        Course.CANCELLED: 0.02,
        Course.OVERTAKEN: 0.01,
    }
)
_CLEARED = Weighted({Settlement.EXACT: 0.90, Settlement.NEVER: 0.10})
_ANSWER_LOST = Weighted({Course.PLAIN: 0.97, Course.LOST_ANSWER: 0.03})

PURCHASE = Fate(Weighted(COURSES), _CLEARED)
DECIDED = Fate(_ANSWER_LOST, _CLEARED)

FATES: Mapping[Channel, Fate] = MappingProxyType(
    {
        Channel.TAP: PURCHASE,
        Channel.PLAIN_TAP: PURCHASE,
        Channel.REFUND: DECIDED,
        Channel.STAND_IN: DECIDED,
    }
)
