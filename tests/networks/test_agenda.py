"""What follows an answer, as a table of plans."""

import pytest

from networks.agenda import Deed, following, opening
from networks.traffic import Course, Plan, Purpose, Settlement
from networks.wire.messages import AuthorizationRequest, Financial

C, S, D = Course, Settlement, Deed


def plan(
    course: Course, settlement: Settlement, purpose: Purpose = Purpose.PURCHASE, **more: object
) -> Plan:
    request = AuthorizationRequest(mti="0100", amount=1000)
    return Plan(
        channel="any",
        purpose=purpose,
        request=request,
        course=course,
        settlement=settlement,
        clearing_count=3,
        over_permille=1100,
        kept_permille=400,
        **more,  # type: ignore[arg-type]  # attributes of Plan, by name
    )


# course | settlement | what follows an approval | what follows a decline
PURCHASES = [
    (C.PLAIN, S.NEVER, [], []),
    (C.PLAIN, S.EXACT, [D.CLEAR], []),
    (C.PLAIN, S.UNDER, [D.CLEAR], []),
    (C.PLAIN, S.OVER, [D.CLEAR], []),
    (C.PLAIN, S.PARTS, [D.CLEAR, D.CLEAR, D.CLEAR], []),
    (C.LOST_ANSWER, S.EXACT, [D.REPEAT, D.CLEAR], [D.REPEAT]),
    (C.TIMED_OUT, S.EXACT, [D.TIME_OUT], [D.TIME_OUT]),
    (C.STOOD_IN, S.EXACT, [D.STAND_IN, D.CLEAR], [D.STAND_IN, D.CLEAR]),
    (C.CANCELLED, S.EXACT, [D.CANCEL], []),
    (C.PARTLY_REVERSED, S.EXACT, [D.REVERSE_PARTLY, D.CLEAR], []),
    (C.OVERTAKEN, S.EXACT, [], []),
]


@pytest.mark.parametrize(("course", "settlement", "approved", "declined"), PURCHASES)
def test_what_follows_a_purchase(
    course: Course, settlement: Settlement, approved: list[Deed], declined: list[Deed]
) -> None:
    planned = plan(course, settlement)
    assert [errand.deed for errand in following(planned, approved=True)] == approved
    assert [errand.deed for errand in following(planned, approved=False)] == declined


@pytest.mark.parametrize(
    ("settlement", "shares"),
    [
        (S.EXACT, [(1000, 0, 0)]),
        (S.UNDER, [(400, 0, 0)]),
        (S.OVER, [(1100, 0, 0)]),
        (S.PARTS, [(1000, 1, 3), (1000, 2, 3), (1000, 3, 3)]),
    ],
)
def test_how_much_is_cleared(settlement: Settlement, shares: list[tuple[int, int, int]]) -> None:
    errands = following(plan(C.PLAIN, settlement), approved=True)
    assert [(each.permille, each.sequence, each.count) for each in errands] == shares


@pytest.mark.parametrize(
    ("purpose", "settlement", "deeds"),
    [
        (Purpose.CREDIT, S.EXACT, [D.CLEAR]),
        (Purpose.CREDIT, S.OVER, [D.CLEAR]),
        (Purpose.VERIFICATION, S.EXACT, []),
        (Purpose.INQUIRY, S.EXACT, []),
        (Purpose.CASH, S.EXACT, [D.CLEAR]),
    ],
)
def test_what_follows_by_purpose(
    purpose: Purpose, settlement: Settlement, deeds: list[Deed]
) -> None:
    errands = following(plan(C.PLAIN, settlement, purpose), approved=True)
    assert [errand.deed for errand in errands] == deeds
    assert all(errand.permille == 1000 for errand in errands)


def test_estimates_are_increased_and_completed_before_they_are_cleared() -> None:
    hotel = plan(C.PLAIN, S.EXACT, increments=(3000, 2000))
    assert [(each.deed, each.amount) for each in following(hotel, approved=True)] == [
        (D.INCREMENT, 3000),
        (D.INCREMENT, 2000),
        (D.CLEAR, 0),
    ]
    fuel = plan(C.PLAIN, S.NEVER, completion=4321)
    assert [(each.deed, each.amount) for each in following(fuel, approved=True)] == [
        (D.COMPLETE, 4321)
    ]


def test_a_force_post_is_its_own_clearing() -> None:
    forced = Plan(
        channel="any",
        purpose=Purpose.PURCHASE,
        request=Financial(mti="0220", amount=500),
        settlement=S.EXACT,
    )
    assert following(forced, approved=True) == ()


def test_an_overtaken_request_is_preceded_by_its_reversal() -> None:
    assert [each.deed for each in opening(plan(C.OVERTAKEN, S.EXACT))] == [D.OVERTAKE, D.OPEN]
    assert [each.deed for each in opening(plan(C.PLAIN, S.EXACT))] == [D.OPEN]
