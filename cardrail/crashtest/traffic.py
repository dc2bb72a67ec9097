"""The load: sales of the simulated networks, far more of them taken back than in everyday life."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import MappingProxyType

import msgspec

from networks.network import Network
from networks.numbering import Names
from networks.quicpay_sim.network import QUICPAY_NETWORK
from networks.traffic import Course, Pace, Plan, Purpose, Weighted
from networks.visanet_sim.network import VISANET_NETWORK
from networks.wire.messages import AuthorizationRequest

NETWORKS = (VISANET_NETWORK, QUICPAY_NETWORK)

_AT_ONCE = Pace(course_longest=0.0, clearing_longest=0.0)
_COURSES: Mapping[str, Weighted[Course]] = MappingProxyType(
    {
        VISANET_NETWORK.name: Weighted(
            {
                Course.PLAIN: 0.50,
                Course.CANCELLED: 0.15,
                Course.TIMED_OUT: 0.15,
                Course.PARTLY_REVERSED: 0.10,
                Course.STOOD_IN: 0.05,
                Course.OVERTAKEN: 0.05,
            }
        ),
        QUICPAY_NETWORK.name: Weighted(
            {
                Course.PLAIN: 0.60,
                Course.CANCELLED: 0.15,
                Course.TIMED_OUT: 0.20,
                Course.OVERTAKEN: 0.05,
            }
        ),
    }
)


def draw_plan(network: Network, random: Random, names: Names, cards: int) -> Plan:
    """The next sale of `network`; repeats are the client's own matter and not in the plan."""
    plan = network.draw_plan(random, names, cards, _AT_ONCE)
    course = _COURSES[network.name].pick(random) if _is_ordinary(plan) else Course.PLAIN
    return msgspec.structs.replace(plan, course=course, increments=())


def _is_ordinary(plan: Plan) -> bool:
    """A purchase on line in yen whose amount is known: every course is open to it."""
    request = plan.request
    return (
        isinstance(request, AuthorizationRequest)
        and plan.purpose is Purpose.PURCHASE
        and plan.completion is None
        and request.billing_amount is None
    )
