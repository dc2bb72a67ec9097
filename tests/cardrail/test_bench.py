"""``cardrail bench codec`` measures two engines that agree."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cardrail import bench_codec
from cardrail.bench import bench_app
from cardrail.bench_codec import contests

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
    for name, compiled, reference in contests():
        assert compiled.call() == reference.call() == compiled.expected
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
        for engine in ("compiled", "pyiso8583")
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
    name, compiled, reference = next(contests())
    compiled.expected = {}
    monkeypatch.setattr(bench_codec, "contests", lambda: iter([(name, compiled, reference)]))
    result = CliRunner().invoke(bench_app, FEW)
    assert result.exit_code == 1
    assert compiled.errors == 2
