"""The match ladder, rung by rung (DOMAIN 1.9 item 5, 2.5)."""

from __future__ import annotations

import msgspec
import pytest

from ledger.commands import Reference, trace_in
from ledger.matching import NOTHING, Candidates, match
from ledger.rows import Authorization, Clearing
from tests.ledger.books import named


def authorization(
    number: int,
    trace: str = "",
    rrn: str = "",
    amount: int = 100,
    hold: int = 0,
    **details: str,
) -> Authorization:
    return Authorization(
        1, "visanet", f"{trace}|key {number}", number, hold, "", "T", rrn, "authorize", "purchase",
        7, "APPROVED", amount, amount, "JPY", f"code {number}", 0, 0, "", 0, 0,
        msgspec.json.encode(details).decode(), 0, 0,
    )  # fmt: skip


def cleared(number: int, authorization_id: int, hold_id: int = 0) -> Clearing:
    return Clearing(
        1, "visanet", f"ARN|{number}", number, authorization_id, hold_id, 0, "", "", "", "part", 0,
        "APPROVED", 100, 0, 0, 0, 0, "JPY", f"code {authorization_id}", 0, 0, "", 0, 0, "{}",
    )  # fmt: skip


FIRST = authorization(1, trace="s1", rrn="r1", amount=100, hold=1)
SECOND = authorization(2, trace="s2", rrn="r2", amount=200, hold=1)
DECLINED = authorization(3, trace="s3", rrn="r3", amount=0)
CREDIT = authorization(4, trace="s4", rrn="r4", amount=100)
SAME_CODE = msgspec.structs.replace(SECOND, approval_code="code 1")
BOTH = [FIRST, SECOND]

SURE = [
    # what the message says, what shares its names, what is found, by which rung
    (named("T"), Candidates(BOTH), FIRST, "matched by transaction id"),
    (named("T", "s2"), Candidates(BOTH, [SECOND]), SECOND,
     "matched by transaction id and trace"),
    (named("T", "s9"), Candidates(BOTH), FIRST, "matched by transaction id"),
    (named("T", "s9"), Candidates(BOTH, [CREDIT]), FIRST, "matched by transaction id"),
    (named("T"), Candidates([DECLINED, SECOND]), SECOND, "matched by transaction id"),
    (named("T"), Candidates([DECLINED]), DECLINED, "matched by transaction id"),
    (named("", "s1"), Candidates((), [FIRST]), FIRST, "matched by trace"),
    (named("U", "s1"), Candidates((), [FIRST]), FIRST, "matched by trace"),
    (named("U", "s1"), Candidates((), [DECLINED, FIRST]), FIRST, "matched by trace"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "candidates", "found", "explanation"), SURE)
def test_what_a_message_names_outright(
    reference: Reference, candidates: Candidates, found: Authorization, explanation: str
) -> None:
    matched = match(reference, 100, candidates)
    assert (matched.authorization, matched.explanation) == (found, explanation)
    assert matched.authorization_id == found.authorization_id
    assert matched.hold_id == found.hold_id
    assert matched.approval_code == found.approval_code


EARLIER = [
    # earlier clearings of the acquirer's reference, what else fits, authorization and hold
    ([cleared(8, 1, 1)], (), (1, 1)),
    ([cleared(8, 4)], (), (4, 0)),  # of one that holds nothing
    ([cleared(8, 0), cleared(9, 1, 1)], (), (1, 1)),  # the first was matched with nothing
    ([cleared(8, 0)], BOTH, (2, 1)),  # and there was no other: down to the approval code
    ([cleared(8, 0)], (), (0, 0)),
]


@pytest.mark.parametrize(("earlier", "on_days", "found"), EARLIER)
def test_what_an_earlier_clearing_of_the_same_reference_was_about(
    earlier: list[Clearing], on_days: list[Authorization], found: tuple[int, int]
) -> None:
    reference = Reference(acquirer_reference="ARN", approval_code="code 2")
    matched = match(reference, 200, Candidates((), (), earlier, on_days))
    assert (matched.authorization_id, matched.hold_id) == found
    by_reference = "matched by the acquirer's reference of an earlier clearing"
    assert (matched.explanation == by_reference) == (found in {(1, 1), (4, 0)})


def test_an_earlier_clearing_does_not_outweigh_what_the_message_names() -> None:
    candidates = Candidates([FIRST], (), [cleared(8, 2, 1)])
    assert match(named("T"), 100, candidates).authorization is FIRST


APPROVAL = [
    # approval code, RRN, tolerance, amount, of which, what is found, by which rung
    ("code 2", "r2", 0, 999, BOTH, SECOND, "matched by approval code and RRN"),
    ("code 1", "r9", 0, 100, BOTH, None, "no authorization matches"),
    ("code 1", "r2", 0, 100, [FIRST, SAME_CODE], SAME_CODE, "matched by approval code and RRN"),
    ("code 1", "", 0, 100, BOTH, FIRST, "matched by approval code and amount"),
    ("code 1", "", 0, 200, BOTH, None, "no authorization matches"),
    ("code 9", "", 0, 100, BOTH, None, "no authorization matches"),
    ("code 1", "", 0, 200, [FIRST, SAME_CODE], SAME_CODE, "matched by approval code and amount"),
    ("code 1", "", 15, 115, BOTH, FIRST, "matched by approval code, amount within tolerance"),
    ("code 1", "", 15, 85, BOTH, FIRST, "matched by approval code, amount within tolerance"),
    ("code 1", "", 15, 116, BOTH, None, "no authorization matches"),
    ("code 1", "", 15, 84, BOTH, None, "no authorization matches"),
    ("code 1", "", 90, 200, [FIRST, SAME_CODE], SAME_CODE, "matched by approval code and amount"),
    ("code 1", "r1", 15, 85, BOTH, FIRST, "matched by approval code and RRN"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "rrn", "tolerance", "amount", "on_days", "found", "explanation"), APPROVAL
)
def test_what_an_approval_code_names(
    code: str,
    rrn: str,
    tolerance: int,
    amount: int,
    on_days: list[Authorization],
    found: Authorization | None,
    explanation: str,
) -> None:
    reference = Reference(approval_code=code, rrn=rrn, tolerance=tolerance)
    matched = match(reference, amount, Candidates((), (), (), on_days))
    assert (matched.authorization, matched.explanation) == (found, explanation)


AT_SHOP = authorization(5, amount=100, hold=5, merchant="SHOP", terminal="T1")
AT_SHOP_LATER = authorization(6, amount=100, hold=6, merchant="SHOP", terminal="T1")
AT_SHOP_ANYWHERE = authorization(7, amount=100, hold=7, merchant="SHOP")
DECLINED_AT_SHOP = authorization(8, amount=100, merchant="SHOP", terminal="T1")
CODELESS = {"approval_code": "code 9"}

SUGGESTED: list[tuple[dict[str, str], int, list[Authorization], int]] = [
    # what the message says, amount, of which, what is suggested
    ({"merchant": "SHOP", "terminal": "T1"}, 100, [AT_SHOP], 5),
    ({"merchant": "SHOP"}, 100, [AT_SHOP], 5),
    ({"merchant": "SHOP", "terminal": "T9"}, 100, [AT_SHOP_ANYWHERE], 7),
    ({"merchant": "SHOP", "terminal": "T9"}, 100, [AT_SHOP], 0),
    ({"merchant": "ELSEWHERE"}, 100, [AT_SHOP], 0),
    ({"merchant": "SHOP"}, 101, [AT_SHOP], 0),
    ({"merchant": "SHOP"}, 100, [AT_SHOP, AT_SHOP_LATER], 5),
    ({"merchant": "SHOP"}, 100, [DECLINED_AT_SHOP], 0),  # nothing was held: nothing to suggest
    ({"merchant": "SHOP"}, 100, [DECLINED_AT_SHOP, AT_SHOP_LATER], 6),
    ({"terminal": "T1"}, 100, [AT_SHOP], 0),
    ({"merchant": "SHOP", **CODELESS}, 100, [AT_SHOP], 5),
]


@pytest.mark.parametrize(("says", "amount", "on_days", "suggested"), SUGGESTED)
def test_a_merchant_and_an_amount_only_suggest(
    says: dict[str, str], amount: int, on_days: list[Authorization], suggested: int
) -> None:
    matched = match(Reference(**says), amount, Candidates((), (), (), on_days))  # type: ignore[arg-type]
    assert (matched.authorization_id, matched.hold_id, matched.authorization) == (0, 0, None)
    assert matched.suggested_id == suggested
    told = "no authorization matches"
    assert matched.explanation == (
        f"{told}; merchant and amount suggest one" if suggested else told
    )


def test_a_blank_reference_means_nothing() -> None:
    everything = Candidates((), (), (), [FIRST, SECOND, AT_SHOP])
    assert match(Reference(), 100, everything) == NOTHING


@pytest.mark.parametrize(
    ("request_key", "trace"), [("s1|rest", "s1"), ("s1|a|b", "s1"), ("|rest", ""), ("post:5", "")]
)
def test_a_key_begins_with_its_trace(request_key: str, trace: str) -> None:
    assert trace_in(request_key) == trace
