"""A link of the open-loop driver on a real socket."""

from __future__ import annotations

import select
import socket
import threading
import time

import pytest

from loadtest.answers import ErrorKind, Waiting
from loadtest.links import Link, LinkRefused
from loadtest.numbering import particulars
from loadtest.targets import TARGETS, Address, parse_address
from loadtest.templates import Press
from loadtest.traffic import KINDS
from networks.wire.management import management_request
from networks.wire.messages import CardRequest
from tests.loadtest.peer import Script, answer, approval, frame, listening

BOTH = pytest.mark.parametrize("network", TARGETS)
NOW = 1_795_311_045


def send(link: Link, count: int = 1, *, timeout: float = 5.0) -> None:
    """Send messages of the first kind, each to be answered."""
    press = Press(link.target, KINDS[link.target.name][:1])
    press.turn_to(NOW)
    for serial in range(count):
        message, stan, values = press.render(0, 1, press.encode_amount(500), serial)
        assert link.book.expect(stan, Waiting(values, 0.0, timeout))
        link.put(message)
    link.flush()


def read(link: Link, count: int) -> list[object]:
    """What has come, matched, until there are `count` or the link has ended."""
    found: list[object] = []
    deadline = time.monotonic() + 10
    while len(found) < count and link.is_open and time.monotonic() < deadline:
        if link.is_backed_up:
            link.flush()
        if select.select([link], [], [], 0.01)[0]:
            found += [
                each if isinstance(each, ErrorKind) else link.book.answered(each)
                for each in link.read()
            ]
    return found


def opened(network: str, address: Address) -> Link:
    return Link(TARGETS[network], address, 5.0)


@BOTH
def test_requests_are_answered_on_a_signed_on_link(network: str) -> None:
    with listening(network) as peer:
        link = opened(network, peer.address)
        send(link, 100)
        found = read(link, 100)
        link.sign_off(5.0)
    assert all(isinstance(each, Waiting) for each in found)
    assert len(found) == len(peer.received) == 100
    assert peer.received[0].pan == particulars(1, 500, NOW, 0).pan
    assert not link.is_open


def spoiled(**changes: object) -> Script:
    return lambda request: [answer(request, "00", **changes)]


# What the issuer sends, and what is found of it.
SCRIPTS: dict[str, tuple[Script, list[object]]] = {
    "twice": (lambda request: [approval(request)] * 2, [Waiting, ErrorKind.DUPLICATE]),
    "another RRN": (spoiled(rrn="999999999999"), [ErrorKind.UNMATCHED]),
    "another STAN": (spoiled(stan="424242"), [ErrorKind.UNMATCHED]),
    "another PAN": (spoiled(pan="4000000000000028"), [ErrorKind.UNMATCHED]),
    "another message type": (spoiled(mti="0130"), [ErrorKind.UNMATCHED]),
    "without the RRN": (spoiled(rrn=""), [Waiting]),
    "hangs up": (lambda _request: None, []),
}


@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_wrong_answers_are_told_by_kind(network: str, name: str) -> None:
    script, expected = SCRIPTS[name]
    with listening(network, script) as peer:
        link = opened(network, peer.address)
        send(link)
        found = read(link, max(len(expected), 1))
        link.close()
    assert [type(each) if isinstance(each, Waiting) else each for each in found] == expected


def cut(request: CardRequest) -> list[bytes]:
    """An answer whose last byte is missing, in a whole frame."""
    target = TARGETS["quicpay" if request.quicpay_id else "visanet"]
    whole = approval(request)[target.dialect.framing.prefix_bytes :]
    return [target.dialect.framing.wrap(whole[:-1]), approval(request)]


@BOTH
def test_an_answer_that_cannot_be_read_costs_itself_only(network: str) -> None:
    with listening(network, cut) as peer:
        link = opened(network, peer.address)
        send(link)
        found = read(link, 2)
        link.close()
    assert found[0] is ErrorKind.UNREADABLE
    assert isinstance(found[1], Waiting)


@BOTH
def test_a_broken_stream_ends_the_link_after_what_came_whole(network: str) -> None:
    with listening(network, lambda request: [approval(request), b"\xff" * 16]) as peer:
        link = opened(network, peer.address)
        send(link)
        answered, broken = read(link, 2)
        assert isinstance(answered, Waiting)
        assert broken is ErrorKind.UNREADABLE
        assert not link.is_open
        link.sign_off(5.0)


def test_a_rejected_message_waits_no_more() -> None:
    dialect = TARGETS["visanet"].dialect

    def reject(request: CardRequest) -> list[bytes]:
        payload = frame(TARGETS["visanet"], request)[dialect.framing.prefix_bytes :]
        given_back = dialect.header.reject(payload, "0134", "400552")
        assert given_back is not None
        return [dialect.framing.wrap(given_back)]

    with listening("visanet", reject) as peer:
        link = opened("visanet", peer.address)
        send(link)
        assert read(link, 1) == [ErrorKind.REJECTED]
        assert len(link.book) == 0
        link.close()


@BOTH
def test_management_and_keep_alives_are_answered_in_between(network: str) -> None:
    dialect = TARGETS[network].dialect
    echo = frame(TARGETS[network], management_request(dialect.management.echo, 7, NOW))

    def probe(request: CardRequest) -> list[bytes]:
        return [echo, dialect.framing.wrap(b""), approval(request)]

    with listening(network, probe) as peer:
        link = opened(network, peer.address)
        send(link)
        assert isinstance(read(link, 1)[0], Waiting)
        link.flush()
        link.sign_off(5.0)
    _sign_on, _request, echoed, keep_alive, _sign_off = peer.payloads
    assert dialect.codec.decode(dialect.header.split(echoed)[1])["t"] == "0810"
    assert keep_alive == b""


def test_nobody_there_is_refused_with_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(*server.getsockname())
    with pytest.raises(LinkRefused, match=f"no link to visanet at {address}: Connection refused"):
        opened("visanet", address)


def test_a_sign_on_that_is_not_answered_is_refused() -> None:
    with listening("quicpay", signs_on=False) as peer:
        expected = rf"quicpay at {peer.address} did not accept the sign-on: no answer within 0.1 s"
        with pytest.raises(LinkRefused, match=expected):
            Link(TARGETS["quicpay"], peer.address, 0.1)


def test_a_peer_that_hangs_up_at_the_sign_on_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(*server.getsockname())

        def hang_up() -> None:
            link, _ = server.accept()
            link.recv(1024)
            link.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(LinkRefused, match="the link was closed"):
            opened("visanet", address)
        thread.join()


def test_a_peer_that_does_not_read_is_waited_for() -> None:
    goes_on = threading.Event()

    def stall(request: CardRequest) -> list[bytes]:
        goes_on.wait(60)
        return [approval(request)]

    with listening("visanet", stall) as peer:
        link = opened("visanet", peer.address)
        count = 0
        press = Press(link.target, KINDS["visanet"][:1])
        amount = press.encode_amount(500)
        while not link.is_backed_up:
            for _ in range(1000):
                frame, stan, values = press.render(0, 1, amount, count)
                assert link.book.expect(stan, Waiting(values, 0.0, 5.0))
                link.put(frame)
                count += 1
            link.flush()
        link.flush()
        assert link.is_backed_up
        goes_on.set()
        found = read(link, count)
        link.close()
    assert len(found) == count
    assert all(isinstance(each, Waiting) for each in found)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8583", Address("127.0.0.1", 8583)),
        ("[::1]:1", Address("::1", 1)),
        ("localhost:65535", Address("localhost", 65_535)),
    ],
)
def test_an_address_is_host_and_port(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "8583", ":8583", "host:", "host:0", "host:65536", "host:x"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        parse_address(text)
