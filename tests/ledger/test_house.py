from __future__ import annotations

from itertools import product

from ledger.house import AccountKind, house_account, one_shard, outbox_key

KINDS = [kind for kind in AccountKind if kind is not AccountKind.WALLET]


def by_remainder(account_id: int) -> int:
    return account_id % 8


def test_house_accounts_are_found_without_asking_and_never_collide() -> None:
    ids = [
        house_account(kind, network, currency, 0)
        for kind, network, currency in product(KINDS, ["", "visanet", "quicpay"], ["JPY", "USD"])
    ]
    assert len(set(ids)) == len(ids)
    assert all(-(1 << 56) < each < 0 for each in ids)
    assert house_account(AccountKind.FEE, "", "JPY", 0) == ids[KINDS.index(AccountKind.FEE) * 6]


def test_the_accounts_of_a_shard_live_on_it() -> None:
    for shard in range(8):
        account = house_account(AccountKind.SETTLEMENT, "visanet", "JPY", shard, by_remainder)
        assert by_remainder(account) == shard
        assert by_remainder(outbox_key(shard, by_remainder)) == shard


def test_an_embedded_ledger_is_one_shard() -> None:
    assert {one_shard(account_id) for account_id in (-5, 0, 1, 1 << 62)} == {0}
