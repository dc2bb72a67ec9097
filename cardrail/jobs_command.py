"""`cardrail jobs`: what lives from events, and what is due, off the hot path.

A process of its own beside the gateway, on the same ledger: killed at any instant it goes on where
it was. Two of them do no harm, and nothing twice.
"""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Annotated

import structlog
import typer

from cardrail.beside import start_beside
from cardrail.rounds import Job, KeepGoing, Round, Rounds
from cardrail.settings import Settings, masked_url
from gateway.business_day import DAY_MICROSECONDS, BusinessCalendar
from ledger import points, requests
from ledger.house import Placement
from ledger.outbox import Batch, Reader, prune
from ledger.shards import Shards

_log = structlog.get_logger()


def jobs(
    ledger: Annotated[
        str | None, typer.Option(help="Where the money is kept.", metavar="URL")
    ] = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Do what there is to do, print it, and end.")
    ] = False,
) -> None:
    """Post points, make RRNs findable, expire holds and prune events until SIGTERM or SIGINT.

    Settings come from CARDRAIL_ variables (deploy/cardrail.env.sample); options go before them.
    With --once the exit status is 1 if a job failed.

    Example: cardrail jobs --ledger sqlite:///cardrail.db
    """
    with ExitStack() as resources:
        settings, database = start_beside("jobs", resources, ledger=ledger)
        rounds = Rounds(job_table(Shards([database], Placement()), settings))
        if not once:
            asyncio.run(_run(rounds, settings))
        elif _run_once(rounds).failed:
            raise typer.Exit(1)


def job_table(shards: Shards, settings: Settings) -> list[Job]:
    """Every job; those that read come first, so that nothing is pruned before they have begun."""
    placement = shards.placement
    calendar = BusinessCalendar(settings.business_day_offset_minutes)
    posting = points.PointsJob(placement, lambda at: calendar.day(at).number)
    outboxes = [
        (database, placement.outbox(shard)) for shard, database in enumerate(shards.databases)
    ]

    def readers(name: str, events_at_once: int) -> list[Reader]:
        return [
            Reader(database, outbox, name, events_at_once=events_at_once)
            for database, outbox in outboxes
        ]

    def post_points(reader: Reader, batch: Batch) -> bool:
        return reader.consume(batch, posting.post)

    def keep_requests(reader: Reader, batch: Batch) -> bool:
        requests.keep_requests(shards.databases, placement, batch.events)
        return reader.acknowledge(batch)

    def expire(_keep_going: KeepGoing) -> int:
        return shards.expire(_now())

    def prune_events(_keep_going: KeepGoing) -> int:
        before = _now() - settings.events_days * DAY_MICROSECONDS
        return sum(prune(database, outbox, before) for database, outbox in outboxes)

    often = settings.jobs_seconds
    posts = readers(points.READER, points.EVENTS_AT_ONCE)
    keeps = readers(requests.READER, requests.EVENTS_AT_ONCE)
    return [
        Job("points", often, partial(_read, posts, post_points)),
        Job("requests", often, partial(_read, keeps, keep_requests)),
        Job("expired", settings.expiry_seconds, expire),
        Job("pruned", settings.prune_seconds, prune_events),
    ]


def _read(
    readers: Sequence[Reader], work: Callable[[Reader, Batch], bool], keep_going: KeepGoing
) -> int:
    """How many events were new."""
    count = 0
    for reader in readers:
        while keep_going() and (batch := reader.fetch()) is not None:
            if work(reader, batch):
                count += len(batch.events)
    return count


def _now() -> int:
    return time.time_ns() // 1000


def _run_once(rounds: Rounds) -> Round:
    ended = _round(rounds, lambda: True, all_of_them=True)
    print(json.dumps(ended.done), flush=True)  # noqa: T201 - data
    return ended


async def _run(rounds: Rounds, settings: Settings) -> None:
    """Round after round until a signal comes; then one more, for as long as a stop may take."""
    stopping, awake = threading.Event(), asyncio.Event()

    def stop() -> None:
        stopping.set()
        awake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    _log.info("ready", ledger=masked_url(settings.ledger))
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - data
    while not stopping.is_set():
        await asyncio.to_thread(_round, rounds, lambda: not stopping.is_set())
        with suppress(TimeoutError):
            await asyncio.wait_for(awake.wait(), rounds.seconds_left(time.monotonic()))
    _log.info("stopping")
    end = time.monotonic() + settings.drain_seconds
    await asyncio.to_thread(_round, rounds, lambda: time.monotonic() < end, all_of_them=True)
    _log.info("stopped")


def _round(rounds: Rounds, keep_going: KeepGoing, *, all_of_them: bool = False) -> Round:
    """One round; a line tells what it did, if anything."""
    ended = rounds.run(time.monotonic(), keep_going, all_of_them=all_of_them)
    if ended.done:
        _log.info("jobs", **ended.done)
    return ended
