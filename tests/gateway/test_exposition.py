# ruff: noqa: E501 - a line is a sample
"""The exposition: read back by the Prometheus client's own parser, and by promtool where it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from gateway.audit_watch import AuditResult
from gateway.clearing_lag import LAG_BOUNDS
from gateway.control_client import Survey
from gateway.exposition import Observed, exposition
from gateway.families import FAMILIES, LEDGER_UP, NAMES, AnyFamily, Kind
from gateway.histograms import Histogram, count_in, histogram, new_cell
from gateway.ledger_watch import LedgerFigures
from gateway.metrics import LedgerMetrics, NetworkMetrics
from gateway.records import DecisionRecord
from gateway.snapshot import LedgerSnapshot, LinkSnapshot, NetworkSnapshot, Snapshot
from ledger.audit import AuditReport, Disagreement
from ledger.hold_ageing import OLDER, HoldAge
from ledger.outbox_watch import Lag

AT = 1_795_312_245.0
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def network(name: str, approvals: int) -> NetworkSnapshot:
    metrics = NetworkMetrics()
    for number in range(approvals):
        metrics.answered(
            DecisionRecord(
                at=1, network=name, mti="0100", response_code="00", outcome="APPROVED",
                elapsed_ms=1.0 + number,
            )
        )  # fmt: skip
    metrics.answered(
        DecisionRecord(
            at=1, network=name, mti="0100", response_code="51", outcome="INSUFFICIENT_FUNDS",
            elapsed_ms=0.2,
        )
    )  # fmt: skip
    return NetworkSnapshot(
        network=name,
        waiting_count=3,
        owed_count=1,
        repeats_count=2,
        stand_ins={"issuer-timeout": 4},
        answers=metrics.answers(),
        refused={"DecodeError": 5},
        dropped_count=6,
        unmatched={"late": 7},
        rejected_count=8,
        opened_count=9,
        turned_away_count=10,
        broken={"PeerSilent": 11},
        failures_count=12,
    )


def snapshot(worker: int, approvals: int = 2) -> Snapshot:
    ledger = LedgerMetrics()
    ledger.written(approvals, 2_000_000)
    return Snapshot(
        worker=worker,
        pid=4710 + worker,
        at=AT,
        started_at=AT - 60,
        cpu_seconds=1.5,
        networks=(network("visanet", approvals), network("quicpay", 0)),
        ledger=LedgerSnapshot(
            waiting_count=17,
            capacity=4096,
            is_crowded=True,
            batch_size=ledger.batch_size(),
            commit=ledger.commit(),
        ),
        links=(
            LinkSnapshot(
                link_id=f"{worker}-{4710 + worker}-1",
                network="visanet",
                host="192.0.2.1",
                port=40000,
                state="signed-on",
                opened_at=AT - 30,
                unanswered_count=3,
            ),
        ),
        cards_count=1000,
        logs_dropped_count=13,
        feed_readers_count=1,
        feed_dropped_count=14,
    )


def lag(*seconds: float) -> Histogram:
    cell = new_cell(LAG_BOUNDS)
    for each in seconds:
        count_in(cell, LAG_BOUNDS, each)
    return histogram(LAG_BOUNDS, cell)


FIGURES = LedgerFigures(
    at=AT,
    hold_ages=(HoldAge("JPY", 1, 20, 30_000), HoldAge("JPY", OLDER, 1, 500)),
    overdue_count=2,
    lags=(Lag("mqtt", 30, int((AT - 90) * 1e6)), Lag("points", 0, 0)),
    unnumbered_count=3,
    clearing_lags={"visanet": lag(3600.0, 86_401.0)},
)
AUDIT = AuditResult(
    at=AT - 20,
    seconds=0.25,
    report=AuditReport({}, {}, (Disagreement("check", "account 17", "1", "2"),)),
)
OBSERVED = Observed(
    gateways=Survey((snapshot(1, 2), snapshot(2, 5)), (3,)), ledger=FIGURES, audit=AUDIT
)
NOTHING = Observed(gateways=Survey((), ()), ledger=None, audit=None)


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def samples(observed: Observed) -> Samples:
    text, content_type = exposition(observed)
    assert content_type.startswith("text/plain; version=")
    return parsed(text.decode())


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


TOLD = """
cardrail_worker_up{worker="1"} 1
cardrail_worker_up{worker="3"} 0
cardrail_answers_total{worker="1",network="visanet",message_class="authorization",response_code="00",outcome="APPROVED"} 2
cardrail_answers_total{worker="2",network="visanet",message_class="authorization",response_code="00",outcome="APPROVED"} 5
cardrail_answers_total{worker="2",network="quicpay",message_class="authorization",response_code="51",outcome="INSUFFICIENT_FUNDS"} 1
cardrail_answer_seconds_count{worker="1",network="visanet",message_class="authorization"} 3
cardrail_answer_seconds_bucket{worker="1",network="visanet",message_class="authorization",le="0.00025"} 1
cardrail_answer_seconds_bucket{worker="1",network="visanet",message_class="authorization",le="0.001"} 2
cardrail_answer_seconds_bucket{worker="1",network="visanet",message_class="authorization",le="+Inf"} 3
cardrail_repeats_total{worker="1",network="visanet"} 2
cardrail_stand_in_advices_total{worker="1",network="visanet",reason="issuer-timeout"} 4
cardrail_stand_in_advices_total{worker="1",network="visanet",reason="line-down"} 0
cardrail_waiting_requests{worker="1",network="visanet"} 3
cardrail_late_approvals{worker="1",network="visanet"} 1
cardrail_messages_refused_total{worker="1",network="visanet",error="DecodeError"} 5
cardrail_requests_dropped_total{worker="1",network="visanet"} 6
cardrail_answers_unmatched_total{worker="1",network="visanet",reason="late"} 7
cardrail_messages_rejected_total{worker="1",network="visanet"} 8
cardrail_links_opened_total{worker="1",network="visanet"} 9
cardrail_links_turned_away_total{worker="1",network="visanet"} 10
cardrail_links_broken_total{worker="1",network="visanet",error="PeerSilent"} 11
cardrail_failures_total{worker="1",network="visanet"} 12
cardrail_links{worker="1",network="visanet",state="signed-on"} 1
cardrail_links{worker="1",network="visanet",state="signed-off"} 0
cardrail_links{worker="1",network="quicpay",state="connected"} 0
cardrail_ledger_waiting_commands{worker="1"} 17
cardrail_ledger_capacity_commands{worker="1"} 4096
cardrail_ledger_crowded{worker="1"} 1
cardrail_ledger_batch_commands_sum{worker="2"} 5
cardrail_ledger_commit_seconds_count{worker="1"} 1
cardrail_cards{worker="1"} 1000
cardrail_worker_start_time_seconds{worker="1"} 1795312185
cardrail_worker_cpu_seconds_total{worker="1"} 1.5
cardrail_log_lines_dropped_total{worker="1"} 13
cardrail_feed_dropped_total{worker="1"} 14
cardrail_ledger_up 1
cardrail_ledger_looked_at_timestamp_seconds 1795312245
cardrail_pending_holds{currency="JPY",age="1d"} 20
cardrail_pending_holds_minor_units{currency="JPY",age="older"} 500
cardrail_overdue_holds 2
cardrail_clearing_lag_seconds_count{network="visanet"} 2
cardrail_clearing_lag_seconds_bucket{network="visanet",le="86400.0"} 1
cardrail_reader_lag_rows{reader="mqtt"} 30
cardrail_reader_lag_seconds{reader="mqtt"} 90
cardrail_reader_lag_seconds{reader="points"} 0
cardrail_outbox_unnumbered_rows 3
cardrail_audit_timestamp_seconds 1795312225
cardrail_audit_duration_seconds 0.25
cardrail_audit_disagreements 1
"""


@pytest.fixture(scope="module")
def told() -> Samples:
    return samples(OBSERVED)


@pytest.mark.parametrize("line", TOLD.split("\n")[1:-1])
def test_each_figure(told: Samples, line: str) -> None:
    assert parsed(line).items() <= told.items()


def test_every_metric_is_among_those(told: Samples) -> None:
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in parsed(TOLD)}
    assert names == {*NAMES}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in told} == names


def test_what_is_not_known_is_not_told() -> None:
    assert samples(NOTHING) == {(LEDGER_UP, frozenset()): 0}


def test_a_worker_that_starts_again_resets_its_own_series_and_no_other() -> None:
    again = msgspec.structs.replace(OBSERVED, gateways=Survey((snapshot(1, 0), snapshot(2, 5)), ()))
    before, after = samples(OBSERVED), samples(again)
    labels = {"network": "visanet", "message_class": "authorization"}
    for worker, counts in (("1", (3, 1)), ("2", (6, 6))):
        found = [
            value(each, "cardrail_answer_seconds_count", worker=worker, **labels)
            for each in (before, after)
        ]
        assert tuple(found) == counts


def test_open_metrics_are_given_to_those_who_ask() -> None:
    text, content_type = exposition(OBSERVED, "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    families = {family.name for family in open_metrics(text.decode())}  # type: ignore[no-untyped-call] # it has no types
    assert {"cardrail_answers", "cardrail_answer_seconds", "cardrail_links"} <= families


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_names_follow_the_conventions(family: AnyFamily) -> None:
    assert re.fullmatch(r"cardrail(_[a-z]+)+", family.name)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert not re.search(r"_(ms|milliseconds|minutes|hours|days)$", family.name)
    assert family.help.endswith(".")
    assert len({*family.labels}) == len(family.labels)
    assert not {*family.labels} & {"worker", "pan", "stan", "rrn", "account", "le", "job"}


@pytest.fixture
def promtool() -> str:
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    return path


def test_promtool_finds_nothing_to_say(promtool: str, tmp_path: Path) -> None:
    text, _ = exposition(OBSERVED)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
