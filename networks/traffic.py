"""What traffic is made of: weighted choices, prices, merchants, and the plan of one authorization.

Everything is a pure function of a seeded :class:`random.Random`. All dice of an authorization are
thrown when it is planned, so its course never depends on when an answer arrives.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate
from random import Random
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from networks.wire.messages import CardRequest
from networks.wire.pan import TEST_EXPIRY, synthetic_pan

T = TypeVar("T")

_UNKNOWN_CARDS_FROM = 900_000_001  # far above any seeded card
_WRONG_EXPIRY = "2906"


class Weighted(Generic[T]):
    """A table of weights to choose from; the weights need not sum to one."""

    __slots__ = ("_limits", "_values")

    def __init__(self, weights: Mapping[T, float]) -> None:
        total = sum(weights.values())
        self._values = tuple(weights)
        self._limits = [limit / total for limit in accumulate(weights.values())][:-1]

    def pick(self, random: Random) -> T:
        """One of the values."""
        return self._values[bisect_right(self._limits, random.random())]


class Pricing(StrEnum):
    """How prices of a trade end."""

    YEN = "yen"  # any yen
    TEN = "ten"  # a multiple of 10
    CHARM = "charm"  # 980, 1,980, 12,800
    HUNDRED = "hundred"
    THOUSAND = "thousand"


_MULTIPLE: Mapping[Pricing, int] = MappingProxyType(
    {Pricing.YEN: 1, Pricing.TEN: 10, Pricing.HUNDRED: 100, Pricing.THOUSAND: 1000}
)


class Prices(msgspec.Struct, frozen=True):
    """Amounts of a trade in minor units: log-normal around `median`, a Pareto tail for a few."""

    median: int
    spread: float
    largest: int
    pricing: Pricing = Pricing.YEN

    def draw(self, random: Random) -> int:
        """One amount between the smallest price of its kind and `largest`."""
        amount = random.lognormvariate(math.log(self.median), self.spread)
        if random.random() < _TAIL_SHARE:
            amount *= random.paretovariate(_TAIL_EXPONENT)
        return _priced(min(round(amount), self.largest), self.pricing)


_TAIL_SHARE, _TAIL_EXPONENT = 0.02, 1.3


def _priced(amount: int, pricing: Pricing) -> int:
    """The nearest price at or below `amount` that ends as prices of its kind do.

    >>> _priced(2345, Pricing.CHARM), _priced(23456, Pricing.CHARM), _priced(3, Pricing.TEN)
    (1980, 22800, 10)
    """
    if pricing is not Pricing.CHARM:
        multiple = _MULTIPLE[pricing]
        return max(amount // multiple, 1) * multiple
    if amount < 10_000:
        return max((amount - 980) // 1000, 0) * 1000 + 980
    return (amount - 800) // 1000 * 1000 + 800


class Trade(msgspec.Struct, frozen=True):
    """A kind of merchant: MCC, what its shops are called, what they charge."""

    category: str
    names: tuple[str, ...]
    prices: Prices


class Place(msgspec.Struct, frozen=True):
    """Where a shop is: branch and city as names show them, ISO 3166 country both ways."""

    branch: str
    city: str
    country: str = "JP"
    country_number: str = "392"


class Merchant(msgspec.Struct, frozen=True):
    """One shop with one terminal."""

    category: str
    name: str  # DE 43
    terminal: str  # DE 41
    identity: str  # DE 42
    country_number: str
    prices: Prices


def shop_name(name: str, place: Place) -> str:
    """DE 43: 25 characters of name, 13 of city, 2 of country."""
    label = f"{name} {place.branch}".strip()
    return f"{label:<25.25}{place.city:<13.13}{place.country:<2.2}"


class Spoiled(StrEnum):
    """What is wrong with the card of a request."""

    NOTHING = "nothing"
    UNKNOWN_CARD = "unknown card"
    WRONG_EXPIRY = "wrong expiry"


SPOILED: Mapping[Spoiled, float] = MappingProxyType(
    {Spoiled.NOTHING: 0.988, Spoiled.UNKNOWN_CARD: 0.006, Spoiled.WRONG_EXPIRY: 0.006}
)
_SPOILED = Weighted(SPOILED)


class Card(msgspec.Struct, frozen=True):
    """The card that is presented."""

    pan: str
    expiry: str
    spoiled: Spoiled


def draw_card(random: Random, cards: int, *, spoil: bool = True) -> Card:
    """One of the seeded cards 1 to `cards`; now and then an unknown one or a wrong expiry."""
    spoiled = _SPOILED.pick(random) if spoil else Spoiled.NOTHING
    number = random.randrange(cards) + 1
    if spoiled is Spoiled.UNKNOWN_CARD:
        number = _UNKNOWN_CARDS_FROM + number % 1000
    expiry = _WRONG_EXPIRY if spoiled is Spoiled.WRONG_EXPIRY else TEST_EXPIRY
    return Card(synthetic_pan(number), expiry, spoiled)


class Purpose(StrEnum):
    """What an authorization is for."""

    PURCHASE = "purchase"
    CASH = "cash"
    CREDIT = "credit"
    VERIFICATION = "verification"
    INQUIRY = "inquiry"


class Course(StrEnum):
    """What happens to an authorization between its request and its clearing."""

    PLAIN = "plain"
    LOST_ANSWER = "lost answer"  # the answer is not believed to have come: repeat
    TIMED_OUT = "timed out"  # the same, and the network reverses instead
    STOOD_IN = "stood in"  # the same, and the network decides and advises
    CANCELLED = "cancelled"  # the customer changes their mind
    PARTLY_REVERSED = "partly reversed"  # less is delivered than was authorized
    OVERTAKEN = "overtaken"  # the reversal arrives before its original


class Settlement(StrEnum):
    """How an approval is cleared."""

    EXACT = "exact"
    UNDER = "under"  # less than is held, and nothing more to come
    PARTS = "parts"  # sequence 1 to n of n
    OVER = "over"  # a tip, a rate that moved
    NEVER = "never"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization from beginning to end, with every die thrown.

    Attributes
    ----------
    request
        Opens it: a request, a stand-in advice or a force post. It carries the amount.
    course, settlement
        What happens when it is approved. Pretended losses happen to declines, too.
    course_seconds, clearing_seconds
        How long after the answer before the course goes on, or clearing begins.
    increments
        Amounts asked for on top, one after another (hotels).
    completion
        The actual amount, advised when the pump stops (fuel); ``None`` elsewhere.
    clearing_count
        n of `Settlement.PARTS`.
    over_permille, kept_permille
        What `Settlement.OVER` clears of what is held; what `Settlement.UNDER` clears and a
        partial reversal leaves.
    """

    channel: str
    purpose: Purpose
    request: CardRequest
    course: Course = Course.PLAIN
    settlement: Settlement = Settlement.NEVER
    course_seconds: float = 0.0
    clearing_seconds: float = 0.0
    increments: tuple[int, ...] = ()
    completion: int | None = None
    clearing_count: int = 1
    over_permille: int = 1000
    kept_permille: int = 1000


class Fate(msgspec.Struct, frozen=True):
    """The weights of courses and settlements for one kind of traffic."""

    courses: Weighted[Course]
    settlements: Weighted[Settlement]


class Pace(msgspec.Struct, frozen=True):
    """How long things take in one run, in seconds."""

    course_longest: float
    clearing_longest: float


def draw_fate(random: Random, fate: Fate, pace: Pace, plan: Plan, card: Card) -> Plan:
    """`plan` with its course and settlement drawn; a spoiled card is declined and that is all."""
    course = fate.courses.pick(random)
    if card.spoiled is not Spoiled.NOTHING and course is not Course.LOST_ANSWER:
        course = Course.PLAIN
    return msgspec.structs.replace(
        plan,
        course=course,
        settlement=fate.settlements.pick(random),
        course_seconds=random.uniform(0.1, 1.0) * pace.course_longest,
        clearing_seconds=random.uniform(0.2, 1.0) * pace.clearing_longest,
        clearing_count=random.randint(2, 4),
        over_permille=random.randint(1020, 1200),
        kept_permille=random.randint(200, 900),
    )
