"""Requests sent a hundred at a time: their answers, deadlines, and what comes too late."""

from __future__ import annotations

import pytest

from loadtest.answers import Book, ErrorKind, Waiting
from loadtest.hundreds import Hundred
from loadtest.sheets import Names

PANS = [f"40000000000000{number:02d}" for number in range(100)]
NAMES = Names("0001", "1122013045", "6326010000", (("0110", "400552"),) * 100, PANS)


def answer(place: int, **changes: str) -> dict[str, str]:
    mti, transmission, rrn, acquirer, pan = NAMES.values(place)
    fields = {"t": mti, "7": transmission, "11": f"0001{place:02d}", "37": rrn, "32": acquirer}
    return {**fields, "2": pan, **changes}


@pytest.fixture
def book() -> Book:
    return waiting_book()


def waiting_book() -> Book:
    made = Book()
    assert made.hundreds.expect(Hundred(NAMES, [float(number) for number in range(100)], 200.0))
    return made


def test_each_is_ended_by_its_own_answer(book: Book) -> None:
    assert len(book) == 100
    for place in (17, 3, 99, 0):
        found = book.answered(answer(place))
        assert found == Waiting(NAMES.values(place), float(place), 200.0)
    assert len(book) == 96
    assert book.answered(answer(17)) is ErrorKind.DUPLICATE


@pytest.mark.parametrize(
    "changes", [{"2": PANS[4]}, {"37": "632601000004"}, {"t": "0130"}, {"11": "000203"}]
)
def test_another_answer_ends_nothing(book: Book, changes: dict[str, str]) -> None:
    assert book.answered(answer(3, **changes)) is ErrorKind.UNMATCHED
    assert len(book) == 100


def test_those_without_an_answer_expire_together(book: Book) -> None:
    book.answered(answer(3))
    assert book.expire(199.9) == 0
    assert book.expire(200.0) == 99
    assert len(book) == 0
    assert book.answered(answer(4)) is ErrorKind.LATE
    assert book.answered(answer(3)) is ErrorKind.DUPLICATE


def test_what_was_given_back_waits_no_more(book: Book) -> None:
    book.withdraw({"11": "000105"})
    book.withdraw({"11": "000105"})
    assert len(book) == 99
    assert book.answered(answer(5)) is ErrorKind.LATE


def test_a_hundred_that_waits_cannot_wait_twice(book: Book) -> None:
    again = Hundred(NAMES, [0.0] * 100, 300.0)
    assert not book.hundreds.expect(again)
    for place in range(100):
        book.answered(answer(place))
    assert book.hundreds.expect(again)
    assert len(book) == 100


def test_a_lost_link_ends_everything(book: Book) -> None:
    assert book.drain() == 100
    assert len(book) == 0
    assert book.answered(answer(5)) is ErrorKind.UNMATCHED


def test_what_has_ended_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.hundreds._REMEMBERED", 1)
    book = waiting_book()
    for number in range(2, 5):
        names = Names(f"{number:04d}", "1122013045", "6326010000", NAMES.answers, PANS)
        assert book.hundreds.expect(Hundred(names, [0.0] * 100, 200.0))
    assert book.expire(200.0) == 400
    verdicts = [book.answered(answer(3, **{"11": f"{number:04d}03"})) for number in range(1, 5)]
    assert verdicts == [ErrorKind.UNMATCHED] * 2 + [ErrorKind.LATE] * 2
