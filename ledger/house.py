"""The accounts on the other side of a wallet's entries: settlement, fees, suspense and so on.

Each shard has its own, so that a posting never leaves the shard of its wallet; and within a shard
each lane, so that writers of different lanes do not wait for each other; points have a lane of
their own. Reports sum over them.
Their ids are negative and follow from what they are: any process finds them without asking.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import count
from typing import TypeAlias

import msgspec

ShardOf: TypeAlias = Callable[[int], int]

_POINTS_LANE = -1  # of the job that posts them: no writer waits for it
_SPREAD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: neighbours land far apart
_ALL = 2**64 - 1


class AccountKind(StrEnum):
    """What an account is for. All but wallets and points are the house's own."""

    WALLET = "wallet"
    SETTLEMENT = "settlement"  # owed to a network for what it has cleared
    FEE = "fee"  # earned
    SUSPENSE = "suspense"  # credits that nobody was found for
    RECEIVABLE = "receivable"  # lent to wallets that were cleared below what they had
    FUNDING = "funding"  # where transfers and points come from
    POINTS = "points"  # a cardholder's, confirmed by clearings
    POINTS_PENDING = "points pending"  # a cardholder's, while holds are pending


def one_shard(_account_id: int) -> int:
    """Everything on shard 0: a ledger in one database."""
    return 0


@cache
def by_remainder(shard_count: int) -> ShardOf:
    """Accounts over shards by the remainder of their ids."""
    return lambda account_id: account_id % shard_count


class Placement(msgspec.Struct, frozen=True, gc=False):
    """Where accounts are kept, and which writer writes them.

    `shard_of` tells an account's shard, one transaction's reach, of `shard_count`. `lanes` is how
    many writers share a shard; it may change from one start to the next.
    """

    shard_of: ShardOf = one_shard
    shard_count: int = 1
    lanes: int = 1

    def lane_of(self, account_id: int) -> int:
        """The lane of an account on its shard."""
        if self.lanes == 1:
            return 0
        return ((account_id * _SPREAD & _ALL) >> 32) * self.lanes >> 32

    def writer_of(self, account_id: int) -> int:
        """The place of its writer among those of all shards and lanes."""
        return self.shard_of(account_id) * self.lanes + self.lane_of(account_id)

    def house_account(self, kind: AccountKind, network: str, currency: str, account_id: int) -> int:
        """The id of the house's account beside `account_id`.

        `network` is blank for all but settlement.
        """
        shard = self.shard_of(account_id)
        return _house(kind, network, currency, shard, self.lane_of(account_id), self.shard_of)

    def points_account(self, kind: AccountKind, wallet_id: int, currency: str) -> int:
        """The id of a wallet's account of points, on the wallet's shard."""
        return _points(kind, wallet_id, currency, self.shard_of)

    def points_funding(self, wallet_id: int, currency: str) -> int:
        """The id of the house's account that a wallet's points come from, on the wallet's shard."""
        shard = self.shard_of(wallet_id)
        return _house(AccountKind.FUNDING, "", currency, shard, _POINTS_LANE, self.shard_of)

    def outbox(self, shard: int) -> int:
        """The `account_id` under which a shard keeps its events: together, and in their order."""
        return _outbox(shard, self.shard_of)


@cache
def _house(  # noqa: PLR0913, PLR0917 - what an id follows from
    kind: AccountKind, network: str, currency: str, shard: int, lane: int, shard_of: ShardOf
) -> int:
    return _key_on(shard, f"{kind}/{network}/{currency}/{lane}", shard_of)


@lru_cache(maxsize=100_000)
def _points(kind: AccountKind, wallet_id: int, currency: str, shard_of: ShardOf) -> int:
    return _key_on(shard_of(wallet_id), f"{kind}/{wallet_id}/{currency}", shard_of)


@cache
def _outbox(shard: int, shard_of: ShardOf) -> int:
    return _key_on(shard, "outbox", shard_of)


def _key_on(shard: int, name: str, shard_of: ShardOf) -> int:
    """A few tries find an id that lives on the shard it serves."""
    names = (f"{name}/{shard}/{salt}" for salt in count())
    candidates = (_negative(blake2b(each.encode(), digest_size=8).digest()) for each in names)
    return next(account_id for account_id in candidates if shard_of(account_id) == shard)


def _negative(digest: bytes) -> int:
    """62 bits of it, below zero."""
    return -(int.from_bytes(digest) >> 2) - 1
