"""Cutting a byte stream into frames: a length prefix, then header and message.

The prefix counts what follows it, never itself. A length of zero is a keep-alive. What is
buffered is bounded by one frame and the last piece that was read.
"""

from __future__ import annotations

from dataclasses import dataclass

from networks.wire.errors import FrameTooLong


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


class FrameBuffer:
    """Collects the bytes of one link and gives back whole payloads."""

    __slots__ = ("_broken", "_data", "framing")

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self._data = b""
        self._broken: FrameTooLong | None = None

    @property
    def pending(self) -> int:
        """Bytes of a frame that was begun and is not complete."""
        return len(self._data)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes, in order; ``b""`` is a keep-alive.

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
        begin = 0
        prefix_bytes, length_bytes = self.framing.prefix_bytes, self.framing.length_bytes
        while len(data) - begin >= prefix_bytes:
            length = int.from_bytes(data[begin : begin + length_bytes], "big")
            if length > self.framing.longest:
                self._data = b""
                self._broken = FrameTooLong(length, self.framing.longest, tuple(frames))
                raise self._broken
            end = begin + prefix_bytes + length
            if end > len(data):
                break
            frames.append(data[begin + prefix_bytes : end])
            begin = end
        self._data = data[begin:]
        return frames
