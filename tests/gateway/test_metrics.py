"""What is counted comes from closed sets, whatever a network sends."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.advices import advise
from gateway.metrics import MESSAGE_CLASSES, OTHER, LedgerMetrics, NetworkMetrics
from gateway.records import DecisionRecord
from gateway.stand_in import REASONS, stand_in_reason
from networks.wire.messages import Kind, is_response
from tests.gateway.samples import advice, case


def record(mti: str = "0100", code: str = "00", **changes: Any) -> DecisionRecord:  # noqa: ANN401
    values = {"at": 1, "network": "visanet", "outcome": "APPROVED", **changes}
    return DecisionRecord(mti=mti, response_code=code, **values)


def test_every_request_that_is_answered_has_its_class() -> None:
    """Network management is the session's; all others have one, and an original and its repeat
    have the same."""
    requests = {mti for mti in Kind.BY_MTI if not is_response(f"{mti}0") and mti[1] != "8"}
    assert {mti[:3] for mti in MESSAGE_CLASSES} == requests
    assert MESSAGE_CLASSES["0100"] == MESSAGE_CLASSES["0101"] == "authorization"


def test_what_is_alike_but_for_the_mti_is_one() -> None:
    metrics = NetworkMetrics()
    for mti, code, elapsed in (
        ("0100", "00", 0.25),
        ("0101", "00", 1.5),
        ("0100", "51", 10_000.0),
        ("0109", "00", 0.0),
    ):
        metrics.answered(record(mti, code, elapsed_ms=elapsed))
    found = {(each.message_class, each.response_code): each.elapsed for each in metrics.answers()}
    assert {key: each.count for key, each in found.items()} == {
        ("authorization", "00"): 2,
        ("authorization", "51"): 1,
        (OTHER, "00"): 1,
    }
    both = found["authorization", "00"]
    assert both.sum == pytest.approx(0.00175)
    assert both.counts[0] == 1, "a quarter of a millisecond is in the first bucket"
    assert found["authorization", "51"].counts[-1] == 1, "ten seconds are above all bounds"


def test_stored_answers_are_counted_apart() -> None:
    metrics = NetworkMetrics()
    metrics.answered(record(replayed=True))
    metrics.answered(record())
    assert metrics.repeats_count == 1


def test_a_batch_is_counted_by_its_size_and_its_time() -> None:
    metrics = LedgerMetrics()
    metrics.written(64, 2_000_000)
    metrics.written(1, 300_000)
    assert (metrics.batch_size().sum, metrics.batch_size().count) == (65, 2)
    assert metrics.commit().sum == pytest.approx(0.0023)
    assert metrics.commit().quantile(1.0) == 0.002


# fmt: off
STAND_IN = [
    # network    advice                                               reason
    ("visanet", {"stand_in_reason": "9020"},                          "issuer-timeout"),
    ("visanet", {"stand_in_reason": "9001"},                          "signed-off"),
    ("visanet", {"stand_in_reason": "9002"},                          "signed-off-by-network"),
    ("visanet", {"stand_in_reason": "9011"},                          "line-down"),
    ("visanet", {"stand_in_reason": "9012"},                          "forced"),
    ("visanet", {"stand_in_reason": "9999"},                          "other"),
    ("visanet", {"stand_in_reason": "", "response_source": "2"},      "other"),
    ("visanet", {"stand_in_reason": "", "response_source": ""},       None),
    ("quicpay", {"authorization_path": "0"},                          None),
    ("quicpay", {"authorization_path": "1"},                          "offline"),
    ("quicpay", {"authorization_path": "2"},                          "centre"),
]
# fmt: on


@pytest.mark.parametrize(("network", "changes", "reason"), STAND_IN)
def test_why_somebody_else_has_decided(
    network: str, changes: dict[str, Any], reason: str | None
) -> None:
    told = advice(network, **changes)
    assert stand_in_reason(told) == reason
    assert reason is None or reason in REASONS
    assert advise(told, case(network=network)).completes is (reason is None)
    metrics = NetworkMetrics()
    metrics.advised(told)
    assert metrics.stand_ins == ({} if reason is None else {reason: 1})
