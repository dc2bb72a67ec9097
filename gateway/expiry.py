"""When an uncleared hold ends: a table over merchant category, channel and estimate (DOMAIN 2.6).

The first row that fits gives the days. A hold that has ended can still be cleared later: the
clearing then posts without it.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from gateway.business_day import DAY_MICROSECONDS
from gateway.channels import is_remote
from gateway.transactions import FUEL_CATEGORIES
from networks.wire.messages import CardRequest


class ExpiryRule(msgspec.Struct, frozen=True, gc=False):
    """One row; ``None`` fits everything."""

    days: int
    categories: frozenset[str] | None = None
    remote: bool | None = None
    estimated: bool | None = None


TRAVEL_CATEGORIES = frozenset(
    {*(str(number) for number in range(3351, 4000)), "7011", "7012", "7512"}
)

EXPIRY_RULES = (
    ExpiryRule(30, categories=TRAVEL_CATEGORIES),  # hotels, car rental: long stays, late charges
    ExpiryRule(30, categories=FUEL_CATEGORIES, estimated=True),  # no completion advice in Japan
    ExpiryRule(30, estimated=True),
    ExpiryRule(10, remote=True),  # goods are shipped before they are cleared
    ExpiryRule(7),
)


def is_travel(request: CardRequest) -> bool:
    """Whether the merchant's first amount is only an estimate: hotels and car rental."""
    return request.merchant_category in TRAVEL_CATEGORIES


def expires_at(request: CardRequest, at: int, *, estimated: bool) -> int:
    """When a hold made at `at` (microseconds) for `request` ends."""
    days = days_for(request.merchant_category, is_remote(request), estimated)
    return at + days * DAY_MICROSECONDS


@lru_cache(maxsize=4096)
def days_for(category: str, remote: bool, estimated: bool) -> int:  # noqa: FBT001 - keys of the cache
    """How long a hold of that merchant category, channel and estimate lasts."""
    return next(
        rule.days
        for rule in EXPIRY_RULES
        if (rule.categories is None or category in rule.categories)
        and rule.remote in (None, remote)
        and rule.estimated in (None, estimated)
    )
