"""`cardrail serve --workers N`: several processes behind the same two ports, one ledger."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import psutil

from gateway.control_client import GatewayControl
from gateway.records import DecisionRecord
from networks.wire.pan import synthetic_pan
from tests.cardrail.test_serve import exchange, failing, seed, serving
from tests.gateway.samples import purchase

WORKERS = 2
PAN = synthetic_pan(1)


def workers_of(parent: int) -> list[psutil.Process]:
    return list(psutil.Process(parent).children())


def listeners_on(processes: list[psutil.Process], port: int) -> set[int]:
    return {
        process.pid
        for process in processes
        for each in process.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }


def answers_by_worker(runtime: Path) -> dict[int, int]:
    survey = asyncio.run(GatewayControl(runtime).survey())
    assert survey.unreachable == ()
    return {
        snapshot.worker: sum(network.elapsed().count for network in snapshot.networks)
        for snapshot in survey.snapshots
    }


def test_workers_share_the_ports_and_the_ledger(tmp_path: Path) -> None:
    seed(tmp_path)
    log = tmp_path / "decisions"
    options = ["--workers", str(WORKERS), "--decision-log", str(log)]
    with serving(tmp_path, *options) as (process, ready):
        assert ready["workers"] == WORKERS
        port = int(ready["visanet"].rpartition(":")[2])
        started = workers_of(process.pid)
        assert listeners_on(started, port) == {each.pid for each in started}

        async def scene() -> list[tuple[str, str]]:
            """The same request over new links, until each worker has had some of them."""
            answers = []
            for mti in ["0100", *["0101"] * 31]:
                message = purchase(pan=PAN, mti=mti)
                [answer] = await exchange("visanet", ready["visanet"], [message])
                answers.append((answer.response_code, answer.approval_code))
            return answers

        answers = asyncio.run(scene())
        assert len(set(answers)) == 1
        assert answers[0][0] == "00"
        counts = answers_by_worker(tmp_path / "cardrail.run")
        assert counts.keys() == {1, 2}
        assert sum(counts.values()) == 32
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not any(each.is_running() for each in started)
    lines = log.read_text().splitlines()
    records = [msgspec.json.decode(line, type=DecisionRecord) for line in lines]
    assert [each.replayed for each in records].count(False) == 1
    assert len(records) == 32


def test_a_worker_that_is_killed_is_started_again(tmp_path: Path) -> None:
    seed(tmp_path)
    with serving(tmp_path, "--workers", str(WORKERS)) as (process, ready):
        port = int(ready["quicpay"].rpartition(":")[2])
        killed, spared = workers_of(process.pid)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(30)
        for _ in range(3000):
            running = [each for each in workers_of(process.pid) if each.is_running()]
            if len(listeners_on(running, port)) == WORKERS:
                break
            psutil.wait_procs([spared], timeout=0.01)  # it does not end; this is a short wait
        assert len(listeners_on(workers_of(process.pid), port)) == WORKERS
        assert spared.is_running()
        assert answers_by_worker(tmp_path / "cardrail.run") == {1: 0, 2: 0}
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert "worker ended" in (tmp_path / "stderr").read_text()


def test_workers_end_when_whoever_started_them_is_gone(tmp_path: Path) -> None:
    seed(tmp_path)
    with serving(tmp_path, "--workers", str(WORKERS)) as (process, _ready):
        workers = workers_of(process.pid)
        process.kill()
        assert psutil.wait_procs(workers, timeout=30)[1] == []
    left = [path.name for path in (tmp_path / "cardrail.run").iterdir()]
    assert sorted(left) == ["gateway-1.lock", "gateway-2.lock"], "and they ended in good order"


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    seed(tmp_path)
    with serving(tmp_path) as (_, ready):
        address = ready["visanet"]
        told = failing(tmp_path, "--workers", "2", "--visanet", address)
    assert told[0] == 1
    assert f"cardrail serve: cannot listen on {address}: " in told[1]


def test_a_worker_that_cannot_start_ends_all(tmp_path: Path) -> None:
    seed(tmp_path)
    status, told = failing(
        tmp_path,
        *("--workers", "2", "--visanet", "127.0.0.1:0", "--quicpay", "127.0.0.1:0"),
        CARDRAIL_KEY_FILE=str(tmp_path / "no" / "keys"),
    )
    assert status == 1
    assert "ended before it was ready" in told
