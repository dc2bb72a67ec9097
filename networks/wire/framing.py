"""Cutting a byte stream into frames: a length prefix, then header and message.

The prefix counts what follows it, never itself. A length of zero is a keep-alive. What is
buffered is bounded by one frame and the last piece that was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from networks.wire.errors import FrameTooLong

_LENGTHS = {2: Struct(">H")}  # by width


@dataclass(frozen=True, slots=True)
class Framing:
    """The frame form of a dialect.

    Attributes
    ----------
    prefix_bytes
        Width of the whole prefix.
    length_bytes
        How many of its first bytes are the big-endian length; the others, `flags`, are sent as
        zero and ignored when read (DOMAIN 1.1: format indicator and platform).
    longest
        The largest payload, header and message together.
    """

    prefix_bytes: int
    length_bytes: int
    longest: int

    @property
    def flag_bytes(self) -> int:
        """Width of the flags."""
        return self.prefix_bytes - self.length_bytes

    def wrap(self, payload: bytes, flags: bytes = b"") -> bytes:
        """Prefix and `payload` in one piece; ``wrap(b"")`` is a keep-alive.

        Raises
        ------
        FrameTooLong
            When `payload` exceeds the dialect's limit.
        """
        length = len(payload)
        if length > self.longest:
            raise FrameTooLong(length, self.longest)
        prefix = length.to_bytes(self.length_bytes, "big") + flags
        return prefix.ljust(self.prefix_bytes, b"\0") + payload


@dataclass(frozen=True, slots=True)
class Skip:
    """Which payloads are not worth cutting out: those that have one of `values` at `begin`.

    All values are of the same width. A payload that begins with one of `exceptions` is cut out
    whatever it has there.
    """

    begin: int = 0
    values: frozenset[bytes] = frozenset()
    exceptions: frozenset[int] = frozenset()

    @property
    def end(self) -> int:
        """Where they end, in all of the payloads."""
        return self.begin + len(next(iter(self.values), b""))

    def takes(self, payload: bytes) -> bool:
        """Whether a payload is one of them."""
        found = payload[self.begin : self.end]
        return found in self.values and payload[0] not in self.exceptions


NOTHING = Skip()


class FrameBuffer:
    """Collects the bytes of one link and gives back whole payloads."""

    __slots__ = ("_broken", "_data", "_read_length", "_skipped_count", "framing")

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self._skipped_count = 0
        self._read_length = _LENGTHS[framing.length_bytes].unpack_from
        self._data = b""
        self._broken: FrameTooLong | None = None

    @property
    def pending(self) -> int:
        """Bytes of a frame that was begun and is not complete."""
        return len(self._data)

    def feed(self, data: bytes, skip: Skip = NOTHING) -> list[bytes]:
        """The payloads that `data` completes, in order, without those to `skip`.

        ``b""`` is a keep-alive, which is never skipped.

        Raises
        ------
        FrameTooLong
            When a prefix announces more than the limit; its `frames` are the payloads that were
            complete before it. The stream is lost: every later call raises again.
        """
        if self._broken is not None:
            raise FrameTooLong(self._broken.announced, self._broken.limit)
        if self._data:
            data = self._data + data
        frames: list[bytes] = []
        begin, size, skipped = 0, len(data), 0
        prefix_bytes, longest = self.framing.prefix_bytes, self.framing.longest
        read_length = self._read_length
        exceptions, values, before, until = skip.exceptions, skip.values, skip.begin, skip.end
        while (payload := begin + prefix_bytes) <= size:
            (length,) = read_length(data, begin)
            if length > longest:
                self._skipped_count += skipped
                self._data = b""
                self._broken = FrameTooLong(length, longest, tuple(frames))
                raise self._broken
            end = payload + length
            if end > size:
                break
            if (
                values
                and length >= until
                and data[payload] not in exceptions
                and data[payload + before : payload + until] in values
            ):
                skipped += 1
            else:
                frames.append(data[payload:end])
            begin = end
        self._skipped_count += skipped
        self._data = data[begin:]
        return frames

    def take_skipped(self) -> int:
        """How many payloads were skipped since this was last asked."""
        skipped, self._skipped_count = self._skipped_count, 0
        return skipped
