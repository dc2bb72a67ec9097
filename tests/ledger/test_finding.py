"""What the ladder finds in a ledger: by days, tolerance, an acquirer's reference, or not for sure.

`test_matching` has the rungs themselves; here each is climbed over rows that were stored before.
"""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from ledger import questions
from ledger.commands import Authorize, Clear, Decision, Origin, Purpose, Reference, trace_in
from ledger.outcomes import Outcome
from tests.ledger.books import Books, named

SHOP = {"merchant": "SHOP", "terminal": "T1"}


def buy(
    books: Books, trace: str, code: str = "111111", amount: int = 300, *, transaction: str = ""
) -> int:
    """A purchase at SHOP; its trace begins with the day (MMDD of DE 7)."""
    origin = books.origin(transaction, trace)
    command = books.authorize(amount, origin, approval_code=code)
    return books.ask(msgspec.structs.replace(command, details=SHOP)).authorization_id


# --- by approval code and day ---


DAYS = [
    # the day of the purchase, the days that its clearing may mean, whether it is found
    ("1122", ("1121", "1122", "1123"), True),
    ("1121", ("1121", "1122", "1123"), True),
    ("1123", ("1121", "1122", "1123"), True),
    ("1120", ("1121", "1122", "1123"), False),
    ("1231", ("1231", "0101", "0102"), True),
    ("1122", (), True),  # of any day
]


@pytest.mark.parametrize(("day", "days", "found"), DAYS)
def test_an_approval_code_is_looked_for_on_its_days(
    books: Books, day: str, days: tuple[str, ...], *, found: bool
) -> None:
    held = buy(books, f"{day}013045000101400552")
    decision = books.ask(books.clear(300, Reference(approval_code="111111", days=days)))
    assert decision.authorization_id == (held if found else 0)
    rung = "matched by approval code and amount" if found else "no authorization matches"
    assert decision.explanation.startswith(f"{rung}: JPY 300 posted" if found else rung)


TOLERANCE = [
    # cleared, tolerance, by which rung
    (300, 0, "matched by approval code and amount"),
    (345, 45, "matched by approval code, amount within tolerance"),
    (255, 45, "matched by approval code, amount within tolerance"),
    (346, 45, "no authorization matches"),
]


@pytest.mark.parametrize(("cleared", "tolerance", "rung"), TOLERANCE)
def test_an_amount_may_differ_within_tolerance(
    books: Books, cleared: int, tolerance: int, rung: str
) -> None:
    buy(books, "1122")
    reference = Reference(approval_code="111111", days=("1122",), tolerance=tolerance)
    assert books.ask(books.clear(cleared, reference)).explanation.startswith(rung)


def test_an_approval_code_that_came_twice_is_told_apart_by_amount(books: Books) -> None:
    first, second = buy(books, "1122a", amount=300), buy(books, "1122b", amount=200)
    reference = Reference(approval_code="111111", days=("1122",), tolerance=1000)
    assert books.ask(books.clear(200, reference)).authorization_id == second
    assert books.ask(books.clear(300, reference)).authorization_id == first


def test_another_network_has_other_codes(books: Books) -> None:
    buy(books, "1122")
    origin = msgspec.structs.replace(books.origin(), network="quicpay")
    decision = books.ask(books.clear(300, Reference(approval_code="111111"), origin))
    assert decision.authorization_id == 0


def test_what_a_message_names_outright_goes_before_its_code(books: Books) -> None:
    buy(books, "1122a", "111111")
    named_ = buy(books, "1122b", "222222", transaction="T")
    reference = Reference(transaction_id="T", approval_code="111111")
    assert books.ask(books.clear(300, reference)).authorization_id == named_


def test_a_reversal_finds_it_by_code_too(books: Books) -> None:
    held = buy(books, "1122")
    reference = Reference(approval_code="111111", days=("1122",))
    decision = books.ask(books.reverse(reference, 300))
    assert (decision.authorization_id, decision.amount) == (held, 300)


@pytest.mark.parametrize(("later", "found"), [(1, True), (2, False)])
@pytest.mark.parametrize(
    ("most", "reference"),
    [
        ("_OF_A_DAY", Reference(approval_code="111111", days=("1122",))),
        ("_SUGGESTED_FROM", Reference(merchant="SHOP", days=("1122",))),
    ],
)
def test_of_a_day_the_latest_are_looked_at(
    books: Books,
    monkeypatch: pytest.MonkeyPatch,
    most: str,
    reference: Reference,
    later: int,
    *,
    found: bool,
) -> None:
    monkeypatch.setattr(questions, most, 2)
    held = buy(books, "1122000001")
    for number in range(later):
        buy(books, f"112200000{2 + number}", "222222", amount=100)
    buy(books, "1123000001", "222222", amount=100)  # of another day
    key = books.origin(key="record")
    decision = books.ask(books.clear(300, reference, key))
    named = decision.authorization_id or books.clearing("record").suggested_id
    assert named == (held if found else 0)


# --- by the acquirer's reference number ---


def record(books: Books, number: str, amount: int, **how: object) -> Clear:
    """A record of a clearing file: its key begins with its acquirer's reference number."""
    reference = Reference(acquirer_reference="ARN", **how)  # type: ignore[arg-type]
    return books.clear(amount, reference, books.origin(key=f"ARN|{number}"), part=(1, 2))


def test_the_next_part_of_a_clearing_needs_no_other_name(books: Books) -> None:
    held = buy(books, "1122", transaction="T")
    books.ask(record(books, "1", 200, transaction_id="T"))
    last = books.ask(record(books, "2", 100))
    assert last.authorization_id == held
    assert last.explanation == (
        "matched by the acquirer's reference of an earlier clearing: JPY 100 posted"
    )
    assert books.hold(held).state == "posted"


def test_both_parts_in_one_batch(books: Books) -> None:
    held = buy(books, "1122", transaction="T")
    batch = [record(books, "1", 200, transaction_id="T"), record(books, "2", 100)]
    assert [each.authorization_id for each in books.ledger.apply(batch)] == [held, held]
    books.must_balance()


def test_a_duplicate_is_posted_once(books: Books) -> None:
    buy(books, "1122", transaction="T")
    command = record(books, "1", 200, transaction_id="T")
    first = books.ask(command)
    assert books.ask(command) == msgspec.structs.replace(first, replayed=True)
    assert books.house()["settlement"] == 200


def test_a_refund_finds_its_purchase_by_the_same_number(books: Books) -> None:
    buy(books, "1122", transaction="T")
    books.ask(record(books, "05", 300, transaction_id="T"))
    reference = Reference(acquirer_reference="ARN")
    refund = books.clear(100, reference, books.origin(key="ARN|06"), credit=True)
    assert books.ask(refund).posted == 800


@pytest.mark.parametrize("together", [False, True])
def test_an_earlier_part_that_matched_nothing_does_not_stand_in_the_way(
    books: Books, *, together: bool
) -> None:
    """The ladder goes on below it, alone or in a batch with others."""
    books.ask(record(books, "1", 200))
    held = buy(books, "1122")
    batch = [record(books, "2", 300, approval_code="111111")]
    if together:
        batch.append(books.clear(1, named(trace="1122")))
    assert books.ledger.apply(batch)[0].authorization_id == held
    books.must_balance()


# --- not for sure ---


SUGGESTIONS = [
    # what the clearing says, whether the purchase at SHOP, T1 is suggested
    (Reference(merchant="SHOP", terminal="T1", days=("1122",)), True),
    (Reference(merchant="SHOP", days=("1121", "1122")), True),
    (Reference(merchant="SHOP", days=("1122",), approval_code="999999"), True),
    (Reference(merchant="SHOP", terminal="T9", days=("1122",)), False),
    (Reference(merchant="SHOP", days=("1123",)), False),
    (Reference(merchant="SHOP"), False),  # on no day at all it would be guessing
    (Reference(merchant="ELSEWHERE", days=("1122",)), False),
]


@pytest.mark.parametrize(("reference", "suggested"), SUGGESTIONS)
def test_a_suggestion_moves_nothing(books: Books, reference: Reference, *, suggested: bool) -> None:
    held = buy(books, "1122")
    decision = books.ask(books.clear(300, reference, books.origin(key="record")))
    assert (decision.outcome, decision.authorization_id) == (Outcome.APPROVED, 0)
    assert ("merchant and amount suggest one" in decision.explanation) == suggested
    clearing = books.clearing("record")
    assert (clearing.manner, clearing.suggested_id) == ("forced", held if suggested else 0)
    assert books.hold(held).state == "pending"


def test_a_suggested_credit_waits_in_suspense(books: Books) -> None:
    held = buy(books, "1122")
    reference = Reference(merchant="SHOP", days=("1122",))
    books.ask(books.clear(300, reference, books.origin(key="record"), credit=True))
    clearing = books.clearing("record")
    assert (clearing.manner, clearing.suggested_id) == ("suspense", held)
    assert books.house()["suspense"] == 300


# --- few names, so that they meet ---


def means(
    command: Clear,
    said: list[tuple[Authorize, Decision]],
    cleared: list[tuple[Clear, Decision]],
) -> int:
    """The ladder, said as lists; of several with that name, the first that made a hold."""
    of, by = (command.account_id, command.origin.network), command.reference
    here = [each for each in said if (each[0].account_id, each[0].origin.network) == of]
    life = [each for each in here if each[0].origin.transaction_id == by.transaction_id != ""]
    trace = [each for each in here if each[0].origin.trace == by.trace != ""]
    coded = [
        each
        for each in here
        if each[1].approval_code == by.approval_code != ""
        and each[0].origin.request_key.startswith(by.days or "")
    ]
    rrn = [each for each in coded if each[0].origin.rrn == by.rrn != ""]
    exact = [each for each in coded if each[1].amount == command.amount.amount and not by.rrn]
    earlier = [
        decision.authorization_id
        for each, decision in cleared
        if (each.account_id, each.origin.network) == of and decision.authorization_id
        if trace_in(each.origin.request_key) == by.acquirer_reference != ""
    ]
    both = [each for each in life if each in trace]
    rungs = [*map(ids, (both, life, trace)), earlier, *map(ids, (rrn, exact))]
    return next((found[0] for found in rungs if found), 0)


def ids(found: list[tuple[Authorize, Decision]]) -> list[int]:
    """First of those that made a hold."""
    holding = [
        each for each in found if each[1].outcome.approved and each[0].purpose is Purpose.PURCHASE
    ]
    return [decision.authorization_id for _, decision in holding + found]


@pytest.mark.parametrize("seed", range(8))
def test_names_that_collide_are_told_apart_in_the_order_of_the_ladder(
    books: Books, seed: int
) -> None:
    draw = Random(seed).choice
    books.open(2, 10**6)

    def origin(trace: str) -> Origin:
        made = books.origin(draw(["", "A", "B"]), trace)
        return msgspec.structs.replace(
            made, network=draw(["visanet", "quicpay"]), rrn=draw(["r1", "r2"])
        )

    said: list[tuple[Authorize, Decision]] = []
    cleared: list[tuple[Clear, Decision]] = []
    for _ in range(12):
        batch: list[Authorize | Clear] = []
        for _ in range(draw([1, 1, 2, 5])):
            account_id, amount = draw([1, 2]), draw([100, 200])
            if draw([True, False]):
                request = books.authorize(
                    amount,
                    origin(draw(["0115a", "0115b", "0116c"])),
                    account_id=account_id,
                    approval_code=draw(["c1", "c2"]),
                    purpose=draw([Purpose.PURCHASE, Purpose.CREDIT]),
                    refusal=draw([None, None, Outcome.INSTRUMENT_LOST]),
                )
                batch.append(request)
                continue
            by = Reference(
                transaction_id=draw(["", "", "A", "B"]),
                trace=draw(["", "", "0115a", "0116c"]),
                rrn=draw(["", "r1", "r2"]),
                approval_code=draw(["", "c1", "c2"]),
                acquirer_reference=draw(["", "R1", "R2"]),
                days=draw([(), ("0115",), ("0115", "0116")]),
            )
            clearing = books.clear(amount, by, origin(draw(["R1", "R2"])), credit=True)
            batch.append(msgspec.structs.replace(clearing, account_id=account_id))
        for command, decision in zip(batch, books.ledger.apply(batch), strict=True):
            if isinstance(command, Authorize):
                said.append((command, decision))
            else:
                assert decision.authorization_id == means(command, said, cleared), command
                cleared.append((command, decision))
    books.must_balance()
