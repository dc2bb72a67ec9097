"""Processing code (DE 3, first two digits) to what is asked for, per network (DOMAIN 1.4, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from ledger.commands import Purpose
from networks.wire.messages import CardRequest

VISANET = "visanet"
QUICPAY = "quicpay"

FUEL_CATEGORIES = frozenset({"5541", "5542"})
_ACCOUNT_VERIFICATION = "51"  # DE 25


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """What a processing code means.

    Attributes
    ----------
    purpose
        What the ledger is asked for.
    allowance
        QUICPay reserves an amount to pay offline from.
    """

    purpose: Purpose
    allowance: bool = False


_PURCHASE = Transaction(Purpose.PURCHASE)
_CASH = Transaction(Purpose.CASH)
_CREDIT = Transaction(Purpose.CREDIT)
_VERIFICATION = Transaction(Purpose.VERIFICATION)

TRANSACTIONS: Mapping[str, Mapping[str, Transaction]] = MappingProxyType(
    {
        VISANET: MappingProxyType(
            {
                "00": _PURCHASE,
                "01": _CASH,
                "10": _PURCHASE,  # account funding: debits the card like a purchase
                "20": _CREDIT,
                "26": _CREDIT,  # original credit
                "30": Transaction(Purpose.INQUIRY),
            }
        ),
        QUICPAY: MappingProxyType(
            {
                "00": _PURCHASE,
                "20": _CREDIT,
                "31": _VERIFICATION,
                "90": Transaction(Purpose.PURCHASE, allowance=True),
            }
        ),
    }
)


def transaction_of(request: CardRequest, network: str) -> Transaction | None:
    """What `request` asks for; ``None`` if the network has no such processing code."""
    if request.amount == 0 and request.condition == _ACCOUNT_VERIFICATION:
        return _VERIFICATION
    return TRANSACTIONS[network].get(request.processing_code[:2])


def purpose_of(request: CardRequest, network: str) -> Purpose | None:
    """The purpose alone, for messages that are applied whatever they say."""
    transaction = transaction_of(request, network)
    return None if transaction is None else transaction.purpose
