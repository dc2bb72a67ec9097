"""What a load test sends: kinds of opening messages and their weights, for each network.

The weights follow what the simulated networks carry. A kind builds the canonical message of given
particulars; the locust users send it as it is, the open-loop driver makes a template of it. Every
message is one that an issuer approves while there is money in the wallet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

import msgspec

from loadtest.numbering import Particulars
from networks.wire.dialects import QUICPAY, VISANET
from networks.wire.messages import Advice, AuthorizationRequest, CardRequest, Financial
from networks.wire.pan import TEST_EXPIRY

YEN = "392"
_DOLLAR, _AMERICA = "840", "840"

_AMOUNT_MEDIAN, _AMOUNT_SPREAD, _AMOUNT_LARGEST = 1_800, 0.9, 100_000


class Kind(msgspec.Struct, frozen=True):
    """One way of using a card. `weight` is its share of the network's traffic."""

    name: str
    weight: float
    build: Callable[[Particulars], CardRequest]


def draw_amount(random: Random) -> int:
    """The price of a basket in yen: log-normal, between 1 and a largest."""
    amount = random.lognormvariate(math.log(_AMOUNT_MEDIAN), _AMOUNT_SPREAD)
    return min(max(round(amount), 1), _AMOUNT_LARGEST)


# The VisaNet-like network (DOMAIN 1.4).

_CHIP_READER, _PARTIAL_CAPABLE = "050000000000", "050000000100"  # DE 60
_PIN_ENTRY = {"26": "12", "53": "2001010100000000", "60": "020000000000"}
_STAND_IN_REASON = "9011"  # DE 63.4


def _visanet(given: Particulars, shop: tuple[str, str, str], **other: object) -> dict[str, Any]:
    """What every message has; `shop` is MCC, name, terminal."""
    category, name, terminal = shop
    return {
        "transmission": given.transmission,
        "stan": given.stan,
        "rrn": given.rrn,
        "local_time": given.local_time,
        "local_date": given.local_date,
        "pan": given.pan,
        "expiry": TEST_EXPIRY,
        "processing_code": "000000",
        "amount": int(given.amount),
        "merchant_category": category,
        "acquirer_country": YEN,
        "condition": "00",
        "acquirer": "400552",
        "terminal": terminal,
        "merchant": f"LT{terminal:>013}",
        "merchant_name": f"{name:<25}{'TOKYO':<13}JP",
        "currency": YEN,
        "network_id": "0000",
        "transaction_id": given.transaction_id,
        "characteristics": "E",
        **other,
    }


def _track2(given: Particulars) -> str:
    return f"{given.pan}D{TEST_EXPIRY}201000000000000"


def _chip_data(given: Particulars, currency: str = YEN, country: str = YEN) -> str:
    """DE 55: dataset 01 with the tags of a chip or contactless purchase, as hex."""
    tags = (
        "82021980"
        "8407A0000000031010"
        "95050000000000"
        f"9A0326{given.local_date}"
        "9C0100"
        f"5F2A020{currency}"
        f"9F0206{given.amount}"
        "9F0306000000000000"
        "9F100706011203A00000"
        f"9F1A020{country}"
        "9F26080123456789ABCDEF"
        "9F270180"
        "9F3303E0F0C8"
        "9F36020001"
        "9F370489ABCDEF"
    )
    return f"01{len(tags) // 2:04X}{tags}"


def _card_present(given: Particulars, entry_mode: str, reader: str) -> CardRequest:
    return AuthorizationRequest(
        mti="0100",
        entry_mode=entry_mode,
        card_sequence="001",
        track2=_track2(given),
        elements={"60": reader, "55": _chip_data(given)},
        **_visanet(given, ("5499", "KONBINI SHIBUYA 1", "10000001")),
    )


def _contactless(given: Particulars) -> CardRequest:
    return _card_present(given, "0710", _CHIP_READER)


def _chip(given: Particulars) -> CardRequest:
    return _card_present(given, "0510", _CHIP_READER)


def _partial_capable(given: Particulars) -> CardRequest:
    return _card_present(given, "0510", _PARTIAL_CAPABLE)


def _ecommerce(given: Particulars) -> CardRequest:
    shop = ("5942", "BOOKS ONLINE", "20000001")
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0100",
        electronic_commerce="05",
        card_verification="11 123",
        **_visanet(given, shop, condition="59", characteristics="Y"),
    )


def _recurring(given: Particulars) -> CardRequest:
    shop = ("4899", "VIDEO MONTHLY", "20000002")
    return AuthorizationRequest(
        mti="0100",
        entry_mode="1000",
        electronic_commerce="02",
        **_visanet(given, shop, condition="08", characteristics="R"),
    )


def _cash(given: Particulars) -> CardRequest:
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0510",
        card_sequence="001",
        track2=_track2(given),
        pin_block="0123456789ABCDEF",
        elements=_PIN_ENTRY,
        **_visanet(given, ("6011", "ATM UENO", "30000001"), processing_code="010000"),
    )


def _foreign(given: Particulars) -> CardRequest:
    """USD 25.00 billed as 3,750 yen; always the same, because both amounts hang together."""
    given = msgspec.structs.replace(given, amount="000000002500")
    shop = ("5812", "DINER ON 5TH", "40000001")
    converted = {"10": "60001500", "16": given.local_date}
    return AuthorizationRequest(
        mti="0100",
        billing_amount=3_750,
        billing_currency=YEN,
        entry_mode="0510",
        card_sequence="001",
        track2=_track2(given),
        elements={"60": _CHIP_READER, "55": _chip_data(given, _DOLLAR, _AMERICA), **converted},
        **_visanet(given, shop, currency=_DOLLAR, acquirer_country=_AMERICA),
    )


def _refund(given: Particulars) -> CardRequest:
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0710",
        elements={"60": _CHIP_READER},
        **_visanet(given, ("5311", "DEPATO HIKARI", "10000002"), processing_code="200000"),
    )


def _verification(given: Particulars) -> CardRequest:
    shop = ("5691", "WEAR DIRECT", "20000003")
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0100",
        card_verification="11 123",
        elements={"60": "000000000000"},
        **_visanet(given, shop, amount=0, condition="51", characteristics="Y"),
    )


def _inquiry(given: Particulars) -> CardRequest:
    shop = ("6011", "ATM UENO", "30000001")
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0510",
        track2=_track2(given),
        pin_block="0123456789ABCDEF",
        elements=_PIN_ENTRY,
        **_visanet(given, shop, amount=0, processing_code="300000"),
    )


def _fuel(given: Particulars) -> CardRequest:
    """A status check for one yen."""
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0510",
        elements={"60": "310000000000"},
        **_visanet(given, ("5542", "SELF FUEL 24H", "50000001"), amount=1),
    )


def _hotel(given: Particulars) -> CardRequest:
    shop = ("7011", "HOTEL UMINO", "60000001")
    return AuthorizationRequest(
        mti="0100",
        entry_mode="0100",
        elements={"60": "000000000000"},
        **_visanet(given, shop, condition="06", characteristics="I"),
    )


def _stand_in(given: Particulars) -> CardRequest:
    return Advice(
        mti="0120",
        entry_mode="0710",
        approval_code="ST0001",
        response_code="00",
        response_source="2",
        stand_in_reason=_STAND_IN_REASON,
        **_visanet(given, ("5499", "KONBINI SHIBUYA 1", "10000001")),
    )


def _force_post(given: Particulars) -> CardRequest:
    return Financial(
        mti="0220",
        entry_mode="0710",
        **_visanet(given, ("4121", "TAXI KUMO", "10000003")),
    )


# QPX-1 (DOMAIN 3.3).


def _quicpay(given: Particulars, **other: object) -> dict[str, Any]:
    return {
        "transmission": given.transmission,
        "stan": given.stan,
        "rrn": given.rrn,
        "local_time": given.local_time,
        "local_date": given.local_date,
        "pan": given.pan,
        "expiry": TEST_EXPIRY,
        "processing_code": "000000",
        "amount": int(given.amount),
        "merchant_category": "5499",
        "entry_mode": "071",
        "condition": "00",
        "acquirer": "9001",
        "forwarder": "9100",
        "terminal": "13100011",
        "merchant": "QP0000000000001",
        "merchant_name": f"{'ｺﾝﾋﾞﾆ ｼﾌﾞﾔ':<25}{'ﾄｳｷｮｳ':<13}JP",
        "currency": YEN,
        "terminal_kind": "TH",
        "quicpay_id": given.quicpay_id,
        "quicpay_mode": "2",
        "authorization_path": "0",
        "payment_plan": "10",
        "slip": given.slip,
        "terminal_identity": given.terminal_identity,
        "device": "2",
        "cardholder_verification": "1",
        "product_code": "0000990",
        **other,
    }


def _tap(given: Particulars) -> CardRequest:
    return AuthorizationRequest(mti="0100", **_quicpay(given))


def _tap_refund(given: Particulars) -> CardRequest:
    return AuthorizationRequest(mti="0100", **_quicpay(given, processing_code="200000"))


def _tap_stand_in(given: Particulars) -> CardRequest:
    return Advice(
        mti="0120",
        approval_code="QC0001",
        response_code="00",
        **_quicpay(given, authorization_path="2"),
    )


KINDS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        VISANET.name: (
            Kind("contactless", 0.34, _contactless),
            Kind("chip", 0.16, _chip),
            Kind("e-commerce", 0.20, _ecommerce),
            Kind("recurring", 0.05, _recurring),
            Kind("partial-approval terminal", 0.03, _partial_capable),
            Kind("cash machine", 0.05, _cash),
            Kind("foreign currency", 0.04, _foreign),
            Kind("refund", 0.03, _refund),
            Kind("account verification", 0.02, _verification),
            Kind("balance inquiry", 0.015, _inquiry),
            Kind("fuel", 0.025, _fuel),
            Kind("hotel", 0.02, _hotel),
            Kind("stand-in", 0.01, _stand_in),
            Kind("force post", 0.01, _force_post),
        ),
        QUICPAY.name: (
            Kind("tap", 0.95, _tap),
            Kind("refund", 0.03, _tap_refund),
            Kind("centre stand-in", 0.02, _tap_stand_in),
        ),
    }
)
