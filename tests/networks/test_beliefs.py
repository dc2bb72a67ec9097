"""What a network believes after each sequence of answered messages."""

import msgspec
import pytest

from networks.beliefs import Belief, Kind, Step, after, answered, opened
from networks.traffic import Purpose
from networks.wire.messages import Advice, AuthorizationRequest, CardRequest, Financial

S = Step

# steps with their amounts | held | cleared | credited | reversed
SEQUENCES = [
    ([], 0, 0, 0, False),
    ([(S.AUTHORIZED, 1250)], 1250, 0, 0, False),
    ([(S.AUTHORIZED, 800), (S.CLEARED, 800)], 0, 800, 0, False),
    ([(S.AUTHORIZED, 1000), (S.CLEARED, 1150)], 0, 1150, 0, False),
    ([(S.AUTHORIZED, 1000), (S.CLEARED, 700)], 0, 700, 0, False),
    ([(S.AUTHORIZED, 1000), (S.CLEARED_PART, 400)], 600, 400, 0, False),
    ([(S.AUTHORIZED, 1000), (S.CLEARED_PART, 400), (S.CLEARED, 600)], 0, 1000, 0, False),
    ([(S.AUTHORIZED, 1000), (S.CLEARED_PART, 1300)], 0, 1300, 0, False),
    ([(S.AUTHORIZED, 1000), (S.REVERSED, 1000)], 0, 0, 0, True),
    ([(S.AUTHORIZED, 1000), (S.PARTLY_REVERSED, 400)], 400, 0, 0, False),
    ([(S.AUTHORIZED, 1000), (S.PARTLY_REVERSED, 400), (S.CLEARED, 400)], 0, 400, 0, False),
    ([(S.AUTHORIZED, 1000), (S.INCREMENTED, 500), (S.INCREMENTED, 250)], 1750, 0, 0, False),
    ([(S.AUTHORIZED, 1), (S.COMPLETED, 4321)], 4321, 0, 0, False),
    ([(S.AUTHORIZED, 600), (S.STOOD_IN, 1000)], 1000, 0, 0, False),
    ([(S.STOOD_IN, 1000), (S.CLEARED, 1000)], 0, 1000, 0, False),
    ([(S.REVERSED, 1000), (S.AUTHORIZED, 1000)], 0, 0, 0, True),
    ([(S.AUTHORIZED, 1000), (S.REVERSED, 1000), (S.CLEARED, 1000)], 0, 1000, 0, True),
    ([(S.CREDITED, 900)], 0, 0, 900, False),
]


PURCHASE = AuthorizationRequest(
    mti="0100",
    processing_code="000000",
    amount=1250,
    currency="392",
    pan="4000001234567899",
    stan="000101",
    rrn="632601000101",
    transmission="1122013045",
    acquirer="400552",
    transaction_id="386326054321098",
)


def purchase(**attributes: str) -> AuthorizationRequest:
    return msgspec.structs.replace(PURCHASE, **attributes)


def believe(belief: Belief, steps: list[tuple[Step, int]]) -> Belief:
    for step, amount in steps:
        belief = after(belief, step, amount)
    return belief


@pytest.mark.parametrize(("steps", "held", "cleared", "credited", "is_reversed"), SEQUENCES)
def test_what_is_believed_after_messages(
    steps: list[tuple[Step, int]], held: int, cleared: int, credited: int, *, is_reversed: bool
) -> None:
    belief = believe(opened("visanet", purchase()), steps)
    assert (belief.held, belief.cleared, belief.credited) == (held, cleared, credited)
    assert belief.reversed is is_reversed


@pytest.mark.parametrize(
    ("attributes", "purpose", "held"),
    [
        ({"processing_code": "000000"}, Purpose.PURCHASE, 1250),
        ({"processing_code": "010000"}, Purpose.CASH, 1250),
        ({"processing_code": "200000"}, Purpose.CREDIT, 0),
        ({"processing_code": "300000"}, Purpose.INQUIRY, 0),
        ({"condition": "51"}, Purpose.VERIFICATION, 0),
    ],
)
def test_only_spending_holds(attributes: dict[str, str], purpose: Purpose, held: int) -> None:
    belief = after(opened("visanet", purchase(**attributes)), Step.AUTHORIZED, 1250)
    assert (belief.purpose, belief.held, belief.approved) == (purpose, held, 1250)


@pytest.mark.parametrize(
    ("message", "increment_of", "kind"),
    [
        (purchase(), "", Kind.AUTHORIZATION),
        (purchase(), "632601000100", Kind.INCREMENT),
        (Advice(mti="0120", processing_code="000000"), "", Kind.STAND_IN),
        (Financial(mti="0220", processing_code="000000"), "", Kind.FORCE_POST),
    ],
)
def test_what_a_line_is_about(message: CardRequest, increment_of: str, kind: Kind) -> None:
    assert opened("visanet", message, increment_of=increment_of).kind is kind


def test_a_line_tells_what_an_outsider_needs_and_no_card_number() -> None:
    belief = answered(opened("visanet", purchase()), "00", "A1B2C3")
    line = msgspec.json.decode(msgspec.json.encode(after(belief, Step.AUTHORIZED, 1250)))
    assert line == {
        "network": "visanet",
        "kind": "authorization",
        "purpose": "purchase",
        "mti": "0100",
        "rrn": "632601000101",
        "stan": "000101",
        "transmission": "1122013045",
        "trace": "1122013045000101400552",
        "transaction_id": "386326054321098",
        "pan": "400000******7899",
        "currency": "392",
        "requested": 1250,
        "increment_of": "",
        "response_code": "00",
        "approval_code": "A1B2C3",
        "approved": 1250,
        "held": 1250,
        "hold_chosen_by_issuer": False,
        "cleared": 0,
        "credited": 0,
        "reversed": False,
        "stood_in": False,
        "answered": True,
    }


def test_the_hold_of_a_fuel_check_is_the_issuers_choice_until_completed_or_declined() -> None:
    check = opened("visanet", purchase(merchant_category="5542"))
    approved = after(answered(check, "00", "A1B2C3"), Step.AUTHORIZED, 1)
    assert approved.hold_chosen_by_issuer
    assert not after(approved, Step.COMPLETED, 4321).hold_chosen_by_issuer
    assert not answered(check, "51", "").hold_chosen_by_issuer


def test_amounts_are_the_billed_ones() -> None:
    request = msgspec.structs.replace(purchase(), billing_amount=15_023, billing_currency="392")
    assert opened("visanet", request).requested == 15_023
