"""What the tests of the simulated networks share."""

from collections.abc import Iterator
from random import Random

from networks.network import Network
from networks.numbering import Numbering
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
