"""`cardrail serve` as a process: how it starts, refuses to start, stops, and what it writes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cardrail.keys import open_vault
from cardrail.migrating import bring_up_to_date
from gateway.authorize import authorize
from gateway.cards import issue_cards
from gateway.control_client import GatewayControl
from gateway.late_journal import LateJournal
from gateway.records import DecisionRecord
from gateway.runtime_folder import make_private
from gateway.vault import PanVault
from ledger.audit import audit
from ledger.commands import Authorize
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from ledger.tables import accounts
from networks.wire.dialects import DIALECTS
from networks.wire.messages import Message
from networks.wire.pan import synthetic_pan
from networks.wire.session import Session
from networks.wire.session_events import AnswerReceived, Event
from networks.wire.streams import Link, connect
from tests.gateway.running import OPENED_AT, STATIONS, fresh, new_card
from tests.gateway.samples import advice, case, financial, purchase, reversal

PROGRAM = [sys.executable, "-c", "from cardrail.cli import main; main()", "serve"]
ANYWHERE = ["--visanet", "127.0.0.1:0", "--quicpay", "127.0.0.1:0"]
PAN = synthetic_pan(1)
TRACK2 = f"{PAN}D30121011000012345678"
SECRETS = {"track2": TRACK2, "pin_block": "FEDCBA9876543210", "card_verification": "11 987"}


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/cardrail.db"


def environment(**more: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("CARDRAIL_")}
    return {**bare, **more}


def seed(folder: Path, vault: PanVault | None = None) -> None:
    """Card 1 and its wallet."""
    database = Database.open(url(folder))
    bring_up_to_date(database)
    Ledger(database).open_wallet(
        Wallet(account_id=10, currency="JPY", at=OPENED_AT, opening_balance=1_000_000)
    )
    with database.transaction() as connection:
        issue_cards(connection, vault or open_vault(url(folder)), [new_card()])
    database.close()


@contextmanager
def serving(folder: Path, *options: str, **env: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The running program and its ready line; its stderr goes to a file in `folder`."""
    with (folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*PROGRAM, "--ledger", url(folder), *ANYWHERE, *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(**env),
            cwd=folder,
        )
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()
            process.stdout.close()
            process.wait()


def failing(folder: Path, *options: str, **env: str) -> tuple[int, str]:
    """Exit code and stderr of a start that must not succeed."""
    done = subprocess.run(
        [*PROGRAM, *options],
        capture_output=True,
        text=True,
        env=environment(**env),
        cwd=folder,
        timeout=60,
        check=False,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


async def exchange(network: str, address: str, messages: list[Message]) -> list[Any]:
    """Send `messages` one after the other; their answers."""
    answers: asyncio.Queue[Any] = asyncio.Queue()

    def on_event(_link: Link, event: Event) -> None:
        if isinstance(event, AnswerReceived):
            answers.put_nowait(event.response)

    host, _, port = address.rpartition(":")
    station, peer = STATIONS[network]
    session = Session(DIALECTS[network], station=peer, peer=station)
    link = await connect(host, int(port), session, on_event)
    received = []
    for message in messages:
        link.send(message)
        received.append(await answers.get())
    link.close()
    await link.wait_closed()
    return received


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_both_networks_until_it_is_told_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    seed(tmp_path)
    with serving(tmp_path) as (process, ready):
        assert ready["ready"] is True
        for network in DIALECTS:
            request = purchase(network, pan=PAN)
            [answer] = asyncio.run(exchange(network, ready[network], [request]))
            assert answer.response_code == "00"
        process.send_signal(number)
        assert process.wait(timeout=30) == 0


def test_it_tells_what_it_does_until_it_is_told_to_stop(tmp_path: Path) -> None:
    seed(tmp_path)
    runtime = tmp_path / "cardrail.run"
    requests: list[Message] = [purchase(pan=PAN, **fresh()) for _ in range(3)]
    with serving(tmp_path) as (process, ready):
        asyncio.run(exchange("visanet", ready["visanet"], requests))
        [snapshot] = asyncio.run(GatewayControl(runtime).survey()).snapshots
        assert (snapshot.worker, snapshot.pid, snapshot.cards_count) == (1, process.pid, 1)
        assert [each.elapsed.count for each in snapshot.networks[0].answers] == [3]
        assert snapshot.ledger.batch_size.sum == 3
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert [path.name for path in runtime.iterdir()] == ["gateway-1.lock"]


def test_a_runtime_folder_is_of_one_gateway(tmp_path: Path) -> None:
    seed(tmp_path)
    with serving(tmp_path) as (_, _ready):
        code, told = failing(tmp_path, "--ledger", url(tmp_path), *ANYWHERE)
    assert code == 1
    assert "cardrail serve: the runtime folder cardrail.run: gateway-1 runs there already" in told


def test_a_fresh_ledger_gets_its_schema_and_its_keys(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, ready):
        [answer] = asyncio.run(exchange("visanet", ready["visanet"], [purchase(pan=PAN)]))
        assert answer.response_code == "14"
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert (tmp_path / "cardrail.db.keys").exists()


def test_nothing_secret_is_written_anywhere(tmp_path: Path) -> None:
    """Every kind of message with track data, PIN block and CVV2, good and broken: then look."""
    seed(tmp_path)
    decisions = tmp_path / "decisions.jsonl"
    for log_format in ("key-value", "json"):
        env = {"CARDRAIL_LOG_FORMAT": log_format, "CARDRAIL_LOG_LEVEL": "debug"}
        with serving(tmp_path, "--decision-log", str(decisions), **env) as (process, ready):
            for network in DIALECTS:
                secret = SECRETS if network == "visanet" else {}
                messages: list[Message] = [
                    purchase(network, **{"pan": PAN, **secret, **fresh(), **changes})
                    for changes in (
                        {},
                        {"mti": "0101"},
                        {"pan": synthetic_pan(2)},
                        {"amount": 9_999_999},
                        {"processing_code": "770000"},
                        {"currency": "999"},
                    )
                ]
                messages += [
                    build(network, **{"pan": PAN, **secret, **fresh(), **changes})
                    for build, changes in (
                        (advice, {}),
                        (reversal, {}),
                        (financial, {}),
                        (financial, {"mti": "0220"}),
                    )
                ]
                answers = asyncio.run(exchange(network, ready[network], messages))
                assert len(answers) == len(messages)
                asyncio.run(throw_broken(network, ready[network]))
            process.terminate()
            assert process.wait(timeout=30) == 0
        shown = (tmp_path / "stderr").read_text()
        assert "400000******0010" in shown
        assert_no_secret(shown.encode())
    assert_no_secret(decisions.read_bytes())
    for path in tmp_path.glob("cardrail.db*"):
        assert_no_secret(path.read_bytes())


async def throw_broken(network: str, address: str) -> None:
    """A real message cut in the middle of the track, and one that is too long for its prefix."""
    host, _, port = address.rpartition(":")
    station, peer = STATIONS[network]
    session = Session(DIALECTS[network], station=peer, peer=station)
    session.request(purchase(network, pan=PAN, **(SECRETS if network == "visanet" else {})), 0.0)
    whole = session.data_to_send()
    broken = bytearray(whole)
    broken[-20:] = b"\xff" * 20
    for data in (bytes(broken), whole[:90], whole[10:]):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(data)
        writer.write_eof()
        await reader.read()
        writer.close()


def assert_no_secret(data: bytes) -> None:
    pans = [synthetic_pan(number) for number in (1, 2)]
    for secret in (*pans, TRACK2, "D30121011000012345678", "FEDCBA9876543210", "11 987"):
        assert secret.encode() not in data
        assert secret.lower().encode() not in data


def test_the_decision_log_tells_every_answer(tmp_path: Path) -> None:
    seed(tmp_path)
    path = tmp_path / "decisions.jsonl"
    requests: list[Message] = [purchase(pan=PAN, **fresh()) for _ in range(20)]
    with serving(tmp_path, "--decision-log", str(path)) as (process, ready):
        answers = asyncio.run(exchange("visanet", ready["visanet"], requests))
        process.terminate()
        assert process.wait(timeout=30) == 0
    records = [
        msgspec.json.decode(line, type=DecisionRecord) for line in path.read_bytes().splitlines()
    ]
    assert [(each.rrn, each.approval_code) for each in records] == [
        (each.rrn, each.approval_code) for each in answers
    ]


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    seed(tmp_path)
    requests: list[Message] = [purchase(pan=PAN, **fresh(), amount=10) for _ in range(20)]
    with serving(tmp_path) as (process, ready):
        answers = asyncio.run(exchange("visanet", ready["visanet"], requests))
        process.kill()
    assert {each.response_code for each in answers} == {"00"}
    with serving(tmp_path) as (process, ready):
        again = asyncio.run(exchange("visanet", ready["visanet"], requests[:1]))
        process.terminate()
        assert process.wait(timeout=30) == 0
    assert again[0] == answers[0]
    database = Database.open(url(tmp_path))
    with database.reading() as connection:
        report = audit(connection)
    database.close()
    assert report.clean, report


def test_what_a_killed_gateway_owed_is_taken_back(tmp_path: Path) -> None:
    """It had said 91, and the ledger approved all the same."""
    seed(tmp_path)
    late = authorize(purchase(), case())
    assert isinstance(late, Authorize)
    late = msgspec.structs.replace(late, account_id=10)
    with closing(Database.open(url(tmp_path))) as database:
        [approved] = Ledger(database).apply([late])
        assert approved.outcome.approved
        runtime = tmp_path / "cardrail.run"
        make_private(runtime)
        with closing(LateJournal(runtime, url(tmp_path))) as journal:
            journal.owe(late)
        with serving(tmp_path) as (process, _):
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        with database.reading() as connection:
            held = connection.scalar(select(accounts.c.held).where(accounts.c.account_id == 10))
            assert held == 0
            assert audit(connection).clean
    assert "settling what a killed gateway owed" in (tmp_path / "stderr").read_text()
    assert list(runtime.glob("late-*")) == []


def test_settings_are_printed_masked(tmp_path: Path) -> None:
    keys = {"CARDRAIL_INDEX_KEY": "ab" * 32, "CARDRAIL_ENCRYPTION_KEY": "cd" * 32}
    with serving(tmp_path, **keys) as (process, _):
        process.terminate()
        assert process.wait(timeout=30) == 0
    shown = (tmp_path / "stderr").read_text()
    assert "event=settings" in shown
    assert "index_key=" in shown
    assert "abab" not in shown
    assert "cdcd" not in shown


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, told = failing(
            tmp_path, "--ledger", url(tmp_path), "--visanet", "127.0.0.1:0", "--quicpay", address
        )
    assert code == 1
    assert f"cardrail serve: cannot listen on {address}: " in told


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--visanet", "nowhere"], 2, "CARDRAIL_VISANET: expected HOST:PORT"),
        (["--quicpay", "127.0.0.1:99999"], 2, "CARDRAIL_QUICPAY: expected HOST:PORT"),
        (
            ["--ledger", "sqlite:///gone/away.db"],
            1,
            "cannot open the ledger sqlite:///gone/away.db: unable to open",
        ),
        (["--ledger", "nonsense"], 1, "cannot open the ledger nonsense: "),
        (["--ledger", "sqlite:///:memory:"], 1, "expected sqlite:///FILE"),
        (["--decision-log", "gone/away.jsonl"], 1, "cannot write the decision log gone/away.jsonl"),
        (["--visanet", "host.invalid:1"], 1, "cannot listen on host.invalid:1"),
    ],
)
def test_what_it_cannot_start_with_is_told(
    tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    given = [] if "--visanet" in options or "--quicpay" in options else ANYWHERE
    found, told = failing(tmp_path, *given, *options)
    assert message in told
    assert found == code
    assert not (tmp_path / "cardrail.keys").exists(), "no keys without a ledger"


@pytest.mark.parametrize("keys", [(b"x" * 32, b"e" * 32), (b"i" * 32, b"x" * 32)])
def test_the_keys_of_another_ledger_are_refused(tmp_path: Path, keys: tuple[bytes, bytes]) -> None:
    seed(tmp_path, PanVault(b"i" * 32, b"e" * 32))
    env = {"CARDRAIL_INDEX_KEY": keys[0].hex(), "CARDRAIL_ENCRYPTION_KEY": keys[1].hex()}
    code, told = failing(tmp_path, "--ledger", url(tmp_path), *ANYWHERE, **env)
    assert code == 1
    assert "were issued with other keys" in told


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    seed(tmp_path)
    Path(tmp_path, "cardrail.db.keys").chmod(0o644)
    code, told = failing(tmp_path, "--ledger", url(tmp_path), *ANYWHERE)
    assert code == 1
    assert "others may read it, expected mode 0600" in told


def test_a_card_frozen_by_an_operator_stops_working(tmp_path: Path) -> None:
    seed(tmp_path)
    with serving(tmp_path, CARDRAIL_CARD_REFRESH_SECONDS="0.01") as (_, ready):
        change = ["card", "change", "10", "1", "--state", "lost", "--ledger", url(tmp_path)]
        subprocess.run([*PROGRAM[:-1], *change], check=True, capture_output=True, cwd=tmp_path)
        codes = {"00"}
        while "41" not in codes:
            request: list[Message] = [purchase(pan=PAN, **fresh(), amount=10)]
            answers = asyncio.run(exchange("visanet", ready["visanet"], request))
            codes |= {each.response_code for each in answers}
        assert codes == {"00", "41"}
