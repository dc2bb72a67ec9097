"""Try: what is approved and held, what is declined and why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.commands import Origin, Purpose, SpendingLimits
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW, Books, named

CASES: list[tuple[int, dict[str, Any], str, int, str]] = [
    # amount, how it is asked, outcome, amount promised, explanation
    (100, {}, "APPROVED", 100, "held JPY 100 of JPY 1,000 available"),
    (1000, {}, "APPROVED", 1000, "held JPY 1,000 of JPY 1,000 available"),
    (1001, {}, "INSUFFICIENT_FUNDS", 0, "JPY 1,001 asked, JPY 1,000 available"),
    (1001, {"partial": True}, "APPROVED_PARTIALLY", 1000,
     "held JPY 1,000 of JPY 1,001 asked: no more is available"),
    (900, {"partial": True}, "APPROVED", 900, "held JPY 900 of JPY 1,000 available"),
    (200, {"purpose": Purpose.CASH}, "APPROVED", 200, "held JPY 200 of JPY 1,000 available"),
    (9999, {"purpose": Purpose.CREDIT}, "APPROVED", 9999,
     "credit of JPY 9,999 awaits its clearing"),
    (0, {"purpose": Purpose.VERIFICATION}, "APPROVED", 0, "account is good, nothing held"),
    (0, {"purpose": Purpose.INQUIRY}, "APPROVED", 0, "balance told, nothing held"),
    (0, {}, "FORMAT_INVALID", 0, "amount 0 is outside what can be held"),
    (-5, {"purpose": Purpose.CREDIT}, "FORMAT_INVALID", 0,
     "amount -5 is outside what can be held"),
    (10**16, {"purpose": Purpose.CREDIT}, "FORMAT_INVALID", 0,
     "amount 10000000000000000 is outside what can be held"),
    (100, {"limits": SpendingLimits(99)}, "AMOUNT_LIMIT", 0,
     "JPY 100 on top of JPY 0 spent today exceeds the daily limit of JPY 99"),
    (100, {"limits": SpendingLimits(100, 1)}, "APPROVED", 100,
     "held JPY 100 of JPY 1,000 available"),
    (100, {"limits": SpendingLimits(None, 0)}, "COUNT_LIMIT", 0,
     "the daily limit of 0 purchases is reached"),
    (100, {"limits": SpendingLimits(0, 0), "purpose": Purpose.CREDIT}, "APPROVED", 100,
     "credit of JPY 100 awaits its clearing"),
    (100, {"increment_of": named("nothing")}, "ORIGINAL_UNKNOWN", 0,
     "no pending hold of the authorization that this should add to"),
    # the caller's refusal and our own reasons, by precedence
    (100, {"refusal": Outcome.INSTRUMENT_LOST}, "INSTRUMENT_LOST", 0, "INSTRUMENT_LOST"),
    (5000, {"refusal": Outcome.INSTRUMENT_LOST}, "INSTRUMENT_LOST", 0, "INSTRUMENT_LOST"),
    (5000, {"refusal": Outcome.NOT_PERMITTED, "limits": SpendingLimits(1)}, "AMOUNT_LIMIT", 0,
     "JPY 5,000 on top of JPY 0 spent today exceeds the daily limit of JPY 1"),
    (5000, {"refusal": Outcome.FORMAT_INVALID, "partial": True}, "INSUFFICIENT_FUNDS", 0,
     "JPY 5,000 asked, JPY 1,000 available"),
]  # fmt: skip


@pytest.mark.parametrize(("amount", "how", "outcome", "promised", "explanation"), CASES)
def test_decisions(
    books: Books, amount: int, how: dict[str, Any], outcome: str, promised: int, explanation: str
) -> None:
    decision = books.ask(books.authorize(amount, **how))
    assert decision.outcome.name == outcome
    assert decision.amount == promised
    assert decision.explanation == explanation
    spends = how.get("purpose", Purpose.PURCHASE) in {Purpose.PURCHASE, Purpose.CASH}
    assert decision.available == 1000 - (promised if spends else 0)
    assert decision.posted == 1000
    assert decision.approval_code == ("123456" if decision.outcome.approved else "")


def test_another_currency_is_declined_before_any_sum_is_made(books: Books) -> None:
    command = books.authorize(Money(5000, "USD"), limits=SpendingLimits(1))
    decision = books.ask(command)
    assert decision.outcome is Outcome.CURRENCY_UNSUPPORTED
    assert decision.explanation == "the request is in USD, the account in JPY"


def test_the_callers_reason_is_kept(books: Books) -> None:
    command = books.authorize(5, refusal=Outcome.NOT_PERMITTED)
    command = msgspec.structs.replace(command, refusal_reason="merchant category 7995 is blocked")
    assert books.ask(command).explanation == "merchant category 7995 is blocked"


@pytest.mark.parametrize("account_id", [2, -1])
def test_unknown_wallets(books: Books, account_id: int) -> None:
    for command in (
        books.authorize(5, account_id=account_id),
        books.advise(5, account_id=account_id),
        books.reverse(named("A"), account_id=account_id),
        books.clear(5, account_id=account_id),
        books.fund(5, account_id=account_id),
        books.resolve(books.clear(5), account_id=account_id),
        books.recall(books.authorize(5, account_id=account_id)),
    ):
        decision = books.ask(command)
        assert decision.outcome is Outcome.ACCOUNT_UNKNOWN
        assert decision.authorization_id == 0


def test_a_credit_line_can_be_spent(books: Books) -> None:
    books.open(2, 0, credit_line=500)
    assert books.ask(books.authorize(500, account_id=2)).available == 0
    assert books.ask(books.authorize(1, account_id=2)).outcome is Outcome.INSUFFICIENT_FUNDS


# --- repeats ---


def test_a_repeat_gets_the_stored_answer_and_no_second_hold(books: Books) -> None:
    command = books.authorize(100)
    first = books.ask(command)
    books.ask(books.authorize(300))
    again = books.ask(command)
    assert again == msgspec.structs.replace(first, replayed=True)
    assert books.ask(books.authorize(600)).available == 0


def test_another_request_with_the_same_key_is_a_conflict(books: Books) -> None:
    origin = books.origin()
    first = books.ask(books.authorize(100, origin))
    other = msgspec.structs.replace(origin, fingerprint="other")
    decision = books.ask(books.authorize(200, other))
    assert decision.outcome is Outcome.CONFLICT
    assert decision.authorization_id == first.authorization_id
    assert (decision.amount, decision.approval_code) == (0, "")


def test_a_declined_key_stays_declined_when_money_arrives(books: Books) -> None:
    command = books.authorize(1500)
    declined = books.ask(command)
    credit = books.ask(books.authorize(1000, books.origin("R"), purpose=Purpose.CREDIT))
    assert credit.outcome.approved
    assert books.ask(books.clear(1000, named("R"), credit=True)).available == 2000
    assert books.ask(command) == msgspec.structs.replace(declined, replayed=True)


def test_keys_of_two_networks_are_apart(books: Books) -> None:
    origin = books.origin()
    other = msgspec.structs.replace(origin, network="quicpay")
    decisions = [books.ask(books.authorize(100, each)) for each in (origin, other)]
    assert not any(each.replayed for each in decisions)
    assert decisions[1].available == 800


# --- increments ---


def test_an_increment_adds_to_the_hold(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A"), estimated=True))
    more = books.ask(
        books.authorize(200, books.origin("A"), increment_of=named("A"), expires_at=NOW + 30 * DAY)
    )
    assert more.outcome is Outcome.APPROVED
    assert more.available == 500
    assert books.ledger.expire(NOW + 29 * DAY) == 0
    assert books.ledger.expire(NOW + 30 * DAY) == 1


def test_a_declined_increment_leaves_the_hold_as_it_was(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    declined = books.ask(books.authorize(800, increment_of=named("A")))
    assert declined.outcome is Outcome.INSUFFICIENT_FUNDS
    assert declined.available == 700
    assert books.ask(books.clear(300, named("A"))).available == 700


def test_an_increment_of_what_has_ended_is_declined(books: Books) -> None:
    books.ask(books.authorize(300, books.origin("A")))
    books.ask(books.clear(300, named("A")))
    decision = books.ask(books.authorize(10, increment_of=named("A")))
    assert decision.outcome is Outcome.ORIGINAL_UNKNOWN


# --- spending counters ---


def test_the_day_is_counted_and_given_back_by_a_reversal(books: Books) -> None:
    limits = SpendingLimits(300, 2)
    ask = books.ask
    assert ask(books.authorize(200, books.origin("A"), limits=limits)).outcome.approved
    assert ask(books.authorize(200, limits=limits)).outcome is Outcome.AMOUNT_LIMIT
    assert ask(books.authorize(100, books.origin("B"), limits=limits)).outcome.approved
    assert ask(books.authorize(0, limits=limits)).outcome is Outcome.COUNT_LIMIT
    assert ask(books.authorize(200, limits=limits, day=20270116)).outcome.approved
    ask(books.reverse(named("A")))
    assert ask(books.authorize(200, limits=limits)).outcome.approved


def test_a_partial_reversal_gives_back_the_amount_but_not_the_count(books: Books) -> None:
    limits = SpendingLimits(300, 2)
    books.ask(books.authorize(300, books.origin("A"), limits=limits))
    books.ask(books.reverse(named("A"), replacement=100))
    assert books.ask(books.authorize(200, limits=limits)).outcome.approved
    assert books.ask(books.authorize(1, limits=SpendingLimits(None, 2))).outcome is (
        Outcome.COUNT_LIMIT
    )


def test_an_increment_counts_on_the_day_of_its_purchase_and_as_no_purchase(books: Books) -> None:
    limits = SpendingLimits(300, 1)
    books.ask(books.authorize(200, books.origin("A"), limits=limits, day=20270101))

    def more(amount: int) -> Outcome:
        command = books.authorize(amount, increment_of=named("A"), limits=limits, day=20270102)
        return books.ask(command).outcome

    assert more(101) is Outcome.AMOUNT_LIMIT
    assert more(100) is Outcome.APPROVED


def test_without_an_instrument_nothing_is_counted(books: Books) -> None:
    command = msgspec.structs.replace(books.authorize(200, books.origin("A")), instrument_id=0)
    assert books.ask(command).outcome.approved
    assert books.ask(books.reverse(named("A"))).amount == 200


def test_details_are_kept(books: Books) -> None:
    command = msgspec.structs.replace(books.authorize(5), details={"merchant": "ｺﾝﾋﾞﾆ"})
    books.ask(command)
    with books.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT details FROM authorizations").scalar()
    assert row == '{"merchant":"ｺﾝﾋﾞﾆ"}'


def test_a_blank_reference_finds_nothing(books: Books) -> None:
    books.ask(books.authorize(5, Origin("visanet", "k", "", "", "f")))
    assert books.ask(books.clear(5)).authorization_id == 0
