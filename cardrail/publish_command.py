"""`cardrail publish`: tells subscribers what has happened, over MQTT and off the hot path.

A process of its own beside the gateway, on the same ledger: killed at any instant it goes on where
it was. A second one stands by and takes over.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from typing import Annotated, Any, TypeVar

import structlog
import typer

from cardrail.beside import start_beside
from cardrail.settings import Settings, masked_url
from gateway.mqtt import BrokerLost
from gateway.publisher import ShardPublisher, shard_publishers
from gateway.publishing_terms import BrokerAddress
from ledger.house import Placement
from ledger.shards import Shards

_log = structlog.get_logger()

_Result = TypeVar("_Result")


def publish(
    ledger: Annotated[
        str | None, typer.Option(help="Where the money is kept.", metavar="URL")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="The broker: mqtt://HOST:PORT.", metavar="URL")
    ] = None,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Publish what there is, print how much, and end.")
    ] = False,
) -> None:
    """Publish events as CloudEvents until SIGTERM or SIGINT (docs/EVENTS.md).

    Settings come from CARDRAIL_ variables (deploy/cardrail.env.sample); options go before them.
    While the broker is away events wait in the ledger. With --once the exit status is 1 if it is.

    Example: cardrail publish --mqtt mqtt://127.0.0.1:1883
    """
    with ExitStack() as resources:
        settings, database = start_beside("publish", resources, ledger=ledger, mqtt=mqtt)
        publishers = shard_publishers(
            Shards([database], Placement()),
            BrokerAddress.of(settings.mqtt),
            settings.publishing_terms(),
        )
        if not once:
            _run_loop(_run(publishers, settings))
        elif not _run_once(publishers):
            raise typer.Exit(1)


async def _run(publishers: Sequence[ShardPublisher], settings: Settings) -> None:
    """Publish until a signal comes; then end after what is in flight."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    broker = masked_url(settings.mqtt)
    _log.info("ready", ledger=masked_url(settings.ledger), mqtt=broker)
    print(json.dumps({"ready": True, "mqtt": broker}), flush=True)  # noqa: T201 - data
    async with asyncio.TaskGroup() as group:
        for publisher in publishers:
            group.create_task(publisher.run(stopping))
    _log.info("stopped", **_published(publishers))


def _run_once(publishers: Sequence[ShardPublisher]) -> bool:
    """Whether all of it was published."""

    async def publish_all() -> bool:
        try:
            for publisher in publishers:
                await publisher.publish_waiting()
        except BrokerLost as error:
            _log.error("not published", reason=str(error))
            return False
        return True

    done = _run_loop(publish_all())
    print(json.dumps(_published(publishers)), flush=True)  # noqa: T201 - data
    return done


def _published(publishers: Sequence[ShardPublisher]) -> dict[str, int]:
    return {"published": sum(each.published_count for each in publishers)}


def _run_loop(work: Coroutine[Any, Any, _Result]) -> _Result:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)
