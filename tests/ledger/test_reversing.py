"""Cancel: in full, in part, before its original, after the end."""

from __future__ import annotations

import msgspec
import pytest

from ledger.commands import AnyCommand, Purpose, Reference
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named


@pytest.mark.parametrize(
    "reference",
    [
        named("A"),
        named("A", "s1"),
        named("", "s1"),
        named("unknown", "s1"),
        named(approval_code="123456", rrn="rrn-1"),
        named(approval_code="123456"),
    ],
)
def test_a_full_reversal_releases_the_hold(books: Books, reference: Reference) -> None:
    books.ask(books.authorize(300, books.origin("A", "s1")))
    decision = books.ask(books.reverse(reference, 300))
    assert decision.outcome is Outcome.APPROVED
    assert (decision.amount, decision.available) == (300, 1000)
    assert decision.explanation == "released JPY 300, all that was held"


@pytest.mark.parametrize(
    ("replacement", "released", "told"),
    [
        (100, 200, "released JPY 200, JPY 100 stays"),
        (0, 300, "released JPY 300, all that was held"),
        (300, 0, "no more than JPY 300 is promised as it is"),
        (400, 0, "no more than JPY 300 is promised as it is"),
    ],
)
def test_a_partial_reversal_leaves_the_replacement(
    books: Books, replacement: int, released: int, told: str
) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.reverse(named("A"), replacement=replacement))
    assert (decision.amount, decision.explanation) == (released, told)
    assert decision.available == 700 + released


def test_what_is_cleared_in_part_is_not_given_back(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(100, named("A"), part=(1, 2)))
    assert books.ask(books.reverse(named("A"), replacement=150)).amount == 150
    assert books.ask(books.reverse(named("A"))).amount == 50
    assert books.ask(books.reverse(named("A"))).posted == 900


@pytest.mark.parametrize("replacement", [50, 149, 150])
def test_what_was_cleared_above_its_hold_counts_towards_what_stays(
    books: Books, replacement: int
) -> None:
    books.ask(books.authorize(100, books.origin("A")))
    books.ask(books.clear(150, named("A"), part=(1, 2)))
    books.ask(books.authorize(50, books.origin("A"), increment_of=named("A")))
    decision = books.ask(books.reverse(named("A"), replacement=replacement))
    assert (decision.amount, decision.available, decision.posted) == (50, 850, 850)


def test_a_reversal_of_an_increment_takes_back_that_one_once(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A", "s1")))
    books.ask(books.authorize(200, books.origin("A", "s2"), increment_of=named("A")))
    assert books.ask(books.reverse(named("A", "s2"))).amount == 200
    again = books.ask(books.reverse(named("A", "s2")))
    assert (again.amount, again.explanation) == (0, "this increment is released already")
    assert books.ask(books.reverse(named("A", "s1"))).amount == 300


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("clear", "the hold is cleared already: nothing is left to release"),
        ("reverse", "the hold is released already"),
        ("expire", "the hold has expired already: nothing is left to release"),
    ],
)
def test_after_the_end(books: Books, ending: str, told: str) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    if ending == "clear":
        books.ask(books.clear(300, named("A")))
    elif ending == "reverse":
        books.ask(books.reverse(named("A")))
    else:
        books.ledger.expire(NOW + 7 * DAY)
    decision = books.ask(books.reverse(named("A")))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, 0)
    assert decision.explanation == told


def test_what_held_nothing_has_nothing_to_release(books: Books) -> None:
    books.ask(books.authorize(3000, books.origin("A")))
    books.ask(books.authorize(3000, books.origin("B"), purpose=Purpose.CREDIT))
    for name in ("A", "B"):
        decision = books.ask(books.reverse(named(name)))
        assert decision.explanation == "its original holds nothing"


@pytest.mark.parametrize(
    ("reference", "transaction_id", "trace", "outcome"),
    [
        # the reversal says  the request says  and is
        (named("A", "s1"), "A", "s1", Outcome.REVERSED_BEFORE),
        (named("", "s1"), "A", "s1", Outcome.REVERSED_BEFORE),
        (named("A"), "A", "s1", Outcome.REVERSED_BEFORE),
        (named("A", "s1"), "", "s1", Outcome.REVERSED_BEFORE),
        (named("A", "s1"), "A", "s2", Outcome.APPROVED),  # another message of the life cycle
        (named("B"), "A", "s1", Outcome.APPROVED),
    ],
)
def test_a_reversal_that_overtakes_its_original_wins(
    books: Books, reference: Reference, transaction_id: str, trace: str, outcome: Outcome
) -> None:
    early = books.ask(books.reverse(reference, 300))
    assert (early.outcome, early.authorization_id) == (Outcome.APPROVED, 0)
    decision = books.ask(books.authorize(300, books.origin(transaction_id, trace)))
    assert decision.outcome is outcome


WAITS = [
    # when the original comes, in microseconds after its reversal; the answer
    (-7 * DAY, Outcome.REVERSED_BEFORE),  # the clock of the other gateway is behind
    (0, Outcome.REVERSED_BEFORE),
    (7 * DAY, Outcome.REVERSED_BEFORE),
    (7 * DAY + 1, Outcome.APPROVED),
]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("another", [False, True])
@pytest.mark.parametrize(("later", "outcome"), WAITS)
def test_it_waits_for_its_original_seven_days(
    books: Books, later: int, outcome: Outcome, *, another: bool, together: bool
) -> None:
    """Whether or not another reversal still waits, or its own repeat comes in the same batch."""
    early = books.reverse(named("A"), 300)
    books.ask(early)
    books.now = NOW + later
    if another:
        books.ask(books.reverse(named("B"), 300))
    batch: list[AnyCommand] = [early] if together else []
    batch.append(books.authorize(300, books.origin("A")))
    assert books.ledger.apply(batch)[-1].outcome is outcome
    books.must_balance()


def test_the_account_tells_when_one_came_last(books: Books) -> None:
    assert books.wallet().early_at == 0
    for at in (NOW + DAY, NOW):  # the second from a gateway whose clock is behind
        books.now = at
        books.ask(books.reverse(named("A"), 300))
        assert books.wallet().early_at == NOW + DAY


def test_it_wins_in_one_batch_too(books: Books) -> None:
    early, late = books.reverse(named("A")), books.authorize(300, books.origin("A"))
    decisions = books.ledger.apply([early, late])
    assert decisions[1].outcome is Outcome.REVERSED_BEFORE
    books.must_balance()


def test_another_network_reverses_nothing(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    origin = msgspec.structs.replace(books.origin(), network="quicpay")
    assert books.ask(books.reverse(named("A"), 300, origin)).authorization_id == 0


@pytest.mark.parametrize(
    ("replacement", "outcome"),
    [
        (Money(5, "USD"), Outcome.CURRENCY_UNSUPPORTED),
        (Money(-5, "JPY"), Outcome.FORMAT_INVALID),
    ],
)
def test_a_replacement_that_cannot_be_held(
    books: Books, replacement: Money, outcome: Outcome
) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    decision = books.ask(books.reverse(named("A"), replacement=replacement))
    assert (decision.outcome, decision.available) == (outcome, 700)


def test_repeats_and_conflicts(books: Books) -> None:
    command = books.reverse(named("A"))
    first = books.ask(command)
    assert not books.ask(books.authorize(300, books.origin("A"))).outcome.approved
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    assert books.ask(msgspec.structs.replace(command, origin=other)).outcome is Outcome.CONFLICT


def test_a_repeat_of_the_original_still_gets_its_first_answer(books: Books) -> None:
    command = books.authorize(300, books.origin("A"))
    first = books.ask(command)
    books.ask(books.reverse(named("A")))
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
