"""The comparison finds what it is there to find, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from cardrail.crashtest.books import Books, RecordKey, Stored
from cardrail.crashtest.comparison import (
    Finding,
    Kind,
    compare_money,
    compare_requests,
    count_unheard,
    faults,
    told_differently,
)
from cardrail.crashtest.traffic import NETWORKS
from cardrail.truths import Truth
from ledger.audit import Disagreement
from networks.network import Network
from tests.cardrail.crashtest.answering import Issuer

REQUESTS = 150


@pytest.fixture(params=NETWORKS, ids=lambda network: network.name)
def issuer(request: pytest.FixtureRequest) -> Issuer:
    network: Network = request.param
    issuer = Issuer(network)
    issuer.serve(REQUESTS)
    return issuer


def found(issuer: Issuer, books: Books | None = None) -> list[Finding]:
    clients = [issuer.client]
    books = books or issuer.books()
    return [*faults(books), *compare_requests(clients, books), *compare_money(clients, books)]


def approved(issuer: Issuer) -> RecordKey:
    """A sale that was approved and holds."""
    return next(
        key for key, rows in issuer.stored.items() if key[2] == "authorize" and rows[0].holds
    )


def test_every_verb_is_among_what_was_asked(issuer: Issuer) -> None:
    assert {verb for _, _, verb in issuer.stored} == {"authorize", "advise", "clear", "reverse"}
    assert len(issuer.client.requests) == REQUESTS


def test_books_that_say_the_same_are_silent(issuer: Issuer) -> None:
    assert found(issuer) == []


def drop(rows: list[Stored]) -> None:
    rows.clear()


def double(rows: list[Stored]) -> None:
    rows.append(rows[0])


def changed(**changes: object) -> Callable[[list[Stored]], None]:
    def change(rows: list[Stored]) -> None:
        rows[0] = msgspec.structs.replace(rows[0], **changes)

    return change


ROWS: list[tuple[str, Callable[[list[Stored]], None], Kind]] = [
    ("authorize", drop, Kind.LOST),
    ("authorize", double, Kind.DOUBLED),
    ("authorize", changed(approved=False), Kind.LOST),
    ("authorize", changed(approval_code="ZZZZZZ"), Kind.LOST),
    ("authorize", changed(amount=1), Kind.LOST),
    ("authorize", changed(amount=10**12), Kind.DOUBLED),
    ("authorize", changed(holds=False), Kind.LOST),
    ("advise", drop, Kind.LOST),
    ("advise", double, Kind.DOUBLED),
    ("clear", drop, Kind.LOST),
    ("clear", double, Kind.DOUBLED),
    ("clear", changed(approved=False), Kind.LOST),
    ("reverse", drop, Kind.LOST),
    ("reverse", double, Kind.DOUBLED),
]


@pytest.mark.parametrize(("verb", "change", "kind"), ROWS)
def test_a_stored_answer_that_is_not_the_one_told(
    issuer: Issuer, verb: str, change: Callable[[list[Stored]], None], kind: Kind
) -> None:
    key = approved(issuer)
    if verb != "authorize":
        key = next(each for each in issuer.stored if each[2] == verb)
    change(issuer.stored[key])
    [finding] = found(issuer)
    assert (finding.kind, finding.subject) == (kind, " ".join(key))


def test_a_stored_answer_that_nobody_asked_for(issuer: Issuer) -> None:
    issuer.stored["visanet", "632601999999", "authorize"].append(Stored(True))
    [finding] = found(issuer)
    assert str(finding) == "doubled: visanet 632601999999 authorize: asked 0 times, stored 1"


@pytest.mark.parametrize(("error", "kind"), [(-1, Kind.DOUBLED), (1, Kind.LOST)])
def test_a_wallet_that_was_debited_otherwise(issuer: Issuer, error: int, kind: Kind) -> None:
    issuer.posted[7] += error
    [finding] = found(issuer)
    assert (finding.kind, finding.subject) == (kind, "wallet 7")


MONEY = [
    ("held", 1, Kind.DOUBLED),
    ("held", -1, Kind.LOST),
    ("cleared", 1, Kind.DOUBLED),
    ("credited", 1, Kind.DOUBLED),
]


@pytest.mark.parametrize(("attribute", "error", "kind"), MONEY)
def test_money_of_an_authorization_that_differs(
    issuer: Issuer, attribute: str, error: int, kind: Kind
) -> None:
    books = issuer.books()
    key, claim = next((key, each) for key, each in books.truth.claims.items() if each.held)
    wrong = msgspec.structs.replace(claim, **{attribute: (getattr(claim, attribute) or 0) + error})
    truth = Truth("ledger", {**books.truth.claims, key: wrong}, True)
    [finding] = found(issuer, msgspec.structs.replace(books, truth=truth))
    assert (finding.kind, finding.subject) == (kind, f"{' '.join(key)} {attribute}")


def test_an_answer_that_the_ledger_remembers_otherwise(issuer: Issuer) -> None:
    books = issuer.books()
    key, claim = next((key, each) for key, each in books.truth.claims.items() if each.approved)
    truth = Truth(
        "ledger",
        {**books.truth.claims, key: msgspec.structs.replace(claim, approved=False)},
        speaks_of_money=True,
    )
    [finding] = found(issuer, msgspec.structs.replace(books, truth=truth))
    assert finding.kind is Kind.DIFFERING


def test_what_the_audit_found(issuer: Issuer) -> None:
    issuer.faults.append(
        Disagreement("posted is not the sum of the entries", "account 7", "1", "2")
    )
    [finding] = found(issuer)
    told = "unbalanced: account 7: posted is not the sum of the entries, expected 1, found 2"
    assert str(finding) == told


def test_a_decision_whose_answer_was_never_read_is_no_finding(issuer: Issuer) -> None:
    decided, undecided = issuer.client.next_request(), issuer.client.next_request()
    issuer.decide(decided)
    issuer.client.unanswered(decided)
    issuer.client.unanswered(undecided)
    assert list(compare_requests([issuer.client], issuer.books())) == []
    assert count_unheard([issuer.client], issuer.books()) == 1


def test_a_repeat_that_is_answered_otherwise(issuer: Issuer) -> None:
    issuer.client.prepare_repeats()
    repeat = issuer.client.next_repeat()
    assert repeat is not None
    issuer.answer(repeat, "51", b"something else")
    [differing] = issuer.client.differing
    finding = told_differently(issuer.client, differing)
    assert finding.kind is Kind.DIFFERING
    assert "repeated, 51" in finding.told
    assert repeat.pan not in str(finding)
