from __future__ import annotations

from collections import Counter
from itertools import product

from ledger.house import AccountKind, Placement, by_remainder, one_shard

KINDS = [kind for kind in AccountKind if kind is not AccountKind.WALLET]
ONE = Placement()
SHARDED = Placement(by_remainder(8), shard_count=8, lanes=2)
WALLETS = range(1, 200)


def test_house_accounts_are_found_without_asking_and_never_collide() -> None:
    names = list(product(KINDS, ["", "visanet", "quicpay"], ["JPY", "USD"]))
    ids = [ONE.house_account(*name, 1) for name in names]
    assert len(set(ids)) == len(ids)
    assert all(-(1 << 62) <= each < 0 for each in ids)
    assert ids == [Placement().house_account(*name, 2) for name in names]


def test_the_accounts_of_a_shard_live_on_it() -> None:
    for wallet_id in WALLETS:
        shard = SHARDED.shard_of(wallet_id)
        settlement = SHARDED.house_account(AccountKind.SETTLEMENT, "visanet", "JPY", wallet_id)
        points = SHARDED.points_account(AccountKind.POINTS, wallet_id, "JPY")
        assert {SHARDED.shard_of(each) for each in (settlement, points)} == {shard}
    for shard in range(8):
        assert SHARDED.shard_of(SHARDED.outbox(shard)) == shard


def test_each_lane_of_a_shard_has_its_own() -> None:
    fees = {
        (SHARDED.writer_of(each), SHARDED.house_account(AccountKind.FEE, "", "JPY", each))
        for each in WALLETS
    }
    assert len(fees) == len(dict(fees)) == len({fee for _, fee in fees}) == 16


def test_each_wallet_has_its_own_accounts_of_points() -> None:
    kinds = AccountKind.POINTS, AccountKind.POINTS_PENDING
    ids = {ONE.points_account(kind, wallet, "JPY") for kind in kinds for wallet in WALLETS}
    assert len(ids) == 2 * len(WALLETS)


def test_neighbours_are_spread_over_the_lanes() -> None:
    lanes = Counter(Placement(lanes=4).lane_of(each) for each in range(1, 10_001))
    assert sorted(lanes) == [0, 1, 2, 3]
    assert min(lanes.values()) > 2_000


def test_a_writer_is_a_lane_of_a_shard() -> None:
    for wallet_id in WALLETS:
        shard, lane = divmod(SHARDED.writer_of(wallet_id), 2)
        assert (shard, lane) == (wallet_id % 8, SHARDED.lane_of(wallet_id))


def test_an_embedded_ledger_is_one_shard_with_one_writer() -> None:
    assert {one_shard(account_id) for account_id in (-5, 0, 1, 1 << 62)} == {0}
    assert {ONE.writer_of(account_id) for account_id in WALLETS} == {0}
