"""What a clearing has posted is taken back: once, with its fee and points, part by part."""

from __future__ import annotations

import pytest

from ledger.commands import Clear, Purpose, Reference, SpendingLimits
from ledger.outcomes import Outcome
from tests.ledger.books import Books, named

LIMITS = SpendingLimits(300)


def granted(books: Books) -> int:
    """Points that subscribers have been told of, all in all."""
    return sum(int(each.data["points"]) for each in books.told() if "points" in each.data)


def post(books: Books, amount: int = 300, fee: int = 110, points: int = 10) -> Clear:
    """A hold and its posting, at once."""
    books.ask(books.authorize(amount, books.origin("A")))
    command = books.clear(
        amount, named("A"), books.origin(key="post"), fee=fee, points=points, unless_reversed=True
    )
    assert books.ask(command).outcome is Outcome.APPROVED
    return command


def test_all_of_it_comes_back(books: Books) -> None:
    before = books.house()
    post(books)
    decision = books.ask(books.clear(0, named("A"), undoes="post"))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, 300)
    assert decision.explanation == "matched by transaction id: JPY 300 of it taken back"
    assert (books.house(), books.purse(), granted(books)) == (before, (1000, 0, 0), 0)


STEPS = [
    # what stays, step by step;  taken back,       posted, fee, points
    ([0],                        [300],            1000,   0,   0),
    ([100],                      [200],            790,    110, 3),
    ([200, 100, 0],              [100, 100, 100],  1000,   0,   0),
    ([0, 0],                     [300, 0],         1000,   0,   0),
    ([100, 200],                 [200, 0],         790,    110, 3),
    ([300],                      [0],              590,    110, 10),
    ([400],                      [0],              590,    110, 10),
]  # fmt: skip


@pytest.mark.parametrize(("stays", "taken_back", "posted", "fee", "points"), STEPS)
def test_what_stays_of_it(
    books: Books, stays: list[int], taken_back: list[int], posted: int, fee: int, points: int
) -> None:
    post(books)
    decisions = [books.ask(books.clear(each, named("A"), undoes="post")) for each in stays]
    assert [each.amount for each in decisions] == taken_back
    for each in decisions:
        assert (each.outcome is Outcome.APPROVED) == (each.amount > 0)
    assert (books.wallet().posted, books.house().get("fee", 0)) == (posted, fee)
    assert granted(books) == points


def test_what_came_back_is_no_longer_spent(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), limits=LIMITS))
    books.ask(books.clear(300, named("A"), books.origin(key="post")))
    books.ask(books.clear(100, named("A"), undoes="post"))
    assert books.ask(books.authorize(201, limits=LIMITS)).outcome is Outcome.AMOUNT_LIMIT
    assert books.ask(books.authorize(200, limits=LIMITS)).outcome is Outcome.APPROVED


def test_the_same_record_again_takes_nothing_more(books: Books) -> None:
    post(books)
    command = books.clear(100, named("A"), undoes="post")
    first, again = books.ask(command), books.ask(command)
    assert (first.amount, again.amount, again.replayed) == (200, 200, True)
    assert books.wallet().posted == 790


def test_a_credit_is_taken_back(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), purpose=Purpose.CREDIT))
    books.ask(books.clear(300, named("A"), books.origin(key="post"), credit=True))
    part = books.ask(books.clear(100, named("A"), undoes="post"))
    assert (part.outcome, part.amount, part.posted) == (Outcome.APPROVED, 200, 1100)
    assert books.ask(books.clear(0, named("A"), undoes="post")).amount == 100
    assert (books.purse(), books.house()) == ((1000, 0, 0), {"funding": -1000})


def test_a_credit_that_is_spent_already_is_owed(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), purpose=Purpose.CREDIT))
    books.ask(books.clear(300, named("A"), books.origin(key="post"), credit=True))
    books.ask(books.clear(1200))
    assert books.ask(books.clear(0, named("A"), undoes="post")).posted == 0
    assert books.purse() == (0, 0, 200)


@pytest.mark.parametrize("written_off", [False, True])
def test_a_credit_in_suspense_is_taken_back_from_where_it_lies(
    books: Books, *, written_off: bool
) -> None:
    credit = books.clear(300, origin=books.origin(key="ARN|1"), credit=True)
    books.ask(credit)
    if written_off:
        books.ask(books.resolve(credit))
    assert books.house()["fee" if written_off else "suspense"] == 300
    decision = books.ask(books.clear(0, undoes_reference="ARN"))
    assert (decision.amount, decision.posted) == (300, 1000)
    assert books.house() == {"funding": -1000}


def test_a_clearing_that_does_not_exist_cannot_be_taken_back(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A")))
    decision = books.ask(books.clear(0, named("A"), undoes="post"))
    assert (decision.outcome, decision.amount) == (Outcome.ORIGINAL_UNKNOWN, 0)
    assert decision.explanation == "nothing of that clearing is left to take back"


def test_the_clearing_of_another_hold_cannot_be_taken_back(books: Books) -> None:
    post(books)
    books.ask(books.authorize(50, books.origin("B")))
    decision = books.ask(books.clear(0, named("B"), undoes="post"))
    assert decision.outcome is Outcome.ORIGINAL_UNKNOWN


CANNOT_COME_BACK = ["undone", "funded", "resolved", "refused"]


@pytest.mark.parametrize("manner", CANNOT_COME_BACK)
def test_only_what_was_cleared_can_be_taken_back(books: Books, manner: str) -> None:
    if manner == "undone":
        post(books)
        books.ask(books.clear(0, origin=books.origin(key="X"), undoes="post"))
    elif manner == "funded":
        books.ask(books.fund(50, books.origin(key="X")))
    elif manner == "resolved":
        credit = books.clear(50, credit=True)
        books.ask(books.authorize(50, books.origin("A")))
        books.ask(credit)
        books.ask(books.resolve(credit, named("A"), books.origin(key="X")))
    else:
        books.ask(books.clear(-50, origin=books.origin(key="X")))
    assert books.clearing("X").manner == manner
    before = books.purse()
    assert books.ask(books.clear(0, undoes="X")).outcome is Outcome.ORIGINAL_UNKNOWN
    assert books.purse() == before


# --- by the acquirer's reference number (TC 25-27) ---


def test_it_is_taken_back_by_its_reference_number_and_only_once(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A"), books.origin(key="ARN|05:1")))
    first = books.ask(books.clear(0, origin=books.origin(key="ARN|25:1"), undoes_reference="ARN"))
    assert (first.outcome, first.amount, first.posted) == (Outcome.APPROVED, 300, 1000)
    assert first.explanation == "found by the clearing itself: JPY 300 of it taken back"
    again = books.ask(books.clear(0, origin=books.origin(key="ARN|25:2"), undoes_reference="ARN"))
    assert (again.outcome, again.amount) == (Outcome.ORIGINAL_UNKNOWN, 0)
    assert books.wallet().posted == 1000


def test_of_several_parts_each_comes_back_by_one_reversal(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    for part, amount in ((1, 200), (2, 100)):
        origin = books.origin(key=f"ARN|05:{part}")
        books.ask(books.clear(amount, named("A"), origin, part=(part, 2)))
    reference = Reference(acquirer_reference="ARN")
    taken_back = [
        books.ask(
            books.clear(0, reference, books.origin(key=f"ARN|25:{n}"), undoes_reference="ARN")
        )
        for n in (1, 2, 3)
    ]
    assert [each.amount for each in taken_back] == [200, 100, 0]
    assert taken_back[0].explanation == (
        "matched by the acquirer's reference of an earlier clearing: JPY 200 of it taken back"
    )
    assert books.purse() == (1000, 0, 0)


def test_a_reference_number_of_another_account_or_network_is_not_ours(books: Books) -> None:
    books.open(2, 1000)
    books.ask(books.clear(300, origin=books.origin(key="ARN|1"), account_id=2))
    decision = books.ask(books.clear(0, undoes_reference="ARN"))
    assert decision.outcome is Outcome.ORIGINAL_UNKNOWN
    assert books.wallet(2).posted == 700


def test_in_one_batch_with_what_it_takes_back(books: Books) -> None:
    decisions = books.ledger.apply(
        [
            books.clear(300, origin=books.origin(key="ARN|05")),
            books.clear(0, origin=books.origin(key="ARN|25"), undoes_reference="ARN"),
            books.clear(0, origin=books.origin(key="ARN|25 again"), undoes_reference="ARN"),
        ]
    )
    assert [each.amount for each in decisions] == [300, 300, 0]
    books.must_balance()


def test_what_is_still_held_is_still_promised_and_counted(books: Books) -> None:
    """A part was cleared above its hold, which then was increased."""
    books.ask(books.authorize(100, books.origin("A"), limits=LIMITS))
    books.ask(books.clear(150, named("A"), books.origin(key="part"), part=(1, 3)))
    books.ask(books.authorize(50, books.origin("A"), limits=LIMITS, increment_of=named("A")))
    books.ask(books.clear(0, undoes="part"))
    assert books.ask(books.authorize(251, limits=LIMITS)).outcome is Outcome.AMOUNT_LIMIT
    decision = books.ask(books.reverse(named("A"), replacement=30))
    assert (decision.amount, decision.explanation) == (20, "released JPY 20, JPY 30 stays")
    assert books.ask(books.authorize(270, limits=LIMITS)).outcome is Outcome.APPROVED


def test_of_what_is_no_longer_posted_nothing_was_paid_from_money(books: Books) -> None:
    """A refund of Money comes back after the part that it had refunded."""
    books.ask(books.authorize(200, books.origin("A")))
    books.ask(books.clear(100, named("A"), books.origin(key="money"), part=(1, 2)))
    books.ask(books.fund(100, to_value=True))
    books.ask(books.clear(100, named("A"), books.origin(key="value"), part=(2, 2)))
    books.ask(books.clear(100, named("A"), books.origin(key="refund"), credit=True))
    for each in ("money", "refund", "value"):
        assert books.ask(books.clear(0, named("A"), undoes=each)).amount == 100
    assert books.purse() == (1000, 100, 0)


# --- and what is not posted to begin with ---


@pytest.mark.parametrize("purpose", [Purpose.PURCHASE, Purpose.CREDIT])
def test_what_is_reversed_before_its_posting_is_not_posted(books: Books, purpose: Purpose) -> None:
    books.ask(books.authorize(300, books.origin("A"), purpose=purpose))
    books.ask(books.reverse(named("A"), 300))
    credit = purpose is Purpose.CREDIT
    decision = books.ask(books.clear(300, named("A"), credit=credit, unless_reversed=True))
    assert decision.outcome is Outcome.REVERSED_BEFORE
    assert books.wallet().posted == 1000


def test_without_an_original_the_posting_is_forced(books: Books) -> None:
    decision = books.ask(books.clear(300, named("A"), unless_reversed=True))
    assert decision.outcome is Outcome.APPROVED
