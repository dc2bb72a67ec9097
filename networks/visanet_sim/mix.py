"""What the VisaNet-like network carries: channels and their weights, fates and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from networks.traffic import Course, Fate, Settlement, Weighted


class Channel(StrEnum):
    """How a card is used."""

    CONTACTLESS = "contactless"
    CHIP = "chip"
    ECOMMERCE = "e-commerce"
    RECURRING = "recurring"
    PARTIAL_CAPABLE = "partial-approval terminal"
    CASH_MACHINE = "cash machine"
    FOREIGN = "foreign currency"
    REFUND = "refund"
    VERIFICATION = "account verification"
    INQUIRY = "balance inquiry"
    FUEL = "fuel"
    HOTEL = "hotel"
    STAND_IN = "stand-in"  # the network decided while the issuer was away
    FORCE_POST = "force post"  # cleared and never authorized


CHANNELS: Mapping[Channel, float] = MappingProxyType(
    {
        Channel.CONTACTLESS: 0.34,
        Channel.CHIP: 0.16,
        Channel.ECOMMERCE: 0.20,
        Channel.RECURRING: 0.05,
        Channel.PARTIAL_CAPABLE: 0.03,
        Channel.CASH_MACHINE: 0.05,
        Channel.FOREIGN: 0.04,
        Channel.REFUND: 0.03,
        Channel.VERIFICATION: 0.02,
        Channel.INQUIRY: 0.015,
        Channel.FUEL: 0.025,
        Channel.HOTEL: 0.02,
        Channel.STAND_IN: 0.01,
        Channel.FORCE_POST: 0.01,
    }
)

SETTLEMENTS: Mapping[Settlement, float] = MappingProxyType(
    {
        Settlement.EXACT: 0.78,
        Settlement.UNDER: 0.03,
        Settlement.PARTS: 0.04,
        Settlement.OVER: 0.05,
        Settlement.NEVER: 0.10,
    }
)
COURSES: Mapping[Course, float] = MappingProxyType(
    {
        Course.PLAIN: 0.915,
        Course.LOST_ANSWER: 0.025,
        Course.TIMED_OUT: 0.015,
        Course.STOOD_IN: 0.010,
        Course.CANCELLED: 0.015,
        Course.PARTLY_REVERSED: 0.012,
        Course.OVERTAKEN: 0.008,
    }
)
_CLEARED = Weighted(SETTLEMENTS)
_EXACTLY = Weighted({Settlement.EXACT: 0.9, Settlement.NEVER: 0.1})
_NEVER = Weighted({Settlement.NEVER: 1.0})
_ANSWER_LOST = Weighted({Course.PLAIN: 0.97, Course.LOST_ANSWER: 0.03})

PURCHASE = Fate(Weighted(COURSES), _CLEARED)
CASH = Fate(
    Weighted({Course.PLAIN: 0.95, Course.LOST_ANSWER: 0.03, Course.TIMED_OUT: 0.02}), _EXACTLY
)
ESTIMATED = Fate(_ANSWER_LOST, _CLEARED)  # fuel and hotels: the amount changes on its own
DECIDED = Fate(_ANSWER_LOST, _EXACTLY)  # stand-in advices and refunds
MONEYLESS = Fate(_ANSWER_LOST, _NEVER)  # verification, inquiry, force post: nothing follows

FATES: Mapping[Channel, Fate] = MappingProxyType(
    {
        Channel.CONTACTLESS: PURCHASE,
        Channel.CHIP: PURCHASE,
        Channel.ECOMMERCE: PURCHASE,
        Channel.RECURRING: PURCHASE,
        Channel.PARTIAL_CAPABLE: PURCHASE,
        Channel.CASH_MACHINE: CASH,
        Channel.FOREIGN: Fate(_ANSWER_LOST, _CLEARED),
        Channel.REFUND: DECIDED,
        Channel.VERIFICATION: MONEYLESS,
        Channel.INQUIRY: MONEYLESS,
        Channel.FUEL: ESTIMATED,
        Channel.HOTEL: ESTIMATED,
        Channel.STAND_IN: DECIDED,
        Channel.FORCE_POST: MONEYLESS,
    }
)
