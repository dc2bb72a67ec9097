"""What lives from events, measured on a fresh database: reading, posting points, finding by RRN.

The database's durability stays on. A latency is that of one batch, from fetching it to its commit;
the rate is in events. Half of the events are of holds, half of their clearings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter, perf_counter_ns

from cardrail.bench_commands import DAY, Load
from cardrail.bench_database import fresh_database
from cardrail.bench_opening import Plan, open_accounts, opened
from cardrail.bench_rows import Row, nanoseconds, row_of
from ledger import points, requests
from ledger.audit import audit
from ledger.commands import AnyCommand
from ledger.database import Database
from ledger.house import Placement
from ledger.ledger import Ledger
from ledger.outbox import Batch, Reader


def measure(plan: Plan) -> Iterator[Row]:
    """Each row as soon as it is measured; at the end the books must balance.

    Raises
    ------
    AssertionError
        If they do not.
    """
    with fresh_database(plan.engine, plan.url) as url, opened(url) as database:
        _commit_events(plan, Ledger(database))
        yield from _rows(plan, database)
        with database.reading() as connection:
            report = audit(connection)
        assert report.clean, report.disagreements[:3]


def _commit_events(plan: Plan, ledger: Ledger) -> None:
    open_accounts(ledger, plan.accounts)
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
    latencies = nanoseconds()
    events = errors = 0
    begin = perf_counter()
    start = perf_counter_ns()
    while (batch := reader.fetch()) is not None:
        errors += not work(reader, batch)
        events += len(batch.events)
        latencies.record_value(perf_counter_ns() - start)
        start = perf_counter_ns()
    seconds = perf_counter() - begin
    return row_of(
        name,
        plan.engine,
        latencies,
        done=events,
        seconds=seconds,
        in_flight=reader.events_at_once,
        errors=errors,
    )
