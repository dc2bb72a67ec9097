"""The match ladder, rung by rung (DOMAIN 2.5)."""

from __future__ import annotations

import pytest

from ledger.commands import Reference
from ledger.matching import Candidates, Match, match
from ledger.rows import Authorization
from tests.ledger.books import named


def authorization(
    number: int, trace: str = "", rrn: str = "", amount: int = 100, hold: int = 0
) -> Authorization:
    return Authorization(
        1, number, hold, "visanet", f"key {number}", "", trace, "T", rrn, "authorize", "purchase",
        7, "APPROVED", amount, amount, "JPY", "123456", 0, 0, "", 0, "{}",
    )  # fmt: skip


FIRST = authorization(1, trace="s1", rrn="r1", amount=100, hold=1)
SECOND = authorization(2, trace="s2", rrn="r2", amount=200, hold=1)
DECLINED = authorization(3, trace="s3", rrn="r3", amount=0)

CASES = [
    # what the message says, what shares its names, what is found, by which rung
    (named("T"), Candidates([FIRST, SECOND]), FIRST, "matched by transaction id"),
    (named("T", "s2"), Candidates([FIRST, SECOND]), SECOND, "matched by transaction id and trace"),
    (named("T", "s9"), Candidates([FIRST, SECOND]), FIRST, "matched by transaction id"),
    (named("T"), Candidates([DECLINED, SECOND]), SECOND, "matched by transaction id"),
    (named("T"), Candidates([DECLINED]), DECLINED, "matched by transaction id"),
    (named("", "s1"), Candidates((), [FIRST]), FIRST, "matched by trace"),
    (named("U", "s1"), Candidates((), [FIRST]), FIRST, "matched by trace"),
    (named(approval_code="1", rrn="r2"), Candidates((), (), [FIRST, SECOND]), SECOND,
     "matched by approval code and RRN"),
    (named(approval_code="1"), Candidates((), (), [FIRST, SECOND]), FIRST,
     "matched by approval code and amount"),
    (named(approval_code="1", rrn="r9"), Candidates((), (), [FIRST]), None,
     "no authorization matches"),
    (named(approval_code="1"), Candidates((), (), [SECOND]), None, "no authorization matches"),
    (named("T", "s1", "1", "r1"), Candidates(), None, "no authorization matches"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "candidates", "found", "explanation"), CASES)
def test_ladder(
    reference: Reference, candidates: Candidates, found: Authorization | None, explanation: str
) -> None:
    assert match(reference, 100, candidates) == Match(found, explanation)
