"""One id leads to everything that belongs to it, and to nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ledger.commands import Reference
from ledger.life_cycle import LifeCycle, NotRecorded, find_later_messages, read_life_cycle
from ledger.outcomes import Outcome
from ledger.states import HoldState
from tests.ledger.books import DAY, NOW, Books, named


def life(books: Books, subject_id: int, account_id: int = 1) -> LifeCycle:
    with books.database.reading() as connection:
        return read_life_cycle(connection, account_id, subject_id)


def test_a_purchase_is_told_from_its_request_to_its_entries(books: Books) -> None:
    held = books.ask(books.authorize(300, books.origin("A"), points=3)).authorization_id
    books.ask(books.authorize(50, books.origin("B")))
    books.ask(books.authorize(40, books.origin("A"), increment_of=named("A")))
    books.ask(books.reverse(named("A"), replacement=320))
    books.ask(books.clear(320, named("A"), fee=5))
    found = life(books, held)
    assert [each.amount for each in found.authorizations] == [300, 40]
    assert [each.amount for each in found.reversals] == [20]
    assert [each.amount for each in found.clearings] == [320]
    assert [(each.kind, each.amount, each.balance) for each in found.entries] == [
        ("clearing", -320, 680),
        ("fee", -5, 675),
    ]
    assert found.hold is not None
    assert (found.hold.state, found.hold.posted) == (HoldState.POSTED, 320)
    assert (found.account.posted, found.account.held) == (675, 50)
    assert (found.network, found.points, found.near) == ("visanet", None, ())
    assert found.rows == (*found.authorizations, *found.reversals, *found.clearings)


def test_whatever_belongs_to_it_leads_to_it(books: Books) -> None:
    held = books.ask(books.authorize(300, books.origin("A"))).authorization_id
    books.ask(books.reverse(named("A"), replacement=200))
    books.ask(books.clear(200, named("A")))
    of_hold = life(books, held)
    [reversal], [clearing] = of_hold.reversals, of_hold.clearings
    for subject_id in (reversal.reversal_id, clearing.clearing_id):
        found = life(books, subject_id)
        assert found == replace(of_hold, subject_id=subject_id)


def test_a_decline_has_no_hold_and_shares_none(books: Books) -> None:
    first = books.ask(books.authorize(5000))
    books.ask(books.authorize(6000))
    assert first.outcome is Outcome.INSUFFICIENT_FUNDS
    found = life(books, first.authorization_id)
    assert [each.requested for each in found.authorizations] == [5000]
    assert (found.hold, found.points, found.reversals, found.clearings) == (None, None, (), ())


def test_a_repeat_under_another_key_belongs_to_what_it_repeats(books: Books) -> None:
    held = books.ask(books.authorize(10, books.origin("A"))).authorization_id
    books.ask(books.authorize(10, books.origin("A"), repeats_within=1000))
    assert [each.verb for each in life(books, held).authorizations] == ["authorize", "repeat"]


@pytest.mark.parametrize("name", ["trace", "transaction id"])
def test_a_reversal_that_came_first_belongs_to_what_it_stopped(books: Books, name: str) -> None:
    origin = books.origin("A" if name == "transaction id" else "", trace="T1")
    early = books.reverse(named("A") if name == "transaction id" else named(trace="T1"))
    books.ask(early)
    stopped = books.ask(books.authorize(10, origin))
    assert stopped.outcome is Outcome.REVERSED_BEFORE
    [reversal] = life(books, stopped.authorization_id).reversals
    assert (reversal.early, reversal.request_key) == (1, early.origin.request_key)


def test_a_reversal_alone_is_told_alone(books: Books) -> None:
    books.ask(books.reverse(named("A")))
    event = books.told()[-1]
    found = life(books, event.subject_id)
    assert [each.reversal_id for each in found.reversals] == [event.subject_id]
    assert (found.authorizations, found.clearings, found.entries) == ((), (), ())


def test_a_clearing_without_a_match_has_what_it_may_be_about(books: Books) -> None:
    """Some key of theirs agrees: the amount, the RRN, the transaction id, or a suggestion."""
    books.ask(books.authorize(5000))  # declined: not what it is about
    amount = books.ask(books.authorize(70, books.origin("A"))).authorization_id
    books.ask(books.authorize(80, books.origin("B")))
    origin = books.origin("C", trace="ARN1")
    books.ask(books.clear(70, Reference(), origin))
    books.ask(books.clear(5, Reference(), books.origin(trace="ARN1")))
    books.ask(books.clear(6, Reference(), books.origin(key="without")))
    [first, second, other] = books.told()[-3:]
    found = life(books, first.subject_id)
    assert [each.amount for each in found.clearings] == [70, 5]
    assert [each.amount for each in found.entries] == [-70, -5]
    assert [each.authorization_id for each in found.near] == [amount]
    assert life(books, second.subject_id).clearings == found.clearings
    assert [each.amount for each in life(books, other.subject_id).clearings] == [6]


def test_an_account_has_only_its_own(books: Books) -> None:
    books.open(2, 100)
    held = books.ask(books.authorize(10)).authorization_id
    for account_id, subject_id in ((2, held), (1, held + 1), (3, 1)):
        with pytest.raises(NotRecorded, match=f"account {account_id} has nothing with the id"):
            life(books, subject_id, account_id)


def test_an_expired_hold_is_told(books: Books) -> None:
    held = books.ask(books.authorize(10)).authorization_id
    books.ledger.expire(NOW + 8 * DAY)
    hold = life(books, held).hold
    assert hold is not None
    assert hold.state == HoldState.EXPIRED


def test_a_message_with_an_rrn_of_its_own_is_found_by_it(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    reversal, clearing = books.reverse(named("A"), replacement=100), books.clear(100, named("A"))
    books.ledger.apply([reversal, clearing])
    with books.database.reading() as connection:
        for command in (reversal, clearing):
            [row] = find_later_messages(connection, command.origin.rrn)
            assert row.request_key == command.origin.request_key
        assert find_later_messages(connection, "none") == []
