"""Two gateways on one ledger and one account with money for so many purchases, and no more."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest

from cardrail.keys import open_vault
from cardrail.processes import Children
from cardrail.seeding import Issuing, seed_wallets
from ledger.audit import audit
from ledger.database import Database
from ledger.reports import statement
from networks.wire.dialects import DIALECTS
from networks.wire.messages import CardRequest
from networks.wire.pan import synthetic_pan
from networks.wire.session import Session
from networks.wire.session_events import AnswerReceived
from networks.wire.session_limits import SessionLimits
from networks.wire.streams import connect
from tests.gateway.running import STATIONS, Network, card_response
from tests.gateway.samples import changed, purchase
from tests.ledger.engines import Engine, fresh_ledger

AMOUNT, APPROVALS, REQUESTS = 700, 100, 300
ACCOUNT = 1
HELD = AMOUNT * APPROVALS
READY_SECONDS, PATIENCE_SECONDS = 30, 60
SETTINGS = {
    "CARDRAIL_LEDGER_BATCH": "4",  # many small commits, so that the two get in each other's way
    # However slow the machine, nothing is decided too late and nothing refused at the door.
    "CARDRAIL_DEADLINE_SECONDS": str(PATIENCE_SECONDS),
    "CARDRAIL_CROWDED_SECONDS": str(PATIENCE_SECONDS),
}

Gateway = dict[str, str]  # address by network
Line = dict[str, Network]  # by name


@pytest.fixture(params=Engine)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with fresh_ledger(request.param, empty=True) as made:
        yield made


@contextmanager
def two_gateways(url: str, folder: Path) -> Iterator[list[Gateway]]:
    """Two processes that serve the ledger at `url`, with one card and money for `APPROVALS`."""
    keys = folder / "keys"
    database = Database.open(url)
    seed_wallets(database, Issuing(open_vault(url, keys)), ACCOUNT, HELD)
    database.close()
    with Children(folder, {**os.environ, **SETTINGS, "CARDRAIL_KEY_FILE": str(keys)}) as children:
        anywhere = ["--visanet", "127.0.0.1:0", "--quicpay", "127.0.0.1:0"]
        started = [
            children.start(
                name, ["serve", "--ledger", url, *anywhere, "--runtime", str(folder / name)]
            )
            for name in ("first", "second")
        ]
        yield [msgspec.json.decode(each.read_line(READY_SECONDS)) for each in started]
        assert [each.stop() for each in started] == [0, 0]


@asynccontextmanager
async def dialled(gateways: Sequence[Gateway]) -> AsyncIterator[list[Line]]:
    """A link of each network to each gateway."""
    lines = [{name: await dial(name, gateway[name]) for name in DIALECTS} for gateway in gateways]
    try:
        yield lines
    finally:
        for network in (each for line in lines for each in line.values()):
            network.link.close()
            await network.link.wait_closed()


async def dial(name: str, address: str) -> Network:
    network = Network()
    host, _, port = address.rpartition(":")
    station, peer = STATIONS[name]
    limits = SessionLimits(response_seconds=PATIENCE_SECONDS)
    session = Session(DIALECTS[name], station=peer, peer=station, limits=limits)
    network.link = await connect(host, int(port), session, network.on_event)
    return network


def purchases(first: int, count: int, amount: int = AMOUNT) -> list[tuple[str, CardRequest]]:
    """Different sales on the hot account, on both networks by turns."""
    names = list(DIALECTS)
    return [
        (name, sale(name, number, amount))
        for number in range(first, first + count)
        for name in [names[number % len(names)]]
    ]


def sale(name: str, number: int, amount: int) -> CardRequest:
    own = {"transaction_id": f"386326054{number:06d}"} if name == "visanet" else {}
    slip = {"slip": f"{number:05d}"} if name == "quicpay" else {}
    names = {"stan": f"{number:06d}", "rrn": f"632601{number:06d}"}
    return purchase(name, pan=synthetic_pan(ACCOUNT), amount=amount, **names, **own, **slip)


def repeated(sales: Sequence[tuple[str, CardRequest]]) -> list[tuple[str, CardRequest]]:
    return [(name, changed(request, mti="0101")) for name, request in sales]


async def ask(
    sales: Sequence[tuple[str, CardRequest]], lines: Sequence[Line]
) -> list[AnswerReceived]:
    """Send all at once: one of each network to the first gateway, then to the next, and so on."""
    return list(
        await asyncio.gather(
            *(
                lines[place // len(DIALECTS) % len(lines)][name].send(request)
                for place, (name, request) in enumerate(sales)
            )
        )
    )


def codes(answers: Sequence[AnswerReceived]) -> Counter[str]:
    return Counter(card_response(each).response_code for each in answers)


def told(answers: Sequence[AnswerReceived]) -> list[bytes]:
    return [each.response_bytes for each in answers]


def test_one_balance_is_spent_once_and_both_tell_the_same(url: str, tmp_path: Path) -> None:
    async def scenario(gateways: Sequence[Gateway]) -> None:
        async with dialled(gateways) as lines:
            other_way = lines[::-1]
            too_much = purchases(90_000, 4, HELD + 1)
            assert codes(await ask(too_much, lines)) == {"51": 4}  # and both are warm
            sales = purchases(1, REQUESTS)
            # The repeat races its original, on the other gateway.
            first, again = await asyncio.gather(ask(sales, lines), ask(repeated(sales), other_way))
            assert codes(first) == {"00": APPROVALS, "51": REQUESTS - APPROVALS}
            assert told(again) == told(first)
            for way in (lines, other_way):
                assert told(await ask(repeated(sales), way)) == told(first)
            later = await ask(purchases(REQUESTS + 1, 20), lines)
            assert codes(later) == {"51": 20}

    with two_gateways(url, tmp_path) as gateways:
        asyncio.run(scenario(gateways))
    database = Database.open(url)
    with database.reading() as connection:
        found, report = statement(connection, ACCOUNT), audit(connection)
    database.close()
    assert [hold.remaining for hold in found.pending] == [AMOUNT] * APPROVALS
    assert (found.account.held, found.account.available) == (HELD, 0)
    assert report.clean, report.disagreements
