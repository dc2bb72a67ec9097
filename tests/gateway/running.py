# ruff: noqa: ANN401 - fields of a message or card are given by name
"""A whole gateway on free ports over a real ledger in a file, and networks that dial it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from sqlalchemy import Table, case, func, select, text

from gateway.approval_codes import ApprovalCodes
from gateway.card_registry import CardLookups, CardRegistry
from gateway.cards import NewCard, create_card_schema, issue_cards, load_cards
from gateway.feed import Feed
from gateway.late_journal import LateJournal
from gateway.link_terms import LinkTerms
from gateway.listener import Listener
from gateway.metrics import LedgerMetrics
from gateway.open_links import OpenLinks
from gateway.policy import Policy
from gateway.processor import Issuer, Processor
from gateway.records import DecisionRecord
from gateway.telemetry import Telemetry
from gateway.vault import PanVault
from ledger import tables
from ledger.audit import audit
from ledger.database import Database
from ledger.house import AccountKind
from ledger.ledger import Ledger, Wallet
from ledger.posting import Manner
from ledger.writer import LedgerWriter
from networks.wire.dialects import DIALECTS
from networks.wire.messages import CardResponse, Message
from networks.wire.pan import TEST_EXPIRY, synthetic_pan
from networks.wire.session import Session
from networks.wire.session_events import AnswerReceived, Event, RequestLost, RequestTimedOut
from networks.wire.session_limits import SessionLimits
from networks.wire.streams import Link, connect
from tests.gateway.samples import POLICY

OPENED_AT = 1_795_000_000_000_000
BALANCE = 100_000
STATIONS = {"visanet": ("400552", "000000"), "quicpay": ("K001", "9001")}

Result = TypeVar("Result")


def run(scenario: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run one scenario to its end, in its own event loop."""
    return asyncio.run(scenario())


async def until(condition: Callable[[], bool]) -> None:
    """Let the gateway go on until `condition` holds; the test's own timeout ends it otherwise."""
    while not condition():  # noqa: ASYNC110 - the database has nobody to tell
        await asyncio.sleep(0)


@asynccontextmanager
async def meanwhile(job: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Has `job` run for the time of the block."""
    task = asyncio.create_task(job)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


def card_response(answer: AnswerReceived) -> CardResponse:
    """The message of `answer`, which is about a card."""
    assert isinstance(answer.response, CardResponse)
    return answer.response


def code_of(answer: AnswerReceived) -> str:
    """DE 39 of `answer`."""
    return card_response(answer).response_code


class Network:
    """The other end of one link: sends, and hands out the answers."""

    def __init__(self) -> None:
        self.link: Link
        self.events: list[Event] = []
        self._waiting: dict[int, asyncio.Future[AnswerReceived]] = {}
        self._changed = asyncio.Event()

    async def ask(self, message: Message) -> AnswerReceived:
        """Send `message`, wait for its answer."""
        return await self.send(message)

    def send(self, message: Message) -> asyncio.Future[AnswerReceived]:
        """Send `message`; the future has its answer."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting[id(message)] = answer
        self.link.send(message)
        return answer

    async def answer(self, message: Message) -> CardResponse:
        """The answer to `message` about a card."""
        return card_response(await self.ask(message))

    async def code(self, message: Message) -> str:
        """The response code of the answer to `message`."""
        return (await self.answer(message)).response_code

    async def event(self, kind: type[Event]) -> Event:
        """The first event of `kind`, now or when it comes."""
        while True:
            for event in self.events:
                if isinstance(event, kind):
                    return event
            self._changed.clear()
            await self._changed.wait()

    def on_event(self, _link: Link, event: Event) -> None:
        self.events.append(event)
        self._changed.set()
        if isinstance(event, AnswerReceived) and id(event.request) in self._waiting:
            self._waiting.pop(id(event.request)).set_result(event)
        elif isinstance(event, RequestLost | RequestTimedOut):
            self._waiting.pop(id(event.request)).set_exception(ConnectionError("no answer"))


class Running:
    """The parts of a running gateway, for tests to look at."""

    def __init__(
        self,
        url: str,
        policy: Policy,
        bounds: tuple[int, int],
        tell: Callable[[DecisionRecord], None],
    ) -> None:
        self.database = Database.open(url)
        self.ledger = Ledger(self.database)  # the writer's alone, once it is started
        self.other_ledger = Ledger(self.database)
        self.vault = PanVault(b"i" * 32, b"e" * 32)
        self.registry = CardRegistry(absent_seconds=0.0)
        ledger_metrics = LedgerMetrics()
        self.writer = LedgerWriter(
            [self.ledger], capacity=bounds[0], on_written=ledger_metrics.written
        )
        self.feed, self.open_links = Feed(1), OpenLinks(1)
        self._runtime = TemporaryDirectory(prefix="cardrail-run-")
        self.journal = LateJournal(Path(self._runtime.name), url)
        loop = asyncio.get_running_loop()
        self.lookups = CardLookups(self.database, loop.call_soon_threadsafe, most=bounds[1])
        self.records: list[DecisionRecord] = []
        self._tell = tell
        issuer = Issuer(
            vault=self.vault,
            registry=self.registry,
            lookups=self.lookups,
            writer=self.writer,
            policy=policy,
            codes=ApprovalCodes(0),
            tell=self._record,
            feed=self.feed,
            journal=self.journal,
        )
        self.processors = {name: Processor(name, issuer) for name in DIALECTS}
        self.telemetry = Telemetry(
            worker=1,
            started_at=time.time(),
            processors=self.processors,
            writer=self.writer,
            ledger=ledger_metrics,
            links=self.open_links,
            feed=self.feed,
            registry=self.registry,
            logs_dropped=lambda: 0,
        )
        self.listeners: dict[str, Listener] = {}
        self.addresses: dict[str, tuple[str, int]] = {}
        self._links: list[Link] = []

    def issue(self, cards: Iterable[NewCard], balance: int = BALANCE, credit_line: int = 0) -> None:
        """Wallets and cards."""
        cards = list(cards)
        wallets = [
            Wallet(
                account_id=card.account_id,
                currency="JPY",
                at=OPENED_AT,
                opening_balance=balance,
                credit_line=credit_line,
            )
            for card in cards
        ]
        self.other_ledger.open_wallets(wallets)
        with self.database.transaction() as connection:
            issue_cards(connection, self.vault, cards)

    async def open(self, links_most: int = 8) -> None:
        with self.database.reading() as connection:
            self.registry.put(load_cards(connection))
        for name, dialect in DIALECTS.items():
            station, peer = STATIONS[name]
            terms = LinkTerms(
                station=station, peer=peer, limits=SessionLimits(), links_most=links_most
            )
            self.listeners[name] = Listener(dialect, terms, self.processors[name], self.open_links)
            self.addresses[name] = await self.listeners[name].open("127.0.0.1", 0)

    async def dial(self, name: str = "visanet") -> Network:
        """A new link of a network."""
        network = Network()
        station, peer = STATIONS[name]
        session = Session(DIALECTS[name], station=peer, peer=station)
        network.link = await connect(*self.addresses[name], session, network.on_event)
        self._links.append(network.link)
        return network

    async def close(self) -> None:
        for listener in self.listeners.values():
            listener.stop_accepting()
        for processor in self.processors.values():
            await processor.drain(5.0)
        await self.writer.stop()
        for listener in self.listeners.values():
            await listener.close()
        for link in self._links:
            link.close()
            await link.wait_closed()
        self.lookups.stop()
        self.journal.close()
        self._runtime.cleanup()
        self.database.close()

    def balances(self, account_id: int = 10) -> tuple[int, int]:
        """What a wallet has posted and held."""
        accounts = tables.accounts
        with self.database.reading() as connection:
            row = connection.execute(
                select(accounts.c.posted, accounts.c.held).where(
                    accounts.c.account_id == account_id
                )
            ).one()
        return row.posted, row.held

    def house(self, kind: AccountKind) -> int:
        """What the house's accounts of that kind have posted, all in all."""
        accounts = tables.accounts
        with self.database.reading() as connection:
            chosen = select(func.sum(accounts.c.posted)).where(accounts.c.kind == kind.value)
            return connection.scalar(chosen) or 0

    def owed(self, account_id: int = 10) -> int:
        """What a wallet owes."""
        accounts = tables.accounts
        chosen = select(accounts.c.owed).where(accounts.c.account_id == account_id)
        with self.database.reading() as connection:
            return int(connection.scalars(chosen).one())

    def points(self) -> int:
        """What clearings have granted and not taken back again."""
        clearings = tables.clearings
        undone = clearings.c.manner == Manner.UNDONE.value
        signed = case((undone, -clearings.c.points), else_=clearings.c.points)
        with self.database.reading() as connection:
            return int(connection.scalar(select(func.sum(signed))) or 0)

    def holds_count(self) -> int:
        """How many holds there ever were."""
        return self._count(tables.holds)

    def authorizations_count(self) -> int:
        """How many authorizations the ledger has."""
        return self._count(tables.authorizations)

    def reversals_count(self) -> int:
        """How many reversals the ledger has."""
        return self._count(tables.reversals)

    @contextmanager
    def table_missing(self, name: str) -> Iterator[None]:
        """The database cannot serve `name` for a while."""
        with self.database.transaction() as connection:
            connection.execute(text(f"ALTER TABLE {name} RENAME TO elsewhere"))
        try:
            yield
        finally:
            with self.database.transaction() as connection:
                connection.execute(text(f"ALTER TABLE elsewhere RENAME TO {name}"))

    def _count(self, table: Table) -> int:
        with self.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def assert_books_balance(self) -> None:
        with self.database.reading() as connection:
            report = audit(connection)
        assert report.clean, report

    def _record(self, record: DecisionRecord) -> None:
        self.records.append(record)
        self._tell(record)


def new_card(number: int = 1, **changes: Any) -> NewCard:
    """Card `number` of account ten times that."""
    values = {"pan": synthetic_pan(number), "expiry": TEST_EXPIRY}
    return NewCard(**{"card_id": number, "account_id": number * 10, **values, **changes})


def _nothing(_record: DecisionRecord) -> None:
    pass


@asynccontextmanager
async def running(
    ledger: Path | str,
    *cards: NewCard,
    balance: int = BALANCE,
    policy: Policy = POLICY,
    capacity: int = 1000,
    lookups_most: int = 1000,
    looking_up: bool = True,
    issuing: bool = True,
    tell: Callable[[DecisionRecord], None] = _nothing,
) -> AsyncIterator[Running]:
    """A gateway with `cards`, or with card 1; the books balance when it ends.

    `ledger` is the URL of one, or a folder for an embedded one; without `issuing` it has its cards.
    """
    url = ledger if isinstance(ledger, str) else f"sqlite:///{ledger}/ledger.db"
    gateway = Running(url, policy, (capacity, lookups_most), tell)
    gateway.ledger.create_schema()
    with gateway.database.transaction() as connection:
        create_card_schema(connection)
    if issuing:
        gateway.issue(cards or [new_card()], balance)
    gateway.writer.start()
    if looking_up:
        gateway.lookups.start()
    await gateway.open()
    try:
        yield gateway
        gateway.assert_books_balance()
    finally:
        await gateway.close()


_stans = itertools.count(200_000)


def fresh() -> dict[str, str]:
    """A STAN and an RRN not used before in this process."""
    number = next(_stans)
    return {"stan": f"{number}", "rrn": f"632601{number}"}
