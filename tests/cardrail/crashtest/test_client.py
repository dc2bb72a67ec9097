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
    issuer.client.prepare_repeats()
    repeat = next(each for each in repeats(issuer) if match_key(each) == match_key(request))
    assert (repeat.mti, repeat.rrn, repeat.amount) == (repeated, request.rrn, request.amount)


def test_some_of_what_was_answered_is_repeated_too(issuer: Issuer) -> None:
    issuer.serve(200)
    issuer.client.prepare_repeats()
    again = list(repeats(issuer))
    latest = {match_key(each.request) for each in issuer.client.requests[-20:]}
    assert len(again) == 96
    assert latest <= {match_key(each) for each in again}
    for each in again:
        issuer.answer(each)
    assert issuer.client.differing == []
    assert issuer.client.open_count == 0


def asked_until_given_up(issuer: Issuer) -> list[str]:
    """The MTIs of all messages about one authorization that is never decided."""
    request = next_of(issuer, "0100")
    issuer.answer(request, "91")
    issuer.client.prepare_repeats()
    told = ["0100"]
    while (message := issuer.client.next_repeat()) is not None:
        is_about_it = message.rrn == request.rrn or _original_stan(message) == request.stan
        was_answered = message.mti == "0421"  # the reversal that had overtaken it
        told += [message.mti] * (is_about_it and not was_answered)
        issuer.answer(message, "91" if match_key(message) == match_key(request) else "00")
        issuer.client.ask_undecided_again()
    assert issuer.client.open_count == 0
    return told


def _original_stan(message: CardRequest) -> str:
    original = message.original if isinstance(message, Reversal) else None
    return "" if original is None else original.stan


def test_what_is_never_decided_is_reversed_or_taken_for_declined(
    network: Network,
) -> None:
    """It said 91, which the network may take for a decline, at once or in the end."""
    ends = {tuple(asked_until_given_up(Issuer(network, seed))) for seed in range(20)}
    repeats = ["0101"] * 4
    assert ends == {("0100",), ("0100", *repeats), ("0100", *repeats, "0420")}


def test_an_advice_is_told_until_it_is_acknowledged(issuer: Issuer) -> None:
    request = next_of(issuer, "0220")
    issuer.answer(request, "96")
    issuer.client.prepare_repeats()
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
    issuer.client.prepare_repeats()
    for repeat in repeats(issuer):
        issuer.answer(repeat, "91")
    issuer.client.ask_undecided_again()
    for repeat in repeats(issuer):
        issuer.answer(repeat)
    assert issuer.client.differing == []
    assert issuer.client.open_count == 0
