"""The ledger under load, on a fresh database, beside the same work one row a transaction.

The database's durability stays on. Everything is asked through `LedgerWriter`, as the gateway asks,
with so many commands under way at any time; a latency is from the submission to the answer.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns

from hdrh.histogram import HdrHistogram

from cardrail.bare_transactions import bare_transaction
from cardrail.bench_database import fresh_database
from cardrail.engine import Engine
from ledger.audit import audit
from ledger.commands import AnyCommand, Authorize, Clear, Decision, Origin, Purpose, Reference
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.writer import LedgerWriter, Undecided

_AT = 1_800_000_000_000_000  # microseconds since the epoch
_BALANCE = 10**12
_AMOUNT = Money(500, "JPY")
_HOT_ACCOUNT = 1
_WARM_UP = 1000  # commands
_LONGEST_NANOSECONDS = 600 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of work, measured; `errors` counts what was not approved or not answered."""

    name: str
    engine: str
    in_flight: int
    per_second: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    seconds: float
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: `count` commands for each row, `batch` of them in flight."""

    engine: Engine
    batch: int
    accounts: int
    count: int
    seed: int
    url: str | None = None


def measure(plan: Plan) -> Iterator[Row]:
    """Each row as soon as it is measured; at the end the books must balance.

    Raises
    ------
    AssertionError
        If they do not.
    """
    with fresh_database(plan.engine, plan.url) as url, _opened(url) as database:
        ledger = Ledger(database)
        ledger.create_schema()
        _open_accounts(ledger, plan.accounts)
        load = _Load(plan)
        _warm_up(database, load, plan.batch)
        alone = min(plan.count, 2000)
        held = load.holds(plan.count)
        yield _row(plan, "holds", plan.batch, _answer_all(database, held, plan.batch))
        hot = load.holds(plan.count, account_id=_HOT_ACCOUNT)
        yield _row(plan, "holds on one account", plan.batch, _answer_all(database, hot, plan.batch))
        cleared = [load.clearing(each) for each in held]
        yield _row(plan, "clearings", plan.batch, _answer_all(database, cleared, plan.batch))
        single = _answer_all(database, load.holds(alone), plan.batch, batch_limit=1)
        yield _row(plan, "holds, one a transaction", plan.batch, single)
        yield _row(plan, "holds one at a time", 1, _apply_each(ledger, load.holds(alone)))
        with bare_transaction(url) as bare:
            yield _row(plan, "bare transaction of the driver", 1, _time_each(bare, alone))
        with database.reading() as connection:
            report = audit(connection)
        assert report.clean, report.disagreements[:3]


@dataclass(frozen=True, slots=True)
class _Measured:
    seconds: float
    nanoseconds: Sequence[int]
    errors: int = 0


def _row(plan: Plan, name: str, in_flight: int, measured: _Measured) -> Row:
    histogram = HdrHistogram(1, _LONGEST_NANOSECONDS, 3)
    for value in measured.nanoseconds:
        histogram.record_value(value)
    p50, p99, p999 = (histogram.get_value_at_percentile(each) / 1e6 for each in (50, 99, 99.9))
    return Row(
        name=name,
        engine=plan.engine.value,
        in_flight=in_flight,
        per_second=len(measured.nanoseconds) / measured.seconds,
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        seconds=measured.seconds,
        errors=measured.errors,
    )


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        database.close()


def _open_accounts(ledger: Ledger, count: int) -> None:
    wallets = (
        Wallet(account_id=number, currency="JPY", at=_AT, opening_balance=_BALANCE)
        for number in range(1, count + 1)
    )
    ledger.open_wallets(list(wallets))


def _warm_up(database: Database, load: _Load, batch: int) -> None:
    """Statements are prepared; a server gets the statistics that it makes itself each minute."""
    held = load.holds(_WARM_UP)
    _answer_all(database, held, batch)
    _answer_all(database, [load.clearing(each) for each in held[:batch]], batch)
    with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")


class _Load:
    """Commands as the gateway makes them, from one seed."""

    def __init__(self, plan: Plan) -> None:
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same load again is the point
        self._accounts = plan.accounts
        self._number = 0

    def holds(self, count: int, account_id: int | None = None) -> list[Authorize]:
        """Purchases on accounts at random, or all on one."""
        return [self._hold(account_id) for _ in range(count)]

    def clearing(self, hold: Authorize) -> Clear:
        """The clearing record of a purchase."""
        return Clear(
            account_id=hold.account_id,
            origin=self._origin(""),
            at=hold.at,
            reference=Reference(hold.origin.transaction_id, rrn=hold.origin.rrn),
            amount=hold.amount,
        )

    def _hold(self, account_id: int | None) -> Authorize:
        account_id = account_id or self._chance.randint(1, self._accounts)
        return Authorize(
            account_id=account_id,
            origin=self._origin(f"{self._number:015d}"),
            at=_AT + self._number * 20,
            instrument_id=account_id,
            day=20270115,
            details={"merchant": "KONBINI SHIBUYA 1", "country": "392"},
            purpose=Purpose.PURCHASE,
            amount=_AMOUNT,
            approval_code=f"{self._number % 1_000_000:06d}",
            expires_at=_AT + 7 * 86_400_000_000,
        )

    def _origin(self, transaction_id: str) -> Origin:
        self._number += 1
        trace = f"{self._number % 1_000_000:06d}0115{self._number:010d}"
        key, rrn = f"{trace}400552|00:{self._number:012d}:7", f"{self._number:012d}"
        return Origin("visanet", key, transaction_id, rrn, f"000000:500:392:M{self._number:014d}")


def _apply_each(ledger: Ledger, commands: Sequence[AnyCommand]) -> _Measured:
    waiting = iter(commands)
    return _time_each(lambda: ledger.apply([next(waiting)]), len(commands))


def _time_each(call: Callable[[], object], count: int) -> _Measured:
    nanoseconds = []
    begin = perf_counter()
    for _ in range(count):
        start = perf_counter_ns()
        call()
        nanoseconds.append(perf_counter_ns() - start)
    return _Measured(perf_counter() - begin, nanoseconds)


def _answer_all(
    database: Database,
    commands: Sequence[AnyCommand],
    in_flight: int,
    batch_limit: int | None = None,
) -> _Measured:
    """Have every command decided by a writer, `in_flight` of them at a time."""
    placement = Placement(lanes=database.lanes)
    ledgers = [Ledger(database, placement=placement) for _ in range(placement.lanes)]
    writer = LedgerWriter(ledgers, placement, batch_limit=batch_limit or in_flight)
    return asyncio.run(_Asking(commands).run(writer, in_flight))


class _Asking:
    """Submits the next command whenever one is answered."""

    def __init__(self, commands: Sequence[AnyCommand]) -> None:
        self._commands = commands
        self._next = 0
        self._nanoseconds: list[int] = []
        self._errors = 0
        self._done = asyncio.Event()

    async def run(self, writer: LedgerWriter, in_flight: int) -> _Measured:
        """Ask everything, and wait for the last answer."""
        self._writer = writer
        self._writer.start()
        begin = perf_counter()
        for _ in range(min(in_flight, len(self._commands))):
            self._ask()
        await self._done.wait()
        seconds = perf_counter() - begin
        await self._writer.stop()
        return _Measured(seconds, self._nanoseconds, self._errors)

    def _ask(self) -> None:
        command = self._commands[self._next]
        self._next += 1
        start = perf_counter_ns()
        self._writer.submit(command, lambda decision: self._answered(decision, start))

    def _answered(self, decision: Decision | Undecided, start: int) -> None:
        self._nanoseconds.append(perf_counter_ns() - start)
        if isinstance(decision, Undecided) or not decision.outcome.approved:
            self._errors += 1
        if self._next < len(self._commands):
            self._ask()
        elif len(self._nanoseconds) == len(self._commands):
            self._done.set()
