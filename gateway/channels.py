"""By which way a card was used, read from the point of service (DE 18, 19, 22, 25, 60.8)."""

from __future__ import annotations

from gateway.cards import Channel
from networks.wire.messages import CardRequest

_CONTACTLESS_ENTRY = frozenset({"07", "91"})
_REMOTE_ENTRY = frozenset({"01", "10", "81"})  # keyed, credential on file, electronic commerce
_REMOTE_CONDITIONS = frozenset({"01", "05", "08", "59"})  # DE 25: cardholder or card absent
_ECOMMERCE_INDICATORS = frozenset({"05", "06", "07", "08", "09"})  # DE 60.8
_ECOMMERCE_CONDITION = "59"
_ATM_CATEGORY = "6011"
_CASH = "01"


def is_contactless(request: CardRequest) -> bool:
    """Tapped: chip or magnetic-stripe data without contact."""
    return request.entry_mode[:2] in _CONTACTLESS_ENTRY


def is_ecommerce(request: CardRequest) -> bool:
    """Paid on the net."""
    return (
        request.condition == _ECOMMERCE_CONDITION
        or request.electronic_commerce in _ECOMMERCE_INDICATORS
    )


def is_remote(request: CardRequest) -> bool:
    """The card was not at the merchant's: net, mail, telephone, credential on file."""
    return request.condition in _REMOTE_CONDITIONS or request.entry_mode[:2] in _REMOTE_ENTRY


def channels_of(request: CardRequest, home_country: str) -> frozenset[Channel]:
    """Every channel that `request` came by; several may hold at once."""
    used = {
        Channel.CONTACTLESS: is_contactless(request),
        Channel.ECOMMERCE: is_ecommerce(request),
        Channel.ATM: (
            request.processing_code[:2] == _CASH or request.merchant_category == _ATM_CATEGORY
        ),
        Channel.ABROAD: request.acquirer_country not in ("", home_country),
    }
    return frozenset(channel for channel, holds in used.items() if holds)
