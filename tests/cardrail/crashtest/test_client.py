"""What the client asks, asks again, and never asks again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cardrail.crashtest.traffic import NETWORKS
from networks.network import Network
from networks.simulator import match_key
from networks.wire.messages import CardRequest, Reversal
from tests.cardrail.crashtest.answering import Issuer


@pytest.fixture(params=NETWORKS, ids=lambda network: network.name)
def network(request: pytest.FixtureRequest) -> Network:
    chosen: Network = request.param
    return chosen


@pytest.fixture
def issuer(network: Network) -> Issuer:
    return Issuer(network)


def next_of(issuer: Issuer, mti: str) -> CardRequest:
    """The next request of that kind; what comes before it is approved."""
    while (request := issuer.client.next_request()).mti != mti:
        issuer.answer(request)
    return request


def repeats(issuer: Issuer) -> Iterator[CardRequest]:
    while (request := issuer.client.next_repeat()) is not None:
        yield request


def test_the_same_seed_asks_the_same(network: Network) -> None:
    asked = [
        [issuer.client.next_request() for _ in range(50)]
        for issuer in (Issuer(network), Issuer(network))
    ]
    assert asked[0] == asked[1]
    assert [Issuer(network, seed=2).client.next_request()] != asked[0][:1]


@pytest.mark.parametrize(
    ("mti", "repeated"),
    [("0100", "0101"), ("0120", "0121"), ("0220", "0221"), ("0400", "0401"), ("0420", "0421")],
)
def test_what_was_not_answered_is_repeated_with_the_same_key(
    issuer: Issuer, mti: str, repeated: str
) -> None:
    request = next_of(issuer, mti)
    issuer.client.unanswered(request)
    issuer.client.prepare_repeats(is_new_gateway=True)
    repeat = next(each for each in repeats(issuer) if match_key(each) == match_key(request))
    assert (repeat.mti, repeat.rrn, repeat.amount) == (repeated, request.rrn, request.amount)


def test_some_of_what_was_answered_is_repeated_too(issuer: Issuer) -> None:
    issuer.serve(200)
    issuer.client.prepare_repeats(is_new_gateway=True)
    again = list(repeats(issuer))
    latest = {match_key(each.request) for each in issuer.client.requests[-20:]}
    assert len(again) == 96
    assert latest <= {match_key(each) for each in again}
    for each in again:
        issuer.answer(each)
    assert issuer.client.differing == []
    assert issuer.client.open_count == 0


def test_a_request_that_is_never_decided_is_reversed(issuer: Issuer) -> None:
    request = next_of(issuer, "0100")
    issuer.answer(request, "91")
    issuer.client.prepare_repeats(is_new_gateway=False)
    asked = 1
    while (repeat := issuer.client.next_repeat()) is not None and repeat.mti != "0420":
        if match_key(repeat) == match_key(request):
            asked += 1
            issuer.answer(repeat, "91")
        else:
            issuer.answer(repeat)
        issuer.client.ask_undecided_again()
    assert asked == 5
    assert isinstance(repeat, Reversal)
    assert repeat.original is not None
    assert repeat.original.stan == request.stan
    issuer.answer(repeat)
    assert issuer.client.open_count == 0


def test_a_new_gateway_is_not_asked_what_the_old_one_could_not_decide(issuer: Issuer) -> None:
    request = next_of(issuer, "0100")
    issuer.answer(request, "91")
    issuer.client.prepare_repeats(is_new_gateway=True)
    again = list(repeats(issuer))
    assert match_key(request) not in {match_key(each) for each in again}
    assert again[-1].mti == "0420"


def test_an_advice_is_told_until_it_is_acknowledged(issuer: Issuer) -> None:
    request = next_of(issuer, "0220")
    issuer.answer(request, "96")
    issuer.client.prepare_repeats(is_new_gateway=True)
    for _ in range(20):
        for repeat in repeats(issuer):
            issuer.answer(repeat, "96" if match_key(repeat) == match_key(request) else "00")
        issuer.client.ask_undecided_again()
    assert issuer.client.open_count == 1
    [repeat] = repeats(issuer)
    issuer.answer(repeat)
    assert issuer.client.open_count == 0


def test_a_busy_gateway_does_not_change_an_answer(issuer: Issuer) -> None:
    """A repeat of what was decided is answered 91: nothing differs, it is asked once more."""
    issuer.serve(3)
    issuer.client.prepare_repeats(is_new_gateway=False)
    for repeat in repeats(issuer):
        issuer.answer(repeat, "91")
    issuer.client.ask_undecided_again(give_up_after=0)
    for repeat in repeats(issuer):
        issuer.answer(repeat)
    assert issuer.client.differing == []
    assert issuer.client.open_count == 0
