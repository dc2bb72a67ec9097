"""Declines come from running gateways, past approvals and too many of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.control_client import GatewayControl
from gateway.control_messages import MOST_DECLINES
from gateway.dashboard.last_declines import LastDeclines
from gateway.dashboard.overview_markup import decline_row
from gateway.feed import Feed
from gateway.records import DecisionRecord
from networks.wire.pan import synthetic_pan
from tests.gateway.controlling import controlled, runtime_folder
from tests.gateway.running import Running, fresh, meanwhile, new_card, run, running, until
from tests.gateway.samples import purchase

APPROVED = DecisionRecord(
    at=1, network="visanet", mti="0100", response_code="00", outcome="APPROVED"
)
DECLINED = replace(APPROVED, response_code="51", outcome="INSUFFICIENT_FUNDS")


@asynccontextmanager
async def following(feed: Feed, control: GatewayControl) -> AsyncIterator[LastDeclines]:
    declines = LastDeclines(control)
    async with meanwhile(declines.run()):
        await until(lambda: feed.is_read)
        yield declines


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[tuple[Running, LastDeclines]]:
    with runtime_folder() as runtime:
        async with (
            running(folder, new_card()) as gateway,
            controlled(gateway, runtime) as control,
            following(gateway.feed, control) as declines,
        ):
            yield gateway, declines


def test_every_page_is_told_of_a_decline_and_of_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with followed(tmp_path) as (gateway, declines):
            shown: list[list[DecisionRecord]] = []
            declines.changed.subscribe(lambda: shown.append([*declines.newest]))
            line = await gateway.dial()
            await line.ask(purchase(pan=new_card().pan, **fresh()))
            await line.ask(purchase(pan=synthetic_pan(9), **fresh()))
            await until(lambda: bool(shown))
            _, declined = gateway.records
            assert shown == [[declined]]
            assert declined.response_code == "14"

    run(scenario)


def test_many_approvals_hide_no_decline(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with followed(tmp_path) as (gateway, declines):
            for _ in range(5000):
                gateway.feed.put(APPROVED, b"", b"")
            gateway.feed.put(DECLINED, b"", b"")
            await until(lambda: bool(declines.newest))
            assert declines.newest == (DECLINED,)
            assert not declines.is_sampled

    run(scenario)


def test_of_too_many_declines_a_part_is_shown_and_it_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with followed(tmp_path) as (gateway, declines):
            for number in range(10 * MOST_DECLINES):
                gateway.feed.put(replace(DECLINED, at=number), b"", b"")
            await until(lambda: bool(declines.newest))
            newest_first = [each.at for each in declines.newest]
            assert newest_first == [*reversed(range(MOST_DECLINES))]
            assert declines.is_sampled
            declines._dropped_at -= 60.0
            assert not declines.is_sampled

    run(scenario)


@pytest.mark.parametrize(
    ("record", "leads_to"),
    [
        (replace(DECLINED, account_id=7, authorization_id=9, rrn="632601000101"), "/inspect/7/9"),
        (replace(DECLINED, account_id=7, rrn="632601000101"), "/inspect/632601000101"),
        (replace(DECLINED, rrn="<6/3>"), "/inspect/%3C6%2F3%3E"),
        (DECLINED, ""),
    ],
)
def test_a_decline_leads_to_its_timeline(record: DecisionRecord, leads_to: str) -> None:
    """By its RRN, where the ledger has nothing of it."""
    _, why, _, _ = decline_row(record)
    assert "insufficient funds" in why
    assert (f'href="{leads_to}"' in why) is bool(leads_to)
