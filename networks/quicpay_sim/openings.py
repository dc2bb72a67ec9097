"""The messages that open an authorization on the QUICPay+-like network (DOMAIN 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

import msgspec

from networks.numbering import Names
from networks.quicpay_sim.merchants import TERMINALS, Terminal
from networks.quicpay_sim.mix import CHANNELS, DEVICES, FATES, PAYMENT_PLANS, Channel
from networks.traffic import Card, Pace, Plan, Purpose, Weighted, draw_card, draw_fate
from networks.wire.messages import Advice, AuthorizationRequest

YEN = "392"
CENTRE, DATA_CENTRE = "9001", "9100"  # DE 32 and 33
QUICPAY, QUICPAY_PLUS = "1", "2"
_ONLINE, _CENTRE_STAND_IN = "0", "2"
_LUMP_SUM = "10"
_NO_PRODUCT = "0000990"

_CHANNELS = Weighted(CHANNELS)
_DEVICES = Weighted(DEVICES)
_PAYMENT_PLANS = Weighted(PAYMENT_PLANS)


class Scene(msgspec.Struct, frozen=True):
    """What a builder works with."""

    random: Random
    names: Names
    card: Card
    terminal: Terminal


Builder = Callable[[Scene], Plan]


def draw_plan(random: Random, names: Names, cards: int, pace: Pace) -> Plan:
    """The next tap of the network: its opening message and what becomes of it."""
    channel = _CHANNELS.pick(random)
    card = draw_card(random, cards, spoil=channel is not Channel.STAND_IN)
    scene = Scene(random, names, card, random.choice(TERMINALS))
    return draw_fate(random, FATES[channel], pace, _BUILDERS[channel](scene), card)


def slip_of(names: Names) -> str:
    """伝票番号: five digits, never 00000; a terminal meets the same one after 99,999 messages."""
    return f"{int(names.stan) % 99_999 + 1:05d}"


def _common(scene: Scene) -> dict[str, Any]:
    names, terminal = scene.names, scene.terminal
    return {
        "transmission": names.stamp.transmission,
        "stan": names.stan,
        "rrn": names.rrn,
        "local_time": names.stamp.local_time,
        "local_date": names.stamp.local_date,
        "pan": scene.card.pan,
        "expiry": scene.card.expiry,
        "processing_code": "000000",
        "amount": terminal.prices.draw(scene.random),
        "merchant_category": terminal.category,
        "entry_mode": "071",
        "condition": "00",
        "acquirer": CENTRE,
        "forwarder": DATA_CENTRE,
        "terminal": terminal.terminal,
        "merchant": terminal.merchant,
        "merchant_name": terminal.name,
        "currency": YEN,
        "terminal_kind": terminal.kind,
        **_private(scene),
    }


def _private(scene: Scene) -> dict[str, str]:
    """DE 48."""
    device, verification = _DEVICES.pick(scene.random)
    return {
        "quicpay_id": _quicpay_id(scene.card.pan),
        "quicpay_mode": QUICPAY_PLUS,
        "authorization_path": _ONLINE,
        "payment_plan": _LUMP_SUM,
        "slip": slip_of(scene.names),
        "terminal_identity": scene.terminal.identity,
        "device": device,
        "cardholder_verification": verification,
        "product_code": _NO_PRODUCT,
    }


def _quicpay_id(pan: str) -> str:
    """The card's QUICPay ID, always the same and telling nothing of the PAN."""
    return f"99{int(pan[6:15]) * 736_878_700_713 % 999_999_999_999_989:015d}"


def _tap(scene: Scene) -> Plan:
    request = AuthorizationRequest(
        mti="0100", **_common(scene) | {"payment_plan": _PAYMENT_PLANS.pick(scene.random)}
    )
    return Plan(channel=Channel.TAP, purpose=Purpose.PURCHASE, request=request)


def _plain_tap(scene: Scene) -> Plan:
    request = AuthorizationRequest(mti="0100", **_common(scene) | {"quicpay_mode": QUICPAY})
    return Plan(channel=Channel.PLAIN_TAP, purpose=Purpose.PURCHASE, request=request)


def _refund(scene: Scene) -> Plan:
    request = AuthorizationRequest(mti="0100", **_common(scene) | {"processing_code": "200000"})
    return Plan(channel=Channel.REFUND, purpose=Purpose.CREDIT, request=request)


def _stand_in(scene: Scene) -> Plan:
    request = Advice(
        mti="0120",
        approval_code=f"QC{scene.random.randrange(10_000):04d}",
        response_code="00",
        **_common(scene) | {"authorization_path": _CENTRE_STAND_IN},
    )
    return Plan(channel=Channel.STAND_IN, purpose=Purpose.PURCHASE, request=request)


_BUILDERS: Mapping[Channel, Builder] = MappingProxyType(
    {
        Channel.TAP: _tap,
        Channel.PLAIN_TAP: _plain_tap,
        Channel.REFUND: _refund,
        Channel.STAND_IN: _stand_in,
    }
)
