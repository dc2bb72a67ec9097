"""Which request an answer belongs to, and what is said of one that belongs to none."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from networks.wire.dialects import VISANET
from networks.wire.errors import DuplicateKey
from networks.wire.matching import DEFAULT_MATCH, Matcher, Mismatch, Pending, Unmatched
from networks.wire.messages import CardRequest, CardResponse, NetworkManagement
from networks.wire.respond import acknowledge, respond
from tests.wire.pairs import purchase

NOW, DEADLINE = 100.0, 105.0


def request(stan: str = "000101", **changes: object) -> CardRequest:
    return purchase(VISANET, stan=stan, rrn=f"632601{stan}", **changes)


def answer(to: CardRequest, **changes: object) -> CardResponse:
    return msgspec.structs.replace(respond(to, response_code="00"), **changes)


def waiting(
    *requests: CardRequest, match_on: tuple[str, ...] = DEFAULT_MATCH, remembered: int = 4096
) -> Matcher[None]:
    matcher: Matcher[None] = Matcher(match_on, remembered)
    for each in requests:
        matcher.add(each, NOW, DEADLINE, None)
    return matcher


def test_answers_find_their_requests_in_any_order() -> None:
    requests = [request(f"{number:06d}") for number in range(1, 6)]
    matcher = waiting(*requests)

    for each in reversed(requests):
        found = matcher.match(answer(each), NOW + 1)
        assert isinstance(found, Pending)
        assert found.message is each
    assert len(matcher) == 0


# fmt: off
CARRIED: list[tuple[dict[str, Any], tuple[Unmatched, str] | None]] = [
    # what differs in the answer, why it is unmatched (None: it matches)
    ({}, None),
    ({"terminal": "OTHER"}, None),
    ({"rrn": ""}, None),
    ({"pan": "", "acquirer": ""}, None),
    ({"stan": ""}, None),
    ({"stan": "", "rrn": "", "pan": "", "acquirer": ""}, None),
    ({"rrn": "999999999999"}, (Unmatched.KEY_DIFFERS, "rrn")),
    ({"rrn": "999999999999", "pan": "4000000000000010"}, (Unmatched.KEY_DIFFERS, "rrn, pan")),
    ({"transmission": "1122013046"}, (Unmatched.KEY_DIFFERS, "transmission")),
    ({"mti": "0130"}, (Unmatched.KEY_DIFFERS, "mti")),
    ({"stan": "000999"}, (Unmatched.KEY_DIFFERS, "stan")),
    ({"stan": "000999", "rrn": "999999999999"}, (Unmatched.NEVER_SENT, "no request resembles it")),
    ({"stan": "", "transmission": "", "rrn": "", "acquirer": "", "pan": ""},
        (Unmatched.KEY_DIFFERS, "no stan, transmission, rrn, acquirer, pan")),
]
# fmt: on


@pytest.mark.parametrize(("changes", "reason"), CARRIED)
def test_only_what_the_answer_carries_is_compared(
    changes: dict[str, Any], reason: tuple[Unmatched, str] | None
) -> None:
    asked = request()
    found = waiting(asked).match(answer(asked, **changes), NOW)

    if reason is None:
        assert isinstance(found, Pending)
    else:
        assert isinstance(found, Mismatch)
        assert (found.reason, found.detail) == reason


def test_an_answer_that_could_be_to_two_requests_is_to_neither() -> None:
    first, second = request(), msgspec.structs.replace(request(), rrn="632601999999")
    matcher = waiting(first, second)

    found = matcher.match(answer(first, rrn=""), NOW)
    assert isinstance(found, Mismatch)
    assert found.reason is Unmatched.KEY_DIFFERS
    assert found.detail == "2 requests agree with what the answer carries"
    assert isinstance(matcher.match(answer(second), NOW), Pending)


def test_a_second_answer_is_already_answered() -> None:
    asked = request()
    matcher = waiting(asked)
    matcher.match(answer(asked), NOW)

    assert matcher.match(answer(asked), NOW) == Mismatch(
        Unmatched.ALREADY_ANSWERED, "an answer came before"
    )


def test_a_late_answer_tells_how_late() -> None:
    asked = request()
    matcher = waiting(asked)
    assert [pending.message for pending in matcher.expired(DEADLINE)] == [asked]

    late = matcher.match(answer(asked), DEADLINE + 1.25)
    assert late == Mismatch(Unmatched.LATE, "1.250 s after its deadline", 1.25)


def test_another_answer_with_the_stan_of_an_ended_request_was_never_asked_for() -> None:
    asked = request()
    matcher = waiting(asked)
    matcher.match(answer(asked), NOW)

    found = matcher.match(answer(asked, rrn="999999999999"), NOW)
    assert isinstance(found, Mismatch)
    assert found.reason is Unmatched.NEVER_SENT


def test_memory_of_ended_requests_is_bounded() -> None:
    requests = [request(f"{number:06d}") for number in range(1, 4)]
    matcher = waiting(*requests, remembered=2)
    for each in requests:
        matcher.match(answer(each), NOW)

    reasons = [matcher.match(answer(each), NOW) for each in requests]
    assert [found.reason for found in reasons if isinstance(found, Mismatch)] == [
        Unmatched.NEVER_SENT,
        Unmatched.ALREADY_ANSWERED,
        Unmatched.ALREADY_ANSWERED,
    ]


def test_a_request_that_answers_could_not_tell_apart_is_refused() -> None:
    matcher = waiting(request())
    with pytest.raises(DuplicateKey, match="same match key"):
        matcher.add(request(mti="0101"), NOW, DEADLINE, None)

    reversal = request(mti="0400")  # its answer has another type
    matcher.add(reversal, NOW, DEADLINE, None)
    assert len(matcher) == 2


def test_the_match_attributes_are_the_caller_s_choice() -> None:
    asked = request()
    matcher = waiting(asked, match_on=("rrn",))
    assert isinstance(matcher.match(answer(asked, stan="999999"), NOW), Pending)


def test_what_a_class_lacks_is_not_compared() -> None:
    echo = NetworkManagement(mti="0800", transmission="1122013100", stan="000002")
    matcher: Matcher[None] = Matcher()
    matcher.add(echo, NOW, DEADLINE, None)

    assert isinstance(matcher.match(acknowledge(echo), NOW), Pending)


def test_deadlines_come_in_their_own_order() -> None:
    matcher: Matcher[None] = Matcher()
    requests = {deadline: request(f"{deadline:06d}") for deadline in (107, 103, 105)}
    for deadline, each in requests.items():
        matcher.add(each, NOW, float(deadline), None)
    assert matcher.next_deadline() == 103.0

    matcher.match(answer(requests[103]), NOW)
    assert matcher.next_deadline() == 105.0
    assert [pending.deadline for pending in matcher.expired(110.0)] == [105.0, 107.0]
    assert matcher.next_deadline() is None


def test_deadlines_of_answered_requests_take_no_memory() -> None:
    matcher: Matcher[None] = Matcher()
    patient = request("000000")
    matcher.add(patient, NOW, NOW, None)
    for number in range(1, 1000):
        asked = request(f"{number:06d}")
        matcher.add(asked, NOW, DEADLINE, None)
        matcher.match(answer(asked), NOW)

    assert len(matcher._heap) < 100
    assert matcher.next_deadline() == NOW


def test_a_withdrawn_request_waits_no_more() -> None:
    asked = request()
    matcher = waiting(asked)

    withdrawn = matcher.withdraw(request(), NOW)
    assert withdrawn is not None
    assert withdrawn.message is asked
    assert matcher.withdraw(request(), NOW) is None
    assert matcher.withdraw(request("000999"), NOW) is None


def test_a_request_withdrawn_is_told_from_others_of_its_stan() -> None:
    matcher = waiting(request())
    assert matcher.withdraw(request(acquirer="1"), NOW) is None


def test_draining_gives_all_that_waits() -> None:
    requests = [request("000002"), request("000001")]
    matcher = waiting(*requests)

    assert [pending.message for pending in matcher.drain()] == requests
    assert (len(matcher), matcher.next_deadline()) == (0, None)
