"""What the benchmarks of the ledger and of its events begin with: a plan, a ledger, its wallets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cardrail.bench_commands import AT, DAY
from cardrail.engine import Engine
from cardrail.migrating import bring_up_to_date
from ledger.database import Database
from ledger.ledger import Ledger, Wallet

_BALANCE = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much to measure: `count` commands or events on `accounts`, `batch` of them at once."""

    engine: Engine
    batch: int
    accounts: int
    count: int
    seed: int
    url: str | None = None


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The ledger at `url`, with its tables."""
    database = Database.open(url)
    try:
        bring_up_to_date(database)
        yield database
    finally:
        database.close()


def open_accounts(ledger: Ledger, count: int) -> None:
    """Wallets 1 to `count`, each with more than is asked of it."""
    wallets = (
        Wallet(account_id=number, currency="JPY", at=AT, day=DAY, opening_balance=_BALANCE)
        for number in range(1, count + 1)
    )
    ledger.open_wallets(list(wallets))
