"""Three parties tell their stories; what they differ on is found, and nothing else."""

from __future__ import annotations

import pytest

from cardrail.truths import Claim, Disagreement, Key, Totals, Truth, disagreements, totals

KEY = ("visanet", "632601000101")
APPROVED = Claim(approved=True, approval_code="A1B2C3")
DECLINED = Claim(approved=False, approval_code="")


def parties(network: Claim | None, gateway: Claim | None, ledger: Claim | None) -> list[Truth]:
    def told(party: str, claim: Claim | None, *, money: bool) -> Truth:
        claims: dict[Key, Claim] = {} if claim is None else {KEY: claim}
        return Truth(party, claims, money)

    return [
        told("network", network, money=True),
        told("gateway", gateway, money=False),
        told("ledger", ledger, money=True),
    ]


def claim(answer: Claim, held: int = 0, cleared: int = 0, credited: int = 0) -> Claim:
    return Claim(answer.approved, answer.approval_code, held, cleared, credited)


# fmt: off
HELD, MOVED = claim(APPROVED, 500), claim(APPROVED, 0, 500)
AGREEING = [
    ("all say the same",            HELD,                 APPROVED, HELD),
    ("a decline by all",            claim(DECLINED),      DECLINED, claim(DECLINED)),
    ("no card, no ledger row",      claim(DECLINED),      DECLINED, None),
    ("held is the issuer's choice", Claim(approved=True), APPROVED, HELD),
    ("forced post, never answered", Claim(cleared=700),   None,     Claim(cleared=700)),
    ("a gateway says no money",     MOVED,                APPROVED, MOVED),
]
BOTH = ["approved", "approval_code"]
DIFFERING = [
    ("lost hold",         HELD,                APPROVED, claim(APPROVED),          ["held"]),
    ("no ledger row",     HELD,                APPROVED, None,                     ["held"]),
    ("orphan hold",       None,                None,     HELD,                     ["held"]),
    ("cleared twice",     MOVED,               APPROVED, claim(APPROVED, 0, 1000), ["cleared"]),
    ("refund not posted", Claim(credited=500), None,     None,                     ["credited"]),
    ("other answer",      claim(APPROVED),     DECLINED, claim(APPROVED),          BOTH),
    ("ledger declined",   claim(APPROVED),     APPROVED, claim(DECLINED),          BOTH),
]
# fmt: on


@pytest.mark.parametrize(
    ("network", "gateway", "ledger"),
    [row[1:] for row in AGREEING],
    ids=[row[0] for row in AGREEING],
)
def test_agreement(network: Claim | None, gateway: Claim | None, ledger: Claim | None) -> None:
    assert disagreements(parties(network, gateway, ledger)) == []


@pytest.mark.parametrize(
    ("network", "gateway", "ledger", "attributes"),
    [row[1:] for row in DIFFERING],
    ids=[row[0] for row in DIFFERING],
)
def test_disagreement(
    network: Claim | None, gateway: Claim | None, ledger: Claim | None, attributes: list[str]
) -> None:
    found = disagreements(parties(network, gateway, ledger))
    assert [each.attribute for each in found] == attributes


def test_a_disagreement_says_who_says_what() -> None:
    found = Disagreement("visanet", "632601000101", "held", {"network": "500", "ledger": "0"})
    assert str(found) == "visanet 632601000101 held: network says 500, ledger says 0"


def test_totals_are_those_of_one_network() -> None:
    other = ("quicpay", "632601200001")
    told = {KEY: claim(APPROVED, 500), other: claim(APPROVED, 0, 300, 20)}
    assert totals(Truth("ledger", told, speaks_of_money=True), "visanet") == Totals(1, 1, 500, 0, 0)
    assert totals(Truth("ledger", told, speaks_of_money=True), "quicpay") == Totals(
        1, 0, 0, 300, 20
    )
    assert totals(Truth("gateway", told, speaks_of_money=False), "visanet") == Totals(1)
