"""The ledger under load, on a fresh database, beside the same work one row a transaction.

The database's durability stays on. Everything is asked through `LedgerWriter`, as the gateway asks,
with so many commands under way at any time; a latency is from the submission to the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter, perf_counter_ns

from cardrail import bench_opening
from cardrail.bare_transactions import bare_batch, bare_transaction
from cardrail.bench_commands import Load
from cardrail.bench_database import fresh_database
from cardrail.bench_history import load_accounts, load_past
from cardrail.bench_opening import open_accounts, opened
from cardrail.bench_rows import Row, nanoseconds, row_of
from ledger.audit import audit
from ledger.commands import AnyCommand, Decision, SpendingLimits
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.writer import LedgerWriter, Undecided

_LIMITS = SpendingLimits(day_amount=10**12, day_count=10**9)
_ACCOUNTS_BEFORE_PAST = 1000
_HOT_ACCOUNT = 1
_WARM_UP = 1000  # commands
_LOG_BYTES_A_COMMAND = 5 * 1500  # of as many rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(bench_opening.Plan):
    """What to measure: `count` commands for each row, `batch` of them in flight.

    With `past`, once more on all of `accounts`, and then with so many past authorizations on them;
    everything else is measured before they are there, on a thousand.
    """

    past: int = 0


def measure(plan: Plan) -> Iterator[Row]:
    """Each row as soon as it is measured; at the end the books must balance.

    Raises
    ------
    AssertionError
        If they do not.
    """
    log_bytes = plan.count * _LOG_BYTES_A_COMMAND
    with (
        fresh_database(plan.engine, plan.url, log_bytes=log_bytes) as url,
        opened(url) as database,
    ):
        yield from _with_accounts(plan, url, database)
        if plan.past:
            yield from _with_past(plan, database)
        with database.reading() as connection:
            report = audit(connection)
        assert report.clean, report.disagreements[:3]


def _with_accounts(plan: Plan, url: str, database: Database) -> Iterator[Row]:
    count, batch = plan.count, plan.batch
    accounts = min(plan.accounts, _ACCOUNTS_BEFORE_PAST) if plan.past else plan.accounts
    ledger = Ledger(database)
    open_accounts(ledger, accounts)
    load = Load(seed=plan.seed, accounts=accounts)
    _warm_up(database, load, batch)
    alone = min(count, 2000)
    held = load.holds(count)
    yield _row(plan, "holds", batch, _answer_all(database, held, batch))
    limited = load.holds(count, limits=_LIMITS)
    yield _row(plan, "holds with daily limits", batch, _answer_all(database, limited, batch))
    hot = load.holds(count, account_id=_HOT_ACCOUNT)
    yield _row(plan, "holds on one account", batch, _answer_all(database, hot, batch))
    cleared = [load.clearing(each) for each in held]
    yield _row(plan, "clearings", batch, _answer_all(database, cleared, batch))
    with bare_batch(url, batch) as bare:
        measured = _time_each(bare, max(1, count // batch))
        yield _row(plan, "bare batch of the driver", batch, measured.times(batch))
    single = _answer_all(database, load.holds(alone), batch, batch_limit=1)
    yield _row(plan, "holds, one a transaction", batch, single)
    yield _row(plan, "holds one at a time", 1, _apply_each(ledger, load.holds(alone)))
    with bare_transaction(url) as bare:
        yield _row(plan, "bare transaction of the driver", 1, _time_each(bare, alone))


def _with_past(plan: Plan, database: Database) -> Iterator[Row]:
    """The rate once there are many accounts, and then with the past of each."""
    load_accounts(database, plan.accounts)
    load = Load(seed=plan.seed + 1, accounts=plan.accounts)
    name = f"holds, {plan.accounts:,} accounts"
    for past in ("", f", {plan.past:,} past"):
        if past:
            load_past(database, accounts=plan.accounts, authorizations=plan.past)
        _warm_up(database, load, plan.batch)
        held = load.holds(plan.count)
        yield _row(plan, name + past, plan.batch, _answer_all(database, held, plan.batch))


@dataclass(frozen=True, slots=True)
class _Measured:
    seconds: float
    nanoseconds: Sequence[int]
    errors: int = 0
    each: int = 1  # how many commands one call was for

    def times(self, count: int) -> _Measured:
        return replace(self, each=count)


def _row(plan: Plan, name: str, in_flight: int, measured: _Measured) -> Row:
    latencies = nanoseconds()
    for value in measured.nanoseconds:
        latencies.record_value(value)
    return row_of(
        name,
        plan.engine,
        latencies,
        done=len(measured.nanoseconds) * measured.each,
        seconds=measured.seconds,
        in_flight=in_flight,
        errors=measured.errors,
    )


def _warm_up(database: Database, load: Load, batch: int) -> None:
    """Statements are prepared; a server gets the statistics that it makes itself each minute."""
    held = load.holds(_WARM_UP)
    _answer_all(database, held, batch)
    _answer_all(database, [load.clearing(each) for each in held[:batch]], batch)
    with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE")


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
