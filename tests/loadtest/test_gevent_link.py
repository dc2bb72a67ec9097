"""A link that many greenlets ask over at once."""

from __future__ import annotations

import gevent
import msgspec
import pytest

from loadtest.answers import ErrorKind
from loadtest.gevent_link import GeventLink, NoAnswer
from loadtest.links import LinkRefused
from loadtest.numbering import particulars
from loadtest.targets import TARGETS, Address
from loadtest.traffic import KINDS
from networks.wire.messages import CardRequest, CardResponse
from tests.loadtest.peer import Script, answer, approval, frame, listening

BOTH = pytest.mark.parametrize("network", TARGETS)


def request(network: str, serial: int = 1) -> CardRequest:
    return KINDS[network][0].build(particulars(1, 500, 1_795_311_045, serial))


class Asking:
    """A link and the errors that it has told."""

    def __init__(self, network: str, address: Address, response_seconds: float = 5.0) -> None:
        target = msgspec.structs.replace(TARGETS[network], response_seconds=response_seconds)
        self.errors: list[ErrorKind] = []
        self.link = GeventLink(target, address, self.errors.append)

    def wait_for_error(self) -> list[ErrorKind]:
        with gevent.Timeout(10):
            while not self.errors:
                gevent.sleep(0.005)
        return self.errors


@BOTH
def test_many_are_in_flight_and_each_gets_its_own_answer(network: str) -> None:
    kept: list[bytes] = []

    def backwards(asked: CardRequest) -> list[bytes]:
        kept.insert(0, approval(asked))
        return kept if len(kept) == 50 else []

    with listening(network, backwards) as peer:
        asking = Asking(network, peer.address)
        requests = [request(network, serial) for serial in range(50)]
        greenlets = [gevent.spawn(asking.link.ask, each) for each in requests]
        gevent.joinall(greenlets, timeout=10)
        asking.link.sign_off()
    for asked, greenlet in zip(requests, greenlets, strict=True):
        response = greenlet.value.response
        assert isinstance(response, CardResponse)
        assert (response.stan, response.response_code) == (asked.stan, "00")
        assert greenlet.value.response_bytes
    assert asking.errors == []
    assert not asking.link.is_open


def rejected(asked: CardRequest) -> list[bytes]:
    dialect = TARGETS["visanet"].dialect
    payload = frame(TARGETS["visanet"], asked)[dialect.framing.prefix_bytes :]
    given_back = dialect.header.reject(payload, "0134", "400552")
    assert given_back is not None
    return [dialect.framing.wrap(given_back)]


NO_ANSWERS: dict[ErrorKind, Script] = {
    ErrorKind.TIMEOUT: lambda _: [],
    ErrorKind.LOST: lambda _: None,
    ErrorKind.REJECTED: rejected,
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_an_asker_is_told_why_there_is_no_answer(kind: ErrorKind) -> None:
    with listening("visanet", NO_ANSWERS[kind]) as peer:
        seconds = 0.05 if kind is ErrorKind.TIMEOUT else 60
        asking = Asking("visanet", peer.address, response_seconds=seconds)
        with pytest.raises(NoAnswer) as raised:
            asking.link.ask(request("visanet"))
        asking.link.close()
    assert raised.value.kind is kind
    assert str(raised.value) == kind.value


# What the issuer sends besides the answer, and what is told of it.
BESIDES: dict[ErrorKind, Script] = {
    ErrorKind.DUPLICATE: lambda asked: [approval(asked)] * 2,
    ErrorKind.UNMATCHED: lambda asked: [answer(asked, "00", stan="424242"), approval(asked)],
    ErrorKind.UNREADABLE: lambda asked: [approval(asked), b"\xff" * 8],
}


@BOTH
@pytest.mark.parametrize("kind", BESIDES)
def test_answers_to_nobody_are_told(network: str, kind: ErrorKind) -> None:
    with listening(network, BESIDES[kind]) as peer:
        asking = Asking(network, peer.address)
        asking.link.ask(request(network))
        assert asking.wait_for_error() == [kind]
        asking.link.close()


def test_a_late_answer_is_told() -> None:
    kept: list[bytes] = []

    def one_behind(asked: CardRequest) -> list[bytes]:
        kept.append(approval(asked))
        return kept[-2:-1]

    with listening("quicpay", one_behind) as peer:
        asking = Asking("quicpay", peer.address, response_seconds=0.05)
        for serial in range(2):
            with pytest.raises(NoAnswer):
                asking.link.ask(request("quicpay", serial))
        assert asking.wait_for_error() == [ErrorKind.LATE]
        asking.link.close()


def test_nothing_is_sent_over_a_closed_link() -> None:
    with listening("visanet") as peer:
        asking = Asking("visanet", peer.address)
        asking.link.close()
        with pytest.raises(NoAnswer, match="not sent"):
            asking.link.ask(request("visanet"))
        asking.link.sign_off()


def test_a_link_that_does_not_come_about_is_refused() -> None:
    with pytest.raises(LinkRefused, match=r"no link to visanet at 127\.0\.0\.1:1"):
        Asking("visanet", Address("127.0.0.1", 1))
    with listening("quicpay", signs_on=False) as peer, pytest.raises(LinkRefused, match="sign-on"):
        GeventLink(TARGETS["quicpay"], peer.address, lambda _: None, patience_seconds=0.05)
