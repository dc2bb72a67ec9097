"""Which request an answer ends: the same rules as the session's matcher, and counted."""

from __future__ import annotations

import pytest

from loadtest.answers import Book, ErrorKind, Waiting
from networks.wire.matching import DEFAULT_MATCH, Matcher, Mismatch, Unmatched
from networks.wire.messages import AuthorizationRequest, AuthorizationResponse

PAN = "4000000000000010"
REQUEST = AuthorizationRequest(
    mti="0100",
    transmission="1122013045",
    stan="000017",
    rrn="632601000017",
    acquirer="400552",
    pan=PAN,
)
VALUES = ("0110", "1122013045", "632601000017", "400552", PAN)
ANSWER = {"t": "0110", "7": VALUES[1], "11": "000017", "37": VALUES[2], "32": VALUES[3], "2": PAN}
WAITING = Waiting(VALUES, intended=1.0, deadline=6.0)

# What the answer carries instead (None: not there), and whether it is the request's.
CHANGES: list[tuple[dict[str, str | None], bool]] = [
    ({}, True),
    ({"2": None}, True),
    ({"2": None, "32": None}, True),
    ({"37": None}, True),
    ({"7": None}, True),
    ({"2": "4000000000000028"}, False),
    ({"7": "1122013046"}, False),
    ({"37": "632601000018"}, False),
    ({"32": "441130"}, False),
    ({"t": "0130"}, False),
    ({"11": "000018"}, False),
]


def changed(change: dict[str, str | None]) -> dict[str, str]:
    fields = {**ANSWER, **change}
    return {key: value for key, value in fields.items() if value is not None}


def book() -> Book:
    made = Book()
    assert made.expect("000017", WAITING)
    return made


@pytest.mark.parametrize(("change", "is_its_answer"), CHANGES)
def test_an_answer_ends_the_request_that_it_agrees_with(
    change: dict[str, str | None], is_its_answer: bool
) -> None:
    waiting = book()
    found = waiting.answered(changed(change))
    assert (found is WAITING) is is_its_answer
    assert (found is ErrorKind.UNMATCHED) is not is_its_answer
    assert len(waiting) == (0 if is_its_answer else 1)


@pytest.mark.parametrize(("change", "is_its_answer"), CHANGES)
def test_the_sessions_matcher_says_the_same(
    change: dict[str, str | None], is_its_answer: bool
) -> None:
    matcher: Matcher[None] = Matcher(DEFAULT_MATCH)
    matcher.add(REQUEST, 1.0, 6.0, None)
    fields = changed(change)
    answer = AuthorizationResponse(
        mti=fields["t"],
        transmission=fields.get("7", ""),
        stan=fields["11"],
        rrn=fields.get("37", ""),
        acquirer=fields.get("32", ""),
        pan=fields.get("2", ""),
    )
    assert isinstance(matcher.match(answer, 2.0), Mismatch) is not is_its_answer
    again = matcher.match(answer, 3.0)
    assert isinstance(again, Mismatch)
    assert (again.reason is Unmatched.ALREADY_ANSWERED) is is_its_answer


def test_a_second_answer_is_a_duplicate() -> None:
    waiting = book()
    assert waiting.answered(ANSWER) is WAITING
    assert waiting.answered(ANSWER) is ErrorKind.DUPLICATE
    assert waiting.answered(changed({"37": "632601000018"})) is ErrorKind.UNMATCHED


def test_an_answer_after_the_deadline_is_late() -> None:
    waiting = book()
    assert waiting.expire(5.999) == 0
    assert waiting.expire(6.0) == 1
    assert len(waiting) == 0
    assert waiting.answered(ANSWER) is ErrorKind.LATE


def test_only_what_is_due_expires_the_oldest_first() -> None:
    waiting = Book()
    for number in range(5):
        assert waiting.expect(f"{number:06d}", Waiting(VALUES, 0.0, float(number)))
    assert waiting.expire(2.5) == 3
    assert len(waiting) == 2


def test_a_stan_that_waits_cannot_wait_twice() -> None:
    waiting = book()
    assert not waiting.expect("000017", Waiting(VALUES, 2.0, 7.0))
    assert waiting.answered(ANSWER) is WAITING


def test_what_was_given_back_waits_no_more() -> None:
    waiting = book()
    waiting.withdraw({"11": "000018"})
    assert len(waiting) == 1
    waiting.withdraw({"11": "000017"})
    assert len(waiting) == 0
    assert waiting.drain() == 0


def test_a_lost_link_ends_everything() -> None:
    waiting = book()
    assert waiting.drain() == 1
    assert len(waiting) == 0
    assert waiting.answered(ANSWER) is ErrorKind.UNMATCHED


def test_what_has_ended_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.answers._REMEMBERED", 2)
    waiting = Book()
    for number in range(5):
        stan = f"{number:06d}"
        assert waiting.expect(stan, WAITING)
        assert waiting.answered({**ANSWER, "11": stan}) is WAITING
    verdicts = [waiting.answered({**ANSWER, "11": f"{number:06d}"}) for number in range(5)]
    assert verdicts == [ErrorKind.UNMATCHED] * 2 + [ErrorKind.DUPLICATE] * 3
