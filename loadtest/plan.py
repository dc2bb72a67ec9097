"""What is asked of one run of the driver."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate
from random import Random

import msgspec

from loadtest.arrivals import Arrivals
from loadtest.targets import Address
from loadtest.traffic import KINDS, draw_amount

_DRAWN = 8192  # messages after which the sequence of kinds and amounts begins anew
_HOT_CARD = 1
IN_FLIGHT_MOST: Mapping[Arrivals, int] = {
    Arrivals.POISSON: 50_000,
    Arrivals.UNIFORM: 50_000,
    Arrivals.CLOSED: 256,
}


class Profile(StrEnum):
    """Where traffic goes."""

    MIXED = "mixed"  # both networks alike, every card
    VISANET = "visanet"
    QUICPAY = "quicpay"
    HOT_ACCOUNT = "hot-account"  # both networks, all on one card

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that take part."""
        if self in (Profile.VISANET, Profile.QUICPAY):
            return (self.value,)
        return tuple(KINDS)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Attributes
    ----------
    rate, seconds
        Messages intended a second, all processes together, and for how long; in a closed loop
        there are as many as the gateway answers.
    links
        Of each process to each network.
    accounts
        The seeded cards 1 to this one are used.
    in_flight_most
        Of each process; what is intended beyond is counted as not sent, and in a closed loop
        nothing is.
    patience_seconds
        For dialling and signing on.
    """

    addresses: Mapping[str, Address]
    rate: float
    seconds: float
    profile: Profile = Profile.MIXED
    arrivals: Arrivals = Arrivals.POISSON
    links: int = 1
    processes: int = 1
    accounts: int = 1000
    seed: int = 1
    in_flight_most: int = IN_FLIGHT_MOST[Arrivals.POISSON]
    patience_seconds: float = 5.0

    @property
    def cards(self) -> tuple[int, int]:
        """First card, and how many from it."""
        return (_HOT_CARD, 1) if self.profile is Profile.HOT_ACCOUNT else (1, self.accounts)


class Draw(msgspec.Struct, frozen=True):
    """What a message will be: its network, the number of its kind there, minor units."""

    network: str
    kind: int
    amount: int


def drawn(plan: Plan, random: Random) -> list[Draw]:
    """A sequence of messages by their weights, networks alike, to be sent over and over."""
    networks = plan.profile.networks
    choices = [(network, number) for network in networks for number in range(len(KINDS[network]))]
    weights = accumulate(
        kind.weight / sum(each.weight for each in KINDS[network])
        for network in networks
        for kind in KINDS[network]
    )
    picked = random.choices(choices, cum_weights=list(weights), k=_DRAWN)
    return [Draw(network, kind, draw_amount(random)) for network, kind in picked]
