"""A person tells what an unmatched clearing is about, or that nobody knows."""

from __future__ import annotations

import msgspec
import pytest

from ledger.commands import Clear, Purpose, Reference
from ledger.outcomes import Outcome
from ledger.states import HoldState
from tests.ledger.books import DAY, NOW, Books, named

UNKNOWN = Outcome.ORIGINAL_UNKNOWN


def forced(books: Books, amount: int = 300) -> Clear:
    """A clearing that names nothing we know, posted by force."""
    command = books.clear(amount, origin=books.origin(key="ARN|1"))
    assert books.ask(command).explanation == "no authorization matches: posted without a hold"
    return command


def in_suspense(books: Books, amount: int = 300) -> Clear:
    command = books.clear(amount, origin=books.origin(key="ARN|1"), credit=True)
    books.ask(command)
    assert books.house()["suspense"] == amount
    return command


# --- debits: the money has moved, the hold has not ended ---


@pytest.mark.parametrize("amount", [200, 300, 400])
def test_a_debit_ends_the_hold_that_it_is_about(books: Books, amount: int) -> None:
    held = books.ask(books.authorize(300, books.origin("A"))).authorization_id
    clearing = forced(books, amount)
    assert books.wallet().held == 300
    decision = books.ask(books.resolve(clearing, named("A")))
    assert (decision.outcome, decision.amount) == (Outcome.APPROVED, amount)
    assert decision.explanation == "matched by transaction id, by hand: its hold is ended"
    assert (decision.posted, decision.available) == (1000 - amount, 1000 - amount)
    hold = books.hold(held)
    assert (hold.state, hold.posted, hold.money, hold.parts) == ("posted", amount, amount, 1)
    stored = books.clearing("ARN|1")
    assert (stored.manner, stored.authorization_id, stored.hold_id) == ("final", held, held)


@pytest.mark.parametrize("ending", ["voided", "expired"])
def test_or_that_has_ended_before(books: Books, ending: str) -> None:
    held = books.ask(books.authorize(300, books.origin("A"))).authorization_id
    if ending == "voided":
        books.ask(books.reverse(named("A")))
    else:
        books.ledger.expire(NOW + 7 * DAY)
    clearing = forced(books)
    books.ask(books.resolve(clearing, named("A")))
    assert books.hold(held).state == HoldState.POSTED
    assert books.clearing("ARN|1").manner == "late"


def test_a_debit_of_what_we_had_declined_moves_nothing(books: Books) -> None:
    declined = books.ask(books.authorize(5000, books.origin("A"))).authorization_id
    decision = books.ask(books.resolve(forced(books), named("A")))
    assert decision.explanation == "matched by transaction id, by hand: it made no hold"
    stored = books.clearing("ARN|1")
    assert (stored.manner, stored.authorization_id) == ("forced", declined)


def test_a_later_refund_finds_what_the_debit_was_about(books: Books) -> None:
    """Value was paid first; the refund follows the hold that a person has named."""
    books.ask(books.fund(100, to_value=True))
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.resolve(forced(books), named("A")))
    assert books.purse() == (800, 0, 0)
    books.ask(books.clear(250, named("A"), credit=True))
    assert books.purse() == (1000, 50, 0)


def test_its_part_that_has_come_back_is_not_posted(books: Books) -> None:
    held = books.ask(books.authorize(300, books.origin("A"))).authorization_id
    clearing = forced(books)
    books.ask(books.clear(100, undoes_reference="ARN"))
    assert books.ask(books.resolve(clearing, named("A"))).amount == 100
    assert books.hold(held).posted == 100


def test_a_suggestion_is_confirmed(books: Books) -> None:
    command = books.authorize(300, books.origin(trace="1122"))
    held = books.ask(msgspec.structs.replace(command, details={"merchant": "SHOP"}))
    shop = Reference(merchant="SHOP", days=("1122",))
    clearing = books.clear(300, shop, books.origin(key="ARN|1"))
    books.ask(clearing)
    assert books.clearing("ARN|1").suggested_id == held.authorization_id
    again = books.ask(books.resolve(clearing, shop))  # it only suggests the same once more
    assert again.outcome is UNKNOWN
    books.ask(books.resolve(clearing, named(trace="1122")))
    stored = books.clearing("ARN|1")
    assert (stored.authorization_id, stored.suggested_id) == (held.authorization_id, 0)


# --- credits: the money waits in suspense ---


def test_a_credit_goes_from_suspense_to_the_wallet(books: Books) -> None:
    credit = books.ask(books.authorize(300, books.origin("R"), purpose=Purpose.CREDIT))
    clearing = in_suspense(books)
    decision = books.ask(books.resolve(clearing, named("R")))
    assert (decision.outcome, decision.amount, decision.posted) == (Outcome.APPROVED, 300, 1300)
    told = "matched by transaction id, by hand: credited from suspense to the wallet"
    assert decision.explanation == told
    assert books.house() == {"funding": -1000, "settlement": -300}
    stored = books.clearing("ARN|1")
    assert (stored.manner, stored.authorization_id) == ("credited", credit.authorization_id)


def test_money_first_as_of_any_refund(books: Books) -> None:
    books.ask(books.fund(200, to_value=True))
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A")))
    assert books.purse() == (900, 0, 0)
    books.ask(books.resolve(in_suspense(books, 250), named("A")))
    assert books.purse() == (1000, 150, 0)
    assert books.clearing("ARN|1").value == 150


def test_its_last_units_are_value_though_some_have_come_back(books: Books) -> None:
    """Of a refund of 100, 40 have come back before it was resolved: 30 Money, 30 Value are left."""
    books.ask(books.fund(170, to_value=True))
    books.ask(books.authorize(200, books.origin("A")))
    books.ask(books.clear(200, named("A")))  # 170 Value, 30 Money
    refund = in_suspense(books, 100)
    books.ask(books.clear(60, undoes="ARN|1"))
    books.ask(books.resolve(refund, named("A")))
    assert books.purse() == (1000, 30, 0)
    books.ask(books.clear(40, undoes="ARN|1"))
    assert books.purse() == (1000, 10, 0)


def test_what_is_owed_is_paid_back_first(books: Books) -> None:
    books.ask(books.clear(1100))
    books.ask(books.authorize(300, books.origin("R"), purpose=Purpose.CREDIT))
    assert books.ask(books.resolve(in_suspense(books), named("R"))).posted == 200
    assert books.purse() == (200, 0, 0)


def test_a_credit_that_was_resolved_can_be_taken_back(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("R"), purpose=Purpose.CREDIT))
    books.ask(books.resolve(in_suspense(books), named("R")))
    assert books.ask(books.clear(0, undoes_reference="ARN")).posted == 1000
    assert books.house() == {"funding": -1000}


def test_a_credit_that_is_nobodys_is_written_off(books: Books) -> None:
    decision = books.ask(books.resolve(in_suspense(books)))
    assert (decision.outcome, decision.amount, decision.posted) == (Outcome.APPROVED, 300, 1000)
    assert decision.explanation == "written off from suspense"
    assert books.house() == {"funding": -1000, "settlement": -300, "fee": 300}
    assert books.clearing("ARN|1").manner == "written off"


def test_only_what_is_left_of_it_is_moved(books: Books) -> None:
    clearing = in_suspense(books)
    books.ask(books.clear(100, undoes_reference="ARN"))
    assert books.ask(books.resolve(clearing)).amount == 100
    assert books.house() == {"funding": -1000, "settlement": -100, "fee": 100}


# --- nothing to resolve ---


NOTHING = [
    # the clearing, what is said of it, the answer
    ("none", named("A"), "no such clearing waits for a match"),
    ("none", None, "no such clearing waits for a match"),
    ("matched", named("A"), "no such clearing waits for a match"),
    ("refused", named("A"), "no such clearing waits for a match"),
    ("taken back", named("A"), "no such clearing waits for a match"),
    ("credit taken back", named("A"), "no such clearing waits for a match"),
    ("credit taken back", None, "no such clearing waits for a match"),
    ("forced", named("B"), "no authorization matches the reference"),
    ("forced", named(), "no authorization matches the reference"),
    ("forced", None, "only a credit in suspense can be written off"),
    ("in suspense", named("B"), "no authorization matches the reference"),
]


@pytest.mark.parametrize(("what", "reference", "told"), NOTHING)
def test_nothing_to_resolve(
    books: Books, what: str, reference: Reference | None, told: str
) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    credit = "credit" in what or "suspense" in what
    match what:
        case "none":
            clearing = books.clear(300)
        case "matched":
            clearing = books.clear(300, named("A"))
            books.ask(clearing)
        case "refused":
            clearing = books.clear(-300)
            books.ask(clearing)
        case _:
            clearing = in_suspense(books) if credit else forced(books)
    if "taken back" in what:
        books.ask(books.clear(0, undoes_reference="ARN"))
    before = books.purse(), books.wallet().held, books.house()
    command = books.resolve(clearing, reference)
    decision = books.ask(command)
    assert (decision.outcome, decision.amount, decision.explanation) == (UNKNOWN, 0, told)
    assert books.ask(command) == msgspec.structs.replace(decision, replayed=True)
    assert (books.purse(), books.wallet().held, books.house()) == before
    assert books.told()[-1].type == "clearing.refused"


@pytest.mark.parametrize("credit", [False, True])
def test_it_is_resolved_once(books: Books, *, credit: bool) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    command = books.resolve(in_suspense(books) if credit else forced(books), named("A"))
    first = books.ask(command)
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
    another = msgspec.structs.replace(command, origin=books.origin())
    assert books.ask(another).outcome is UNKNOWN
    other = msgspec.structs.replace(command.origin, fingerprint="other")
    conflicting = books.ask(msgspec.structs.replace(command, origin=other))
    assert conflicting.outcome is Outcome.CONFLICT
    assert books.wallet().posted == (1300 if credit else 700)


def test_in_one_batch_with_what_it_is_about(books: Books) -> None:
    clearing = books.clear(300)
    resolved = books.resolve(clearing, named("A"))
    held = books.authorize(300, books.origin("A"))
    decisions = books.ledger.apply([clearing, held, resolved, resolved])
    assert [each.available for each in decisions] == [700, 400, 700, 700]
    assert decisions[3].replayed
    books.must_balance()


def test_subscribers_are_told(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), points=3))
    books.ask(books.resolve(forced(books), named("A")))
    event = books.told()[-1]
    assert (event.type, event.data["manner"]) == ("clearing.resolved", "resolved")
    assert (event.data["amount"], event.data["points_pending"]) == (300, 0)
