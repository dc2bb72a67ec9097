"""The gateway's own processor time for one authorization: everything but ledger and kernel.

Real frames go through a real link, session, codec, card registry and checks; a ledger that approves
everything takes the commands, and its decisions go back through answers and codec to a transport
that throws them away. The log lines are written, too. What counts is the time of the thread's own
processor, so that a busy machine does not lengthen it, and the best of many rounds.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from cardrail.decision_lines import key_value_line
from gateway.approval_codes import ApprovalCodes
from gateway.card_registry import CardLookups, CardRegistry
from gateway.cards import Card
from gateway.feed import Feed
from gateway.late_journal import LateJournal
from gateway.policy import Policy
from gateway.processor import Issuer, Processor
from gateway.records import DecisionRecord
from gateway.vault import KEY_BYTES, PanVault
from ledger.commands import AnyCommand, Authorize, Decision
from ledger.database import Database
from ledger.outcomes import Outcome
from ledger.writer import LedgerWriter, OnDecided
from loadtest.targets import TARGETS, Target
from loadtest.templates import Press
from loadtest.traffic import KINDS
from networks.wire.masking import mask_pan
from networks.wire.pan import TEST_EXPIRY, synthetic_pan
from networks.wire.session import Session
from networks.wire.session_events import Event, RequestReceived
from networks.wire.streams import Link

IN_FLIGHT = 64
_CARDS = 1000
_WARM_UP = 10  # rounds, until every shape is compiled
_PURCHASE = 0  # the commonest kind of each network
_AMOUNT = 500
_EXPLANATION = "held JPY 500 of JPY 1,000,000 available"


def measure_path(network: str, rounds: int) -> list[float]:
    """Microseconds an authorization of `network` takes, of each round, the least first."""
    with TemporaryDirectory(prefix="cardrail-bench-") as folder:
        url = f"sqlite:///{folder}/ledger.db"
        with (
            closing(Database.open(url)) as database,
            closing(LateJournal(Path(folder), url)) as journal,
        ):
            return asyncio.run(_measure(TARGETS[network], database, journal, rounds))


async def _measure(
    target: Target, database: Database, journal: LateJournal, rounds: int
) -> list[float]:
    ledger, records = _Approving(), list[DecisionRecord]()
    issuer = _issuer(ledger, database, journal, records.append)
    link = _link(target, Processor(target.name, issuer))
    link.connection_made(_Nowhere())
    measured = []
    for frames in _frames(target, _WARM_UP + rounds):
        begin = time.thread_time_ns()
        link.data_received(frames)
        received = time.thread_time_ns()
        decisions = ledger.decide()  # the ledger's own work is not counted
        decided = time.thread_time_ns()
        for on_decided, decision in decisions:
            on_decided(decision)
        await asyncio.sleep(0)  # the answers are written
        _write(records)
        end = time.thread_time_ns()
        assert len(decisions) == len(records) == IN_FLIGHT
        records.clear()
        measured.append((end - decided + received - begin) / IN_FLIGHT / 1000)
    link.close()
    return sorted(measured[_WARM_UP:])


def _write(records: list[DecisionRecord]) -> None:
    io.StringIO().write("\n".join(map(key_value_line, records)))


def _frames(target: Target, rounds: int) -> Iterator[bytes]:
    press = Press(target, KINDS[target.name])
    press.turn_to(int(time.time()))
    amount = press.encode_amount(_AMOUNT)
    for number in range(rounds):
        serials = range(number * IN_FLIGHT, (number + 1) * IN_FLIGHT)
        yield b"".join(
            press.render(_PURCHASE, serial % _CARDS + 1, amount, serial)[0] for serial in serials
        )


def _issuer(
    ledger: LedgerWriter,
    database: Database,
    journal: LateJournal,
    tell: Callable[[DecisionRecord], None],
) -> Issuer:
    vault, registry = PanVault(bytes(KEY_BYTES), bytes(KEY_BYTES)), CardRegistry()
    registry.put(_card(number, vault) for number in range(1, _CARDS + 1))
    lookups = CardLookups(database, asyncio.get_running_loop().call_soon_threadsafe)
    return Issuer(
        vault=vault,
        registry=registry,
        lookups=lookups,
        writer=ledger,
        policy=Policy(),
        codes=ApprovalCodes(0),
        tell=tell,
        feed=Feed(1),
        journal=journal,
    )


def _card(number: int, vault: PanVault) -> Card:
    pan = synthetic_pan(number)
    return Card(
        card_id=number,
        account_id=number,
        index=vault.index(pan),
        masked_pan=mask_pan(pan),
        expiry=TEST_EXPIRY,
    )


def _link(target: Target, processor: Processor) -> Link:
    def on_event(link: Link, event: Event) -> None:
        if isinstance(event, RequestReceived):
            processor.receive(link, event)

    session = Session(target.dialect, station=target.peer, peer=target.station)
    return Link(session, on_event)


class _Approving(LedgerWriter):
    """Approves what it has been given, without a thread and without a database."""

    def __init__(self) -> None:
        self._given: list[tuple[Authorize, OnDecided]] = []

    def submit(
        self, command: AnyCommand, on_decided: OnDecided, decide_by: int | None = None
    ) -> None:
        """Keep it until `decide`."""
        del decide_by
        assert isinstance(command, Authorize)
        self._given.append((command, on_decided))

    def decide(self) -> list[tuple[OnDecided, Decision]]:
        """Who waits, and what is to be told."""
        given, self._given = self._given, []
        return [(on_decided, _approved(command)) for command, on_decided in given]


def _approved(command: Authorize) -> Decision:
    return Decision(
        outcome=Outcome.APPROVED,
        authorization_id=1,
        account_id=command.account_id,
        amount=command.amount.amount,
        currency=command.amount.currency,
        approval_code=command.approval_code,
        available=999_500,
        posted=1_000_000,
        explanation=_EXPLANATION,
    )


class _Nowhere(asyncio.Transport):
    """Takes what is written and keeps nothing."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Gone."""

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """There is nothing to close."""

    def abort(self) -> None:
        """Nor to abort."""
