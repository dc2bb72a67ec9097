"""docs/EVENTS.md: its table, its event, and the subscriber that it shows."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cardrail.broker import EmbeddedBroker, installed
from gateway.asyncapi import document
from gateway.cloud_events import decode_cloud_event
from gateway.event_types import EVENT_TYPES
from gateway.publisher import shard_publishers
from gateway.publishing_terms import BrokerAddress, PublishingTerms
from ledger.house import Placement
from ledger.shards import Shards
from tests.gateway.test_cloud_events import validator
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger

WAIT = 30
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "EVENTS.md").read_text()


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    return str(found)


def test_the_table_has_every_type() -> None:
    rows = re.findall(r"^\| `(\w+/\w+)` \| (.+) \| (\w+) \|$", TEXT, re.MULTILINE)
    assert rows == [
        (name.replace(".", "/"), each.says, each.subject) for name, each in EVENT_TYPES.items()
    ]


def test_the_event_is_one() -> None:
    shown = block("json")
    assert decode_cloud_event(shown.encode()).type == "cardrail.authorization.approved"
    validator(document("1.0.0"), "authorization.approved")(json.loads(shown))


def test_the_subscriber_works(tmp_path: Path) -> None:
    """It has what was published while it was away, and what it asked for alone."""
    program = tmp_path / "subscriber.py"
    program.write_text(block("python"))
    with EmbeddedBroker() as broker, fresh_ledger(Engine.SQLITE) as url:
        address = BrokerAddress.of(broker.url)
        with subscriber(program, address) as output:
            assert next(output) == "subscribed\n"
        books = Books(url)
        books.ledger.apply([books.fund(10), books.authorize(300), books.authorize(5000)])
        [publisher] = shard_publishers(
            Shards([books.database], Placement()), address, PublishingTerms()
        )
        asyncio.run(publisher.publish_waiting())
        books.close()
        with subscriber(program, address) as output:
            assert sorted(next(output) for _ in range(3)) == [
                "cardrail.authorization.approved 300 JPY\n",
                "cardrail.authorization.declined 0 JPY\n",
                "subscribed\n",
            ]


@contextmanager
def subscriber(program: Path, address: BrokerAddress) -> Iterator[Iterator[str]]:
    """What it prints."""
    command = [sys.executable, str(program), address.host, str(address.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout
        finally:
            process.kill()


def test_the_sample_configuration_of_the_broker_is_valid() -> None:
    command = [str(installed()), "-t", "-c", str(ROOT / "deploy" / "nats.conf")]
    assert subprocess.run(command, capture_output=True, timeout=WAIT, check=False).returncode == 0
