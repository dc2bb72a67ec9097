"""What the tests of the simulated networks share."""

import dataclasses
from collections.abc import Collection, Iterator
from random import Random

import msgspec

from networks.network import Network
from networks.numbering import Names, Numbering
from networks.quicpay_sim.network import QUICPAY_NETWORK
from networks.traffic import Pace, Plan
from networks.visanet_sim.network import VISANET_NETWORK

SECOND = 1_795_311_045  # 2026-11-22 01:30:45 GMT
PACE = Pace(course_longest=1.0, clearing_longest=3.0)
NETWORKS = {network.name: network for network in (VISANET_NETWORK, QUICPAY_NETWORK)}


def plans(network: Network, seed: int, count: int, cards: int = 1000) -> Iterator[Plan]:
    """`count` authorizations of `network`."""
    random, numbering = Random(seed), Numbering()
    for number in range(count):
        yield network.draw_plan(random, numbering.take(SECOND + number // 500), cards, PACE)


def forced(network: Network, channels: Collection[str] = (), **changes: object) -> Network:
    """`network` with every plan changed, and of `channels` only where any are given."""

    def draw(random: Random, names: Names, cards: int, pace: Pace) -> Plan:
        while True:
            plan = network.draw_plan(random, names, cards, pace)
            is_spoiled = plan.request.expiry != "3012" or plan.request.pan.startswith("4000009")
            if not is_spoiled and (not channels or plan.channel in channels):
                return msgspec.structs.replace(plan, **changes)

    return dataclasses.replace(network, draw_plan=draw)


def impatient(network: Network, seconds: float = 0.15) -> Network:
    """`network` with a short timer."""
    return dataclasses.replace(network, response_seconds=seconds)


COUNTER = ("contactless", "chip", "tap")
