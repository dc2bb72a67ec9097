"""An approval that its network has never heard of is withdrawn: its repeats are told so, for ever.

The caller has answered that the issuer is not available, and takes back what was decided too late.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from ledger.commands import Authorize, Purpose, SpendingLimits
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named

Ask = Callable[[Books], Authorize]

LATE: dict[str, tuple[int, Ask]] = {
    # what was approved too late: what withdrawing it releases, and the request
    "a purchase": (300, lambda books: books.authorize(300, books.origin("A", "s1"))),
    "a part of one": (
        1000,
        lambda books: books.authorize(1300, books.origin("A", "s1"), partial=True),
    ),
    "a credit": (
        0,
        lambda books: books.authorize(300, books.origin("A", "s1"), purpose=Purpose.CREDIT),
    ),
    "an inquiry": (
        0,
        lambda books: books.authorize(0, books.origin("A", "s1"), purpose=Purpose.INQUIRY),
    ),
}
EXPLANATION = "approved too late for its network to hear of it, and taken back"


@pytest.mark.parametrize("title", LATE)
def test_a_repeat_is_told_that_it_is_withdrawn(books: Books, title: str) -> None:
    releases, request = LATE[title]
    late = request(books)
    first = books.ask(late)
    assert first.outcome.approved
    back = books.ask(books.reverse(named("A", "s1"), withdraws=True))
    assert (back.outcome, back.amount, back.available) == (Outcome.APPROVED, releases, 1000)
    for _ in range(2):
        again = books.ask(late)
        assert again == msgspec.structs.replace(
            first,
            outcome=Outcome.WITHDRAWN,
            amount=0,
            approval_code="",
            explanation=EXPLANATION,
            replayed=True,
        )
    assert books.ask(books.recall(late)) == again
    assert books.wallet().held == 0


def test_a_reversal_that_came_by_the_network_withdraws_nothing(books: Books) -> None:
    command = books.authorize(300, books.origin("A"))
    first = books.ask(command)
    books.ask(books.reverse(named("A")))
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)


def test_another_request_under_the_key_is_still_a_conflict(books: Books) -> None:
    command = books.authorize(300, books.origin("A"))
    books.ask(command)
    books.ask(books.reverse(named("A"), withdraws=True))
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    assert books.ask(msgspec.structs.replace(command, origin=other)).outcome is Outcome.CONFLICT


BEFORE = ["cleared", "reversed", "expired"]


@pytest.mark.parametrize("what", BEFORE)
def test_it_is_withdrawn_though_its_hold_has_ended(books: Books, what: str) -> None:
    command = books.authorize(300, books.origin("A"))
    books.ask(command)
    if what == "cleared":
        books.ask(books.clear(300, named("A")))
    elif what == "reversed":
        books.ask(books.reverse(named("A")))
    else:
        books.ledger.expire(NOW + 7 * DAY)
    assert books.ask(books.reverse(named("A"), withdraws=True)).amount == 0
    assert books.ask(command).outcome is Outcome.WITHDRAWN


@pytest.mark.parametrize("title", LATE)
def test_the_networks_own_reversal_of_it_changes_nothing(books: Books, title: str) -> None:
    _, request = LATE[title]
    command = request(books)
    books.ask(command)
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    assert books.ask(books.reverse(named("A", "s1"))).amount == 0
    assert books.ask(command).outcome is Outcome.WITHDRAWN


@pytest.mark.parametrize("first", [True, False])
def test_an_increment_is_withdrawn_alone(books: Books, *, first: bool) -> None:
    """Whichever comes first, our own reversal of it or the network's."""
    original = books.authorize(300, books.origin("A", "s1"))
    books.ask(original)
    more = books.authorize(200, books.origin("A", "s2"), increment_of=named("A"))
    books.ask(more)
    reversals = [
        books.reverse(named("A", "s2"), withdraws=first),
        books.reverse(named("A", "s2"), withdraws=not first),
    ]
    assert [books.ask(each).amount for each in reversals] == [200, 0]
    assert books.wallet().held == 300
    assert books.ask(more).outcome is Outcome.WITHDRAWN
    assert books.ask(original).outcome is Outcome.APPROVED


def test_what_it_had_spent_is_given_back(books: Books) -> None:
    limits = SpendingLimits(300)
    books.ask(books.authorize(300, books.origin("A"), limits=limits))
    books.ask(books.reverse(named("A"), withdraws=True))
    assert books.ask(books.authorize(300, limits=limits)).outcome.approved


@pytest.mark.parametrize("posted", [False, True])
def test_another_request_for_the_same_sale_is_decided_anew(books: Books, *, posted: bool) -> None:
    """What was withdrawn stands no more, even where a single message's hold has been posted."""

    def tap() -> Authorize:
        return books.authorize(300, books.origin("A"), repeats_within=DAY)

    books.ask(tap())
    if posted:
        books.ask(books.clear(300, named("A"), books.origin(key="post")))
    books.ask(books.reverse(named("A"), withdraws=True))
    if posted:
        books.ask(books.clear(0, undoes="post"))
    assert books.wallet().available == 1000
    second = books.ask(tap())
    assert (second.outcome, second.replayed, second.available) == (Outcome.APPROVED, False, 700)


def test_in_one_batch(books: Books) -> None:
    late = books.authorize(300, books.origin("A"))
    withdrawal = books.reverse(named("A"), withdraws=True)
    decisions = books.ledger.apply([late, withdrawal, late, books.recall(late)])
    assert [each.outcome for each in decisions] == [
        Outcome.APPROVED, Outcome.APPROVED, Outcome.WITHDRAWN, Outcome.WITHDRAWN,
    ]  # fmt: skip
    books.must_balance()


# --- the network decides instead ---


def test_what_the_network_then_approves_itself_is_held_again(books: Books) -> None:
    """It was told that we are not available, so it stood in (DOMAIN 1.9 item 3)."""
    late = books.authorize(300, books.origin("A", "s1"))
    books.ask(late)
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    advised = books.ask(books.advise(300, named("A"), books.origin("A", "s2")))
    assert (advised.explanation, advised.available) == ("held JPY 300 as advised", 700)
    assert books.ask(late).outcome is Outcome.WITHDRAWN
    posted = books.ask(books.clear(300, named("A")))
    assert (posted.explanation, posted.available) == (
        "matched by transaction id: JPY 300 posted", 700,
    )  # fmt: skip


@pytest.mark.parametrize("trace", ["", "s1", "s2"])
def test_and_can_be_reversed_by_any_of_its_names(books: Books, trace: str) -> None:
    books.ask(books.authorize(300, books.origin("A", "s1")))
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    books.ask(books.advise(300, named("A"), books.origin("A", "s2")))
    assert books.ask(books.reverse(named("A", trace))).amount == 300
    assert books.wallet().held == 0


def test_unless_the_network_has_reversed_it_before(books: Books) -> None:
    """Its reversal has overtaken its advice."""
    books.ask(books.authorize(300, books.origin("A", "s1")))
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    books.ask(books.reverse(named("A", "s1")))
    decision = books.ask(books.advise(300, named("A"), books.origin("A", "s2")))
    assert decision.explanation == "the original is reversed already: nothing is held"
    assert decision.available == 1000


def test_what_is_held_again_and_reversed_is_over(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A", "s1")))
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    books.ask(books.advise(300, named("A"), books.origin("A", "s2")))
    books.ask(books.reverse(named("A", "s1")))
    assert books.ask(books.advise(300, named("A"), books.origin("A", "s3"))).available == 1000


def test_an_advice_of_nothing_holds_nothing_again(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A", "s1")))
    books.ask(books.reverse(named("A", "s1"), withdraws=True))
    decision = books.ask(books.advise(0, named("A"), books.origin("A", "s2")))
    assert (decision.explanation, decision.available) == (
        "advice of nothing: nothing is held",
        1000,
    )


def test_a_single_message_that_was_posted_is_not_held_besides(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A")))
    books.ask(books.reverse(named("A"), withdraws=True))
    decision = books.ask(books.advise(300, named("A")))
    assert decision.explanation == "the original is cleared already: nothing is held"
