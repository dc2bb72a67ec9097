"""``cardrail load`` as its user sees it: options, output, files and an exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from array import array
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from cardrail.cli import program
from cardrail.load_screen import progress_bar
from loadtest.figures import Counts, Figures, Interval
from loadtest.targets import Address
from loadtest.workers import Run, WorkerFailed
from networks.wire.pan import synthetic_pan
from tests.loadtest.gateway import ACCOUNTS, Gateway, environment, serving
from tests.loadtest.peer import answer, listening

QUICK = ("--rate", "400", "--seconds", "0.5", "--accounts", str(ACCOUNTS // 2))
KEYS = {
    *("ok", "plan", "elapsed_seconds", "offered", "sent", "answered", "offered_per_second"),
    *("achieved_per_second", "approved", "response_codes", "errors", "p50_ms", "p90_ms", "p99_ms"),
    *("p999_ms", "max_ms", "mean_ms", "lag_p50_ms", "lag_p99_ms", "lag_max_ms", "networks"),
    *("driver_cpu_seconds", "driver_cpu_us", "timeline", "audit"),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serving(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def load(*options: str) -> Result:
    return CliRunner().invoke(program(["load"]), ["load", *options])


def to(gateway: Gateway) -> tuple[str, ...]:
    addresses = "--connect-visanet", gateway.visanet, "--connect-quicpay", gateway.quicpay
    return (*addresses, "--ledger", gateway.url)


def without_ledger(addresses: Mapping[str, Address]) -> tuple[str, ...]:
    options = [f"--connect-{name}={address}" for name, address in addresses.items()]
    return (*options, "--no-audit")


def test_a_gateway_that_decides_everything_is_status_0(gateway: Gateway, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    result = load(*to(gateway), *QUICK, "--json", "--report", str(folder))
    assert (result.exit_code, result.stderr) == (0, "")
    summary = json.loads(result.stdout)
    assert summary.keys() == KEYS
    assert summary["ok"] is True
    assert summary["offered"] == summary["answered"] == summary["approved"] > 100
    assert summary["errors"] == {}
    assert set(summary["networks"]) == {"visanet", "quicpay"}
    assert 0 < summary["p50_ms"] <= summary["p99_ms"] <= summary["max_ms"]
    assert summary["audit"]["clean"] is True
    assert summary["audit"]["counts"]["authorizations"] > 100
    assert json.loads((folder / "load.json").read_text()) == summary
    written = result.stdout + "".join(path.read_text() for path in folder.iterdir())
    assert not any(synthetic_pan(number) in written for number in range(1, ACCOUNTS + 1))


def test_plots_are_svg_without_scripts(gateway: Gateway, tmp_path: Path) -> None:
    assert load(*to(gateway), *QUICK, "--report", str(tmp_path)).exit_code == 0
    for name, title in {
        "percentiles.svg": "Latency by percentile, from the intended send time",
        "throughput.svg": "Messages a second",
        "latency.svg": "Latency in each second",
    }.items():
        text = (tmp_path / name).read_text()
        assert ET.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own file
        assert title in text
        assert "<script" not in text


def test_without_json_there_is_a_table_and_the_audit(gateway: Gateway) -> None:
    result = load(*to(gateway), *QUICK, "--profile", "hot-account", "--arrivals", "uniform")
    assert result.exit_code == 0
    for words in ("VisaNet-like", "QUICPay+-like", "p99.9", "00 approved", "lag of sending p99"):
        assert words in result.stdout
    assert result.stdout.endswith("the books balance\n")


def test_one_network_alone_needs_no_other(gateway: Gateway) -> None:
    nowhere = ("--connect-quicpay", "127.0.0.1:1")
    options = "--connect-visanet", gateway.visanet, *nowhere, "--ledger", gateway.url
    result = load(*options, *QUICK, "--profile", "visanet", "--json")
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)["networks"]) == {"visanet"}


def test_a_failed_audit_is_status_1(tmp_path: Path) -> None:
    with serving(tmp_path) as gateway:
        gateway.spoil_the_books()
        as_json = load(*to(gateway), *QUICK, "--json")
        as_text = load(*to(gateway), *QUICK)
    summary = json.loads(as_json.stdout)
    assert (as_json.exit_code, summary["ok"], summary["errors"]) == (1, False, {})
    assert summary["audit"]["clean"] is False
    assert as_text.exit_code == 1
    assert f"account {ACCOUNTS}" in as_text.stdout
    assert as_text.stdout.endswith("disagreements\n")


def test_errors_are_status_1_and_told_by_kind() -> None:
    with (
        listening("visanet", lambda request: [answer(request, "96")] * 2) as visanet,
        listening("quicpay", lambda request: [answer(request, "51")]) as quicpay,
    ):
        options = without_ledger({"visanet": visanet.address, "quicpay": quicpay.address})
        as_json = load(*options, *QUICK, "--json")
        as_text = load(*options, *QUICK)
    summary = json.loads(as_json.stdout)
    assert (as_json.exit_code, summary["ok"], summary["audit"]) == (1, False, None)
    visanet_count = summary["networks"]["visanet"]["answered"]
    assert summary["errors"] == {"duplicate answer": visanet_count, "not decided": visanet_count}
    assert summary["networks"]["quicpay"]["errors"] == {}
    assert summary["approved"] == 0
    assert as_text.exit_code == 1
    for words in ("51 insufficient funds", "96 system malfunction", "error: duplicate answer"):
        assert words in as_text.stdout
    assert as_text.stdout.endswith("not audited\n")


def test_sigint_ends_a_run_with_its_summary() -> None:
    with listening("visanet") as visanet, listening("quicpay") as quicpay:
        options = without_ledger({"visanet": visanet.address, "quicpay": quicpay.address})
        command = [sys.executable, "-m", "cardrail", "load", *options, "--json"]
        with subprocess.Popen(
            [*command, "--rate", "200", "--seconds", "600", "--processes", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
        ) as process:
            while not visanet.has_received.wait(0.1):
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
    summary = json.loads(output)
    assert (process.returncode, errors, summary["ok"]) == (0, "", True)
    assert summary["offered"] == summary["answered"] > 0
    assert summary["elapsed_seconds"] < 60


def test_nobody_there_is_status_1_and_one_line() -> None:
    nowhere = {name: Address("127.0.0.1", 1) for name in ("visanet", "quicpay")}
    command = [sys.executable, "-m", "cardrail", "load", *without_ledger(nowhere)]
    ended = subprocess.run(
        [*command, "--processes", "3"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr == "load: no link to visanet at 127.0.0.1:1: Connection refused\n"
    assert ended.stdout == ""


def test_a_process_that_dies_is_status_1_and_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_run: Run, _tell: object) -> None:
        raise WorkerFailed("a process of the driver has ended early")

    monkeypatch.setattr(Run, "follow", die)
    result = load("--no-audit")
    assert result.exit_code == 1
    assert result.stderr == "load: a process of the driver has ended early\n"


def test_a_terminal_sees_a_bar() -> None:
    figures = Figures(("visanet",))
    latencies = array("I", [1500] * 100).tobytes()
    counts = Counts(offered=100, sent=100, latencies=latencies, errors={"timeout": 3})
    figures.add(Interval(since=0.0, until=0.25, networks={"visanet": counts}))
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with progress_bar(console, 10) as tell:
        tell(figures, 4.0)
    shown = screen.getvalue()
    for words in ("4.0 of 10 s", "100/s, p50 1.50 ms, p99 1.50 ms, 3 errors"):
        assert words in shown


@pytest.mark.parametrize(
    "options",
    [
        ["--connect-visanet", "nowhere"],
        ["--connect-quicpay", "127.0.0.1:0"],
        ["--rate", "0"],
        ["--seconds", "0"],
        ["--links", "65"],
        ["--processes", "17"],
        ["--accounts", "0"],
        ["--arrivals", "bursts"],
        ["--profile", "everything"],
        ["--ledger", "sqlite:////no/such/ledger.db"],
        ["--no-audit", "--report", "/dev/null/report"],
    ],
)
def test_wrong_usage_is_status_2(options: list[str]) -> None:
    result = load(*options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_plots_need_their_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "loadtest.report", None)
    result = load("--no-audit", "--report", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == "plots need the extra `load`: pip install 'cardrail[load]'\n"
