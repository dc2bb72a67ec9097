"""A ledger over several databases, each with the accounts of one shard.

A transaction never leaves its shard: the house's accounts, the outbox and the points of a wallet
live beside it (`house.Placement`). What is asked of all shards is asked of one after another; it
is no single view of them, and none is needed, for each balances by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import msgspec

from ledger.audit import AuditReport, audit
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger, Wallet
from ledger.writer import LedgerWriter


class Shards:
    """The databases of a ledger, in the order of their shards; used by one thread at a time."""

    def __init__(self, databases: Sequence[Database], placement: Placement) -> None:
        if len(databases) != placement.shard_count:
            told = f"{len(databases)} databases, expected {placement.shard_count}"
            raise ValueError(f"the ledger has {told}, one for each shard")
        self.placement = placement
        self.databases = tuple(databases)
        self.ledgers = tuple(Ledger(each, placement=placement) for each in databases)

    @classmethod
    def open(cls, urls: Sequence[str], placement: Placement) -> Shards:
        """Open the database of each shard.

        Raises
        ------
        ValueError
            If a URL cannot be used, or their number is not that of the shards.
        """
        with ExitStack() as opened:
            databases = []
            for url in urls:
                databases.append(Database.open(url))
                opened.callback(databases[-1].close)
            made = cls(databases, placement)
            opened.pop_all()
        return made

    def create_schema(self) -> None:
        """Make the tables that are not there, on every shard."""
        for ledger in self.ledgers:
            ledger.create_schema()

    def writer(self, *, capacity: int = 4096, batch_limit: int = 256) -> LedgerWriter:
        """A writer whose batches are grouped by shard and lane."""
        lanes = range(self.placement.lanes)
        ledgers = [
            Ledger(database, placement=self.placement) for database in self.databases for _ in lanes
        ]
        return LedgerWriter(ledgers, self.placement, capacity=capacity, batch_limit=batch_limit)

    def open_wallets(self, wallets: Sequence[Wallet]) -> int:
        """Open those that do not exist, each on its shard; how many it were."""
        groups: dict[int, list[Wallet]] = {}
        for wallet in wallets:
            groups.setdefault(self.placement.shard_of(wallet.account_id), []).append(wallet)
        return sum(self.ledgers[shard].open_wallets(group) for shard, group in groups.items())

    def expire(self, now: int) -> int:
        """Release every hold that is due at `now` (microseconds); how many it were."""
        return sum(ledger.expire(now) for ledger in self.ledgers)

    def audit(self) -> AuditReport:
        """Every shard's audit, added up; a subject tells its shard."""
        counts: dict[str, int] = {}
        totals: dict[str, int] = {}
        disagreements = []
        for shard, database in enumerate(self.databases):
            with database.reading() as connection:
                report = audit(connection)
            _add(counts, report.counts)
            _add(totals, report.totals)
            disagreements += [
                msgspec.structs.replace(each, subject=f"shard {shard} {each.subject}")
                for each in report.disagreements
            ]
        return AuditReport(counts, totals, tuple(disagreements))

    def close(self) -> None:
        """Give back every connection."""
        for database in self.databases:
            database.close()


def _add(sums: dict[str, int], more: dict[str, int]) -> None:
    for name, number in more.items():
        sums[name] = sums.get(name, 0) + number
