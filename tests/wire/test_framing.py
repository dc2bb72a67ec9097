"""Frames out of a byte stream, however it is cut; limits; keep-alives; garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.errors import FrameError, FrameTooLong
from networks.wire.framing import FrameBuffer, Framing, Skip
from tests.wire import strategies as wire
from tests.wire.vectors import VECTORS, Vector

BOTH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
payloads = st.lists(st.binary(max_size=60), max_size=6)


def fed(framing: Framing, pieces: list[bytes]) -> list[bytes]:
    buffer = FrameBuffer(framing)
    return [payload for piece in pieces for payload in buffer.feed(piece)]


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_golden_vectors_byte_by_byte(vector: Vector) -> None:
    buffer = FrameBuffer(vector.dialect.framing)
    for received, byte in enumerate(vector.frame[:-1], start=1):
        assert buffer.feed(bytes([byte])) == []
        assert buffer.pending == received
    payload = vector.frame[vector.dialect.framing.prefix_bytes :]
    assert buffer.feed(vector.frame[-1:]) == [payload]
    assert buffer.pending == 0
    assert payload.endswith(vector.message)


@given(data=st.data(), dialect=wire.dialects)
def test_all_vectors_in_one_stream_cut_anywhere(data: st.DataObject, dialect: Dialect) -> None:
    frames = [vector.frame for vector in VECTORS if vector.dialect is dialect]
    pieces = data.draw(wire.pieces(b"".join(frames)))
    expected = [frame[dialect.framing.prefix_bytes :] for frame in frames]
    assert fed(dialect.framing, pieces) == expected


@given(data=st.data(), dialect=wire.dialects, payloads=payloads)
def test_what_is_wrapped_comes_back(
    data: st.DataObject, dialect: Dialect, payloads: list[bytes]
) -> None:
    stream = b"".join(map(dialect.framing.wrap, payloads))
    assert fed(dialect.framing, data.draw(wire.pieces(stream))) == payloads


# dialect | payload | frame: the prefix does not count itself
FRAMES = [
    (VISANET, b"", "00000000"),
    (QUICPAY, b"", "0000"),
    (VISANET, b"\xaa\xbb", "00020000 AABB"),
    (QUICPAY, b"\xaa\xbb", "0002 AABB"),
]


@pytest.mark.parametrize(("dialect", "payload", "frame"), FRAMES)
def test_prefix(dialect: Dialect, payload: bytes, frame: str) -> None:
    assert dialect.framing.wrap(payload) == bytes.fromhex(frame)
    assert FrameBuffer(dialect.framing).feed(bytes.fromhex(frame)) == [payload]


def test_format_indicator_and_platform_are_ignored() -> None:
    assert FrameBuffer(VISANET.framing).feed(bytes.fromhex("00010020 AA")) == [b"\xaa"]


@BOTH
def test_keep_alives_between_frames_keep_their_place(dialect: Dialect) -> None:
    framing = dialect.framing
    stream = framing.wrap(b"") + framing.wrap(b"one") + framing.wrap(b"") + framing.wrap(b"two")
    assert fed(framing, [stream]) == [b"", b"one", b"", b"two"]


@BOTH
def test_longest_frame_passes_and_one_byte_more_does_not(dialect: Dialect) -> None:
    framing = dialect.framing
    longest = bytes(framing.longest)
    assert FrameBuffer(framing).feed(framing.wrap(longest)) == [longest]
    with pytest.raises(FrameTooLong, match="frame length 2049 exceeds the limit of 2048 bytes"):
        framing.wrap(longest + b"\x00")
    with pytest.raises(FrameTooLong) as caught:
        FrameBuffer(framing).feed((framing.longest + 1).to_bytes(2, "big") + bytes(2))
    assert (caught.value.announced, caught.value.limit) == (2049, 2048)


@BOTH
def test_an_oversize_length_is_refused_before_its_bytes_are_kept(dialect: Dialect) -> None:
    buffer = FrameBuffer(dialect.framing)
    with pytest.raises(FrameTooLong):
        buffer.feed(b"\xff\xff\x00\x00" + bytes(60_000))
    assert buffer.pending == 0


@given(data=st.data(), dialect=wire.dialects, payloads=payloads)
def test_frames_before_an_oversize_length_are_given_out(
    data: st.DataObject, dialect: Dialect, payloads: list[bytes]
) -> None:
    framing = dialect.framing
    stream = b"".join(map(framing.wrap, payloads)) + b"\xff\xff\x00\x00"
    buffer = FrameBuffer(framing)
    got: list[bytes] = []
    failures = 0
    for piece in data.draw(wire.pieces(stream)):
        try:
            got += buffer.feed(piece)
        except FrameTooLong as error:
            got += error.frames
            failures += 1
    assert got == payloads
    assert failures >= 1


@BOTH
def test_a_lost_stream_stays_lost(dialect: Dialect) -> None:
    buffer = FrameBuffer(dialect.framing)
    with pytest.raises(FrameTooLong) as first:
        buffer.feed(dialect.framing.wrap(b"one") + b"\xff\xff\xff\xff")
    assert first.value.frames == (b"one",)
    with pytest.raises(FrameTooLong) as second:
        buffer.feed(dialect.framing.wrap(b"two"))
    assert second.value.frames == ()


@given(garbage=st.lists(st.binary(max_size=3000), max_size=4), dialect=wire.dialects)
def test_garbage_gives_frames_or_a_clear_error_and_bounded_memory(
    garbage: list[bytes], dialect: Dialect
) -> None:
    buffer = FrameBuffer(dialect.framing)
    for piece in garbage:
        try:
            frames = buffer.feed(piece)
        except FrameError:
            break
        assert all(len(frame) <= dialect.framing.longest for frame in frames)
        assert buffer.pending < dialect.framing.longest + dialect.framing.prefix_bytes


MARKED = Skip(begin=2, values=frozenset({b"no", b"so"}), exceptions=frozenset({0x1A}))
marked_payloads = st.lists(
    st.one_of(
        st.binary(max_size=5),
        st.builds(
            lambda head, mark, rest: head + mark + rest,
            st.sampled_from([b"\x16a", b"\x1aa"]),
            st.sampled_from([b"no", b"so", b"yes", b"n"]),
            st.binary(max_size=5),
        ),
    ),
    max_size=8,
)


@given(data=st.data(), dialect=wire.dialects, payloads=marked_payloads)
def test_what_is_skipped_is_counted_and_the_rest_is_cut_out(
    data: st.DataObject, dialect: Dialect, payloads: list[bytes]
) -> None:
    stream = b"".join(map(dialect.framing.wrap, payloads))
    buffer = FrameBuffer(dialect.framing)
    found = [
        payload
        for piece in data.draw(wire.pieces(stream))
        for payload in buffer.feed(piece, MARKED)
    ]
    assert found == [payload for payload in payloads if not MARKED.takes(payload)]
    assert buffer.take_skipped() == len(payloads) - len(found)
    assert buffer.take_skipped() == 0


@pytest.mark.parametrize(
    ("payload", "is_taken"),
    [(b"..no", True), (b"..so.", True), (b"..n", False), (b"\x1a.no", False), (b"", False)],
)
def test_which_are_skipped(payload: bytes, is_taken: bool) -> None:
    """A short one must not be read on into the next."""
    assert MARKED.takes(payload) is is_taken
    stream = VISANET.framing.wrap(payload) + b"o!"
    assert FrameBuffer(VISANET.framing).feed(stream, MARKED) == ([] if is_taken else [payload])


def test_what_was_skipped_before_a_stream_was_lost_is_counted() -> None:
    framing = VISANET.framing
    buffer = FrameBuffer(framing)
    stream = framing.wrap(b"..no") + framing.wrap(b"kept") + b"\xff\xff\xff\xff"
    with pytest.raises(FrameTooLong) as caught:
        buffer.feed(stream, MARKED)
    assert caught.value.frames == (b"kept",)
    assert buffer.take_skipped() == 1
