"""The accounts on the other side of a wallet's entries: settlement, fees, suspense and so on.

Each shard has its own, so that a posting never leaves the shard of its wallet. Their ids are
negative and follow from what they are: any process finds them without asking.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from itertools import count
from typing import TypeAlias

ShardOf: TypeAlias = Callable[[int], int]


class AccountKind(StrEnum):
    """What an account is for. All but wallets are the house's own."""

    WALLET = "wallet"
    SETTLEMENT = "settlement"  # owed to a network for what it has cleared
    FEE = "fee"  # earned
    POINTS = "points"  # owed to cardholders as points
    SUSPENSE = "suspense"  # credits that nobody was found for
    FUNDING = "funding"  # where opening balances and points come from


def one_shard(_account_id: int) -> int:
    """Everything on shard 0: an embedded ledger."""
    return 0


@cache
def house_account(
    kind: AccountKind, network: str, currency: str, shard: int, shard_of: ShardOf = one_shard
) -> int:
    """The id of the shard's account of that kind; `network` is blank for all but settlement."""
    assert kind is not AccountKind.WALLET
    return _key_on(shard, f"{kind}/{network}/{currency}", shard_of)


@cache
def outbox_key(shard: int, shard_of: ShardOf = one_shard) -> int:
    """The `account_id` under which a shard keeps its events: together, and in their order."""
    return _key_on(shard, "outbox", shard_of)


def _key_on(shard: int, name: str, shard_of: ShardOf) -> int:
    names = (f"{name}/{shard}/{salt}" for salt in count())
    candidates = (-int.from_bytes(blake2b(name.encode(), digest_size=7).digest()) for name in names)
    # A few tries find an id that lives on the shard it serves.
    return next(account_id for account_id in candidates if shard_of(account_id) == shard)
