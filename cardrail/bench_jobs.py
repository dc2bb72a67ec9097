"""What lives from events, measured on a fresh database: reading, posting points, finding by RRN.

The database's durability stays on. A latency is that of one batch, from fetching it to its commit;
the rate is in events. Half of the events are of holds, half of their clearings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter, perf_counter_ns

from hdrh.histogram import HdrHistogram

from cardrail.bench_commands import AT, DAY, Load
from cardrail.bench_database import fresh_database
from cardrail.bench_ledger import Row
from cardrail.engine import Engine
from ledger import points, requests
from ledger.audit import audit
from ledger.commands import AnyCommand
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger, Wallet
from ledger.outbox import Batch, Reader

_BALANCE = 10**12
_LONGEST_NANOSECONDS = 600 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many events, of commits of so many commands each."""

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
    with fresh_database(plan.engine, plan.url) as url:
        database = Database.open(url)
        try:
            _commit_events(plan, Ledger(database))
            yield from _rows(plan, database)
            with database.reading() as connection:
                report = audit(connection)
            assert report.clean, report.disagreements[:3]
        finally:
            database.close()


def _commit_events(plan: Plan, ledger: Ledger) -> None:
    ledger.create_schema()
    wallets = range(1, plan.accounts + 1)
    ledger.open_wallets(
        [
            Wallet(account_id=each, currency="JPY", at=AT, day=DAY, opening_balance=_BALANCE)
            for each in wallets
        ]
    )
    load = Load(seed=plan.seed, accounts=plan.accounts)
    held = load.holds(max(1, plan.count // 2))
    commands: list[AnyCommand] = [*held, *map(load.clearing, held)]
    for start in range(0, len(commands), plan.batch):
        ledger.apply(commands[start : start + plan.batch])


def _rows(plan: Plan, database: Database) -> Iterator[Row]:
    placement = Placement()
    job = points.PointsJob(placement, lambda _at: DAY)

    def post(reader: Reader, batch: Batch) -> bool:
        return reader.consume(batch, job.post)

    def keep(reader: Reader, batch: Batch) -> bool:
        requests.keep_requests([database], placement, batch.events)
        return reader.acknowledge(batch)

    for name, work, events_at_once in (
        ("events numbered and read", Reader.acknowledge, requests.EVENTS_AT_ONCE),
        ("events read", Reader.acknowledge, requests.EVENTS_AT_ONCE),
        ("points posted", post, points.EVENTS_AT_ONCE),
        ("requests kept", keep, requests.EVENTS_AT_ONCE),
    ):
        outbox = placement.outbox(0)
        yield _row(plan, name, Reader(database, outbox, name, events_at_once=events_at_once), work)


def _row(plan: Plan, name: str, reader: Reader, work: Callable[[Reader, Batch], bool]) -> Row:
    histogram = HdrHistogram(1, _LONGEST_NANOSECONDS, 3)
    events = errors = 0
    begin = perf_counter()
    start = perf_counter_ns()
    while (batch := reader.fetch()) is not None:
        errors += not work(reader, batch)
        events += len(batch.events)
        histogram.record_value(perf_counter_ns() - start)
        start = perf_counter_ns()
    seconds = perf_counter() - begin
    p50, p99, p999 = (histogram.get_value_at_percentile(each) / 1e6 for each in (50, 99, 99.9))
    return Row(
        name=name,
        engine=plan.engine.value,
        in_flight=reader.events_at_once,
        per_second=events / seconds,
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        seconds=seconds,
        errors=errors,
    )
