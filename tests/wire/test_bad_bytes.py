"""Whatever arrives, a session gives a message, a refusal or a broken link, and nothing else."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS
from networks.wire.errors import FrameTooLong, WireError
from networks.wire.link_states import LinkState
from networks.wire.respond import acknowledge
from networks.wire.session import Session
from networks.wire.session_events import (
    Event,
    LinkBroken,
    MessageRefused,
    RequestReceived,
    StateChanged,
)
from tests.wire.pairs import NOW, PAN, issuer_session
from tests.wire.vectors import VECTORS

SEED = 8583
MUTATIONS = 1000


@pytest.fixture(params=DIALECTS.values(), ids=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


def feed(session: Session, data: bytes) -> list[Event]:
    """Feed `data`, answer what can be answered, and look at what came of it."""
    events = session.receive_data(data, NOW)
    for event in events:
        if isinstance(event, RequestReceived):
            session.respond(event, acknowledge(event.message, "96"))
        if isinstance(event, (MessageRefused, LinkBroken)):
            assert isinstance(event.error, WireError)
            assert PAN not in str(event.error) + repr(event)
    assert (session.state is LinkState.CLOSED) == any(isinstance(e, LinkBroken) for e in events)
    return events


def mutate(random: Random, frame: bytes) -> bytes:
    """One to four bytes changed, lost, doubled or swapped."""
    data = bytearray(frame)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data))
        match random.randrange(5):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                data[at] ^= 1 << random.randrange(8)
            case 2:
                del data[at : at + random.randint(1, 3)]
            case 3:
                data[at:at] = random.randbytes(random.randint(1, 3))
            case _:
                data[at : at + 4] = reversed(data[at : at + 4])
        if not data:
            return b"\x00"
    return bytes(data)


@pytest.mark.parametrize("keeps_lengths", [True, False])
def test_a_thousand_mutations_of_real_messages(keeps_lengths: bool) -> None:
    """With right lengths the mutation reaches the codec instead of the framing."""
    random, kinds = Random(SEED), set()
    for _ in range(MUTATIONS):
        golden = random.choice(VECTORS)
        framing = golden.dialect.framing
        if keeps_lengths:
            header = golden.frame[framing.prefix_bytes : -len(golden.message)]
            message = mutate(random, golden.message)
            if golden.dialect.name == "visanet":
                total = (len(header) + len(message)).to_bytes(2, "big")
                header = header[:3] + total + header[5:]
            data = framing.wrap(header + message)
        else:
            data = mutate(random, golden.frame)
        session = issuer_session(golden.dialect)
        kinds |= {type(event) for event in feed(session, data)}
        if session.state is not LinkState.CLOSED and not session._buffer.pending:
            fresh = issuer_session(golden.dialect).receive_data(golden.frame, NOW)
            again = session.receive_data(golden.frame, NOW)
            assert [type(event) for event in again][:1] == [type(event) for event in fresh][:1]

    assert {RequestReceived, MessageRefused} <= kinds


@given(data=st.binary(max_size=4096), step=st.integers(1, 4096))
def test_garbage_is_no_more_than_garbage(data: bytes, step: int) -> None:
    for each in DIALECTS.values():
        session = issuer_session(each)
        for begin in range(0, len(data), step):
            feed_closed = session.state is LinkState.CLOSED
            if feed_closed:
                assert session.receive_data(data[begin : begin + step], NOW) == []
            else:
                feed(session, data[begin : begin + step])
        assert session._buffer.pending <= each.framing.longest + each.framing.prefix_bytes


def test_half_a_frame_is_waited_for(dialect: Dialect) -> None:
    for golden in VECTORS:
        if golden.dialect is dialect:
            session = issuer_session(dialect)
            half = len(golden.frame) // 2
            assert feed(session, golden.frame[:half]) == []
            assert feed(session, golden.frame[half:])[:1] != []


def test_an_oversize_length_breaks_the_link(dialect: Dialect) -> None:
    session = issuer_session(dialect)
    prefix = (dialect.framing.longest + 1).to_bytes(2, "big")
    events = feed(session, prefix + bytes(dialect.framing.prefix_bytes - 2))

    assert [type(event) for event in events] == [LinkBroken, StateChanged]
    assert isinstance(events[0], LinkBroken)
    assert isinstance(events[0].error, FrameTooLong)


@pytest.mark.parametrize("bitmap", ["FF" * 8, "80" + "00" * 7, "00" * 8, "7F" * 8], ids=str)
def test_a_wrong_bitmap_is_refused_and_the_link_lives(dialect: Dialect, bitmap: str) -> None:
    golden = next(
        each for each in VECTORS if each.dialect is dialect and each.fields["t"] == "0100"
    )
    begin = golden.frame.index(golden.message) + (2 if dialect.name == "visanet" else 4)
    data = golden.frame[:begin] + bytes.fromhex(bitmap) + golden.frame[begin + 8 :]
    session = issuer_session(dialect)

    assert MessageRefused in [type(event) for event in feed(session, data)]
    assert session.data_to_send() != b""
    assert RequestReceived in [type(event) for event in feed(session, golden.frame)]
