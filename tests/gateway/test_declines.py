"""What whoever watches declines is shown, and what not."""

from __future__ import annotations

import pytest

from gateway.declines import is_decline
from gateway.records import DecisionRecord


@pytest.mark.parametrize(
    ("mti", "code", "outcome", "replayed", "declined"),
    [
        ("0100", "51", "INSUFFICIENT_FUNDS", False, True),
        ("0101", "51", "INSUFFICIENT_FUNDS", False, True),  # a repeat that was the first to come
        ("0100", "51", "INSUFFICIENT_FUNDS", True, False),  # told when it was decided
        ("0120", "14", "ACCOUNT_UNKNOWN", False, True),
        ("0200", "54", "INSTRUMENT_EXPIRED", False, True),
        ("0100", "91", "UNAVAILABLE", False, True),
        ("0100", "00", "APPROVED", False, False),
        ("0100", "10", "APPROVED_PARTIALLY", False, False),
        ("0100", "85", "APPROVED", False, False),
        ("0400", "25", "ORIGINAL_UNKNOWN", False, False),  # asks for nothing
        ("0220", "25", "ORIGINAL_UNKNOWN", False, False),
        ("0600", "00", "NOTED", False, False),
    ],
)
def test_a_decline_is_money_asked_for_and_not_given(
    mti: str, code: str, outcome: str, *, replayed: bool, declined: bool
) -> None:
    record = DecisionRecord(
        at=1, network="visanet", mti=mti, response_code=code, outcome=outcome, replayed=replayed
    )
    assert is_decline(record) is declined
