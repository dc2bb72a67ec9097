"""The messages that open an authorization on the VisaNet-like network, one builder a channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

import msgspec

from networks.numbering import Names
from networks.traffic import (
    Card,
    Merchant,
    Pace,
    Plan,
    Purpose,
    Weighted,
    draw_card,
    draw_fate,
)
from networks.visanet_sim import merchants
from networks.visanet_sim.mix import CHANNELS, FATES, Channel
from networks.wire.messages import Advice, AuthorizationRequest, Financial

YEN = "392"
_ANY_NETWORK = "0000"

_CHANNELS = Weighted(CHANNELS)
_COUNTERS = merchants.shops(merchants.COUNTER, merchants.TOWNS, 1)
_ONLINE = merchants.shops(merchants.ONLINE, merchants.NOWHERE, 1001)
_SUBSCRIPTIONS = merchants.shops(merchants.SUBSCRIPTIONS, merchants.NOWHERE, 1501)
_CASH_MACHINES = merchants.shops(merchants.CASH_MACHINES, merchants.TOWNS, 2001)
_PUMPS = merchants.shops(merchants.PUMPS, merchants.TOWNS, 3001)
_HOTELS = merchants.shops(merchants.HOTELS, merchants.TOWNS, 4001)
_DECIDED_ELSEWHERE = frozenset({Channel.STAND_IN, Channel.FORCE_POST})
_ACQUIRERS = ("400552", "441130", "45012")
_CHIP_READER = "050000000000"  # DE 60: 60.2 = 5
_PARTIAL_CAPABLE = "050000000100"  # and 60.10 = 1
_PIN_ENTRY = {"26": "12", "53": "2001010100000000", "60": "020000000000"}
_STAND_IN_REASONS = ("9011", "9011", "9001", "9020")


class Scene(msgspec.Struct, frozen=True):
    """What a builder works with."""

    random: Random
    names: Names
    card: Card


Builder = Callable[[Scene], Plan]


def draw_plan(random: Random, names: Names, cards: int, pace: Pace) -> Plan:
    """The next authorization of the network: its opening message and what becomes of it."""
    channel = _CHANNELS.pick(random)
    scene = Scene(random, names, draw_card(random, cards, spoil=channel not in _DECIDED_ELSEWHERE))
    return draw_fate(random, FATES[channel], pace, _BUILDERS[channel](scene), scene.card)


def _common(scene: Scene, merchant: Merchant) -> dict[str, Any]:
    names = scene.names
    return {
        "transmission": names.stamp.transmission,
        "stan": names.stan,
        "rrn": names.rrn,
        "local_time": names.stamp.local_time,
        "local_date": names.stamp.local_date,
        "pan": scene.card.pan,
        "expiry": scene.card.expiry,
        "processing_code": "000000",
        "merchant_category": merchant.category,
        "acquirer_country": merchant.country_number,
        "condition": "00",
        "acquirer": _ACQUIRERS[int(merchant.terminal[-2:]) % len(_ACQUIRERS)],
        "terminal": merchant.terminal,
        "merchant": merchant.identity,
        "merchant_name": merchant.name,
        "currency": YEN,
        "network_id": _ANY_NETWORK,
        "transaction_id": names.transaction_id,
        "characteristics": "E",
    }


def _track2(scene: Scene) -> str:
    return f"{scene.card.pan}D{scene.card.expiry}201{scene.random.randrange(10**13):013d}"


def _chip_data(scene: Scene, amount: int, currency: str = YEN, country: str = YEN) -> str:
    """DE 55: dataset 01 with the tags of a chip or contactless purchase, as hex."""
    random, local = scene.random, scene.names.stamp
    tags = (
        "82021980"
        "8407A0000000031010"
        "95050000000000"
        f"9A03{local.local_year}{local.local_date}"
        "9C0100"
        f"5F2A020{currency}"
        f"9F0206{amount:012d}"
        "9F0306000000000000"
        "9F100706011203A00000"
        f"9F1A020{country}"
        f"9F2608{random.getrandbits(64):016X}"
        "9F270180"
        "9F3303E0F0C8"
        f"9F3602{random.getrandbits(16):04X}"
        f"9F3704{random.getrandbits(32):08X}"
    )
    return f"01{len(tags) // 2:04X}{tags}"


def _counter(
    scene: Scene, entry_mode: str, channel: Channel, point_of_service: str = _CHIP_READER
) -> Plan:
    merchant = scene.random.choice(_COUNTERS)
    amount = merchant.prices.draw(scene.random)
    request = AuthorizationRequest(
        mti="0100",
        amount=amount,
        entry_mode=entry_mode,
        card_sequence="001",
        track2=_track2(scene),
        elements={"60": point_of_service, "55": _chip_data(scene, amount)},
        **_common(scene, merchant),
    )
    return Plan(channel=channel, purpose=Purpose.PURCHASE, request=request)


def _contactless(scene: Scene) -> Plan:
    return _counter(scene, "0710", Channel.CONTACTLESS)


def _chip(scene: Scene) -> Plan:
    return _counter(scene, "0510", Channel.CHIP)


def _partial_capable(scene: Scene) -> Plan:
    return _counter(scene, "0510", Channel.PARTIAL_CAPABLE, _PARTIAL_CAPABLE)


def _ecommerce(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_ONLINE)
    request = AuthorizationRequest(
        mti="0100",
        amount=merchant.prices.draw(random),
        entry_mode="0100",
        electronic_commerce="05" if random.random() < 0.6 else "07",
        card_verification=f"11 {random.randrange(1000):03d}",
        **_common(scene, merchant) | {"condition": "59", "characteristics": "Y"},
    )
    return Plan(channel=Channel.ECOMMERCE, purpose=Purpose.PURCHASE, request=request)


def _recurring(scene: Scene) -> Plan:
    merchant = scene.random.choice(_SUBSCRIPTIONS)
    request = AuthorizationRequest(
        mti="0100",
        amount=merchant.prices.draw(scene.random),
        entry_mode="1000",
        electronic_commerce="02",
        **_common(scene, merchant) | {"condition": "08", "characteristics": "R"},
    )
    return Plan(channel=Channel.RECURRING, purpose=Purpose.PURCHASE, request=request)


def _cash(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_CASH_MACHINES)
    request = AuthorizationRequest(
        mti="0100",
        amount=merchant.prices.draw(random),
        entry_mode="0510",
        card_sequence="001",
        track2=_track2(scene),
        pin_block=f"{random.getrandbits(64):016X}",
        elements=_PIN_ENTRY,
        **_common(scene, merchant) | {"processing_code": "010000"},
    )
    return Plan(channel=Channel.CASH_MACHINE, purpose=Purpose.CASH, request=request)


def _foreign(scene: Scene) -> Plan:
    random, abroad = scene.random, scene.random.choice(merchants.FOREIGN)
    merchant = random.choice(abroad.merchants)
    amount = merchant.prices.draw(random)
    chip = _chip_data(scene, amount, abroad.currency, merchant.country_number)
    converted = {
        "10": f"6{abroad.rate_millionths:07d}",
        "16": scene.names.stamp.transmission[:4],
        "55": chip,
    }
    request = AuthorizationRequest(
        mti="0100",
        amount=amount,
        billing_amount=abroad.billed(amount),
        billing_currency=YEN,
        entry_mode="0510",
        card_sequence="001",
        track2=_track2(scene),
        elements={"60": _CHIP_READER} | converted,
        **_common(scene, merchant) | {"currency": abroad.currency},
    )
    return Plan(channel=Channel.FOREIGN, purpose=Purpose.PURCHASE, request=request)


def _refund(scene: Scene) -> Plan:
    merchant = scene.random.choice(_COUNTERS)
    request = AuthorizationRequest(
        mti="0100",
        amount=merchant.prices.draw(scene.random),
        entry_mode="0710",
        elements={"60": _CHIP_READER},
        **_common(scene, merchant) | {"processing_code": "200000"},
    )
    return Plan(channel=Channel.REFUND, purpose=Purpose.CREDIT, request=request)


def _verification(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_ONLINE)
    request = AuthorizationRequest(
        mti="0100",
        amount=0,
        entry_mode="0100",
        card_verification=f"11 {random.randrange(1000):03d}",
        elements={"60": "000000000000"},
        **_common(scene, merchant) | {"condition": "51", "characteristics": "Y"},
    )
    return Plan(channel=Channel.VERIFICATION, purpose=Purpose.VERIFICATION, request=request)


def _inquiry(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_CASH_MACHINES)
    request = AuthorizationRequest(
        mti="0100",
        amount=0,
        entry_mode="0510",
        track2=_track2(scene),
        pin_block=f"{random.getrandbits(64):016X}",
        elements=_PIN_ENTRY,
        **_common(scene, merchant) | {"processing_code": "300000"},
    )
    return Plan(channel=Channel.INQUIRY, purpose=Purpose.INQUIRY, request=request)


def _fuel(scene: Scene) -> Plan:
    """A status check for one yen; the completion advice tells what was pumped."""
    merchant = scene.random.choice(_PUMPS)
    request = AuthorizationRequest(
        mti="0100",
        amount=1,
        entry_mode="0510",
        elements={"60": "310000000000"},
        **_common(scene, merchant),
    )
    return Plan(
        channel=Channel.FUEL,
        purpose=Purpose.PURCHASE,
        request=request,
        completion=merchant.prices.draw(scene.random),
    )


def _hotel(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_HOTELS)
    request = AuthorizationRequest(
        mti="0100",
        amount=merchant.prices.draw(random),
        entry_mode="0100",
        elements={"60": "000000000000"},
        **_common(scene, merchant) | {"condition": "06", "characteristics": "I"},
    )
    extras = tuple(1000 * random.randint(1, 8) for _ in range(random.randrange(3)))
    return Plan(channel=Channel.HOTEL, purpose=Purpose.PURCHASE, request=request, increments=extras)


def _stand_in(scene: Scene) -> Plan:
    random, merchant = scene.random, scene.random.choice(_COUNTERS)
    request = Advice(
        mti="0120",
        amount=merchant.prices.draw(random),
        entry_mode="0710",
        approval_code=f"ST{random.randrange(10_000):04d}",
        response_code="00",
        response_source="2",
        stand_in_reason=random.choice(_STAND_IN_REASONS),
        **_common(scene, merchant),
    )
    return Plan(channel=Channel.STAND_IN, purpose=Purpose.PURCHASE, request=request)


def _force_post(scene: Scene) -> Plan:
    merchant = scene.random.choice(_COUNTERS)
    request = Financial(
        mti="0220",
        amount=merchant.prices.draw(scene.random),
        entry_mode="0710",
        **_common(scene, merchant),
    )
    return Plan(channel=Channel.FORCE_POST, purpose=Purpose.PURCHASE, request=request)


_BUILDERS: Mapping[Channel, Builder] = MappingProxyType(
    {
        Channel.CONTACTLESS: _contactless,
        Channel.CHIP: _chip,
        Channel.ECOMMERCE: _ecommerce,
        Channel.RECURRING: _recurring,
        Channel.PARTIAL_CAPABLE: _partial_capable,
        Channel.CASH_MACHINE: _cash,
        Channel.FOREIGN: _foreign,
        Channel.REFUND: _refund,
        Channel.VERIFICATION: _verification,
        Channel.INQUIRY: _inquiry,
        Channel.FUEL: _fuel,
        Channel.HOTEL: _hotel,
        Channel.STAND_IN: _stand_in,
        Channel.FORCE_POST: _force_post,
    }
)
