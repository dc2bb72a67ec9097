"""``cardrail sim`` as its user sees it: a process with options, output and an exit status."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from cardrail.cli import program
from networks.beliefs import Belief
from networks.wire.messages import CardRequest
from tests.networks.issuer import Answers, Issuer, Script, agreeable, approve, differing, listening
from tests.networks.simulated import NETWORKS

ALL_NETWORKS = pytest.mark.parametrize("network", NETWORKS)
QUICK = ("--rate", "300", "--seconds", "0.4", "--seed", "4", "--cards", "30")


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    status: int
    output: str
    errors: str
    issuer: Issuer


def sim(network: str, *options: str, script: Script = agreeable, stop_after: int = 0) -> Ended:
    """Run the command against a scripted issuer; SIGTERM after `stop_after` requests, if any."""

    async def whole() -> Ended:
        processes: list[asyncio.subprocess.Process] = []

        def scripted(issuer: Issuer, request: CardRequest) -> Answers:
            if len(issuer.received) == stop_after:
                processes[0].send_signal(signal.SIGTERM)
            return script(issuer, request)

        async with listening(Issuer(NETWORKS[network], scripted)) as issuer:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cardrail", "sim", network),
                *("--connect", f"127.0.0.1:{issuer.port}", *options),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            processes.append(process)
            output, errors = await process.communicate()
            return Ended(process.returncode or 0, output.decode(), errors.decode(), issuer)

    return asyncio.run(whole())


@ALL_NETWORKS
def test_a_kept_promise_is_status_0_and_everything_is_told(network: str, tmp_path: Path) -> None:
    beliefs, progress = tmp_path / "beliefs.jsonl", tmp_path / "progress.jsonl"
    ended = sim(network, *QUICK, "--json", "--beliefs", str(beliefs), "--progress", str(progress))
    assert (ended.status, ended.errors) == (0, "")
    summary = json.loads(ended.output)
    assert summary["ok"] is True
    assert summary["authorizations"] == 120
    assert (summary["rate"], summary["seconds"], summary["seed"]) == (300, 0.4, 4)
    lines = [json.loads(line) for line in progress.read_text().splitlines()]
    assert [lines[0]["phase"], lines[-1]["phase"]] == ["connecting", "done"]
    assert {**summary, **lines[-1]} == summary
    believed = [msgspec.json.decode(line, type=Belief) for line in beliefs.read_text().splitlines()]
    assert sum(not belief.increment_of for belief in believed) == 120
    assert sum(belief.held for belief in believed) == summary["held_amount"]
    pans = {message.pan for message in ended.issuer.received}
    written = ended.output + beliefs.read_text() + progress.read_text()
    assert not any(pan in written for pan in pans)


def test_progress_can_go_to_standard_output() -> None:
    ended = sim("visanet", *QUICK, "--json", "--progress", "-")
    lines = [json.loads(line) for line in ended.output.splitlines()]
    assert [line["phase"] for line in lines][-2:] == ["done", "done"]
    assert "ok" in lines[-1]


def test_without_json_a_table_is_printed() -> None:
    ended = sim("quicpay", *QUICK)
    assert ended.status == 0
    assert "quicpay: done" in ended.output
    for row in ("authorizations", "approved", "repeats", "cleared", "holds"):
        assert row in ended.output


def test_a_differing_repeat_is_status_1() -> None:
    def fickle(_issuer: Issuer, request: CardRequest) -> Answers:
        answer = approve(request)
        return [differing(answer) if request.is_repeat else answer]

    ended = sim("visanet", *QUICK, "--json", script=fickle)
    summary = json.loads(ended.output)
    assert summary["repeats_differing"] == summary["repeats"] > 0
    assert summary["ok"] is False
    assert ended.status == 1


def test_sigterm_settles_and_signs_off() -> None:
    ended = sim("visanet", "--rate", "100", "--seconds", "60", "--json", stop_after=20)
    summary = json.loads(ended.output)
    assert ended.status == 0
    assert 10 <= summary["authorizations"] < 6000


def test_nobody_there_is_status_1_and_one_line() -> None:
    async def free_port() -> int:
        async with listening(Issuer(NETWORKS["visanet"])) as issuer:
            return issuer.port

    address = f"127.0.0.1:{asyncio.run(free_port())}"
    for options in ([], ["--json"]):
        result = CliRunner().invoke(
            program(["sim"]), ["sim", "visanet", "--connect", address, "--patience", "0", *options]
        )
        assert result.exit_code == 1
        assert result.stderr == f"sim visanet: no issuer signed on at {address} within 0 s\n"
        assert not options or json.loads(result.stdout)["ok"] is False


@pytest.mark.parametrize(
    "options",
    [
        ["--connect", "nowhere"],
        ["--connect", "127.0.0.1:0"],
        ["--connect", "127.0.0.1:99999"],
        ["--rate", "0"],
        ["--cards", "0"],
        ["--links", "65"],
        ["--beliefs", "/no/such/folder/beliefs.jsonl"],
        ["--progress", "/no/such/folder/progress.jsonl"],
        ["--unknown"],
    ],
)
def test_wrong_usage_is_status_2(options: list[str]) -> None:
    result = CliRunner().invoke(program(["sim"]), ["sim", "quicpay", *options])
    assert result.exit_code == 2
    assert result.stdout == ""
