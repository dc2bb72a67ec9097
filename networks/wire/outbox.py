"""What one end of a link sends: encoded, framed, and kept until it is written."""

from __future__ import annotations

from networks.wire.canonical import canonical_for
from networks.wire.dialect import Dialect
from networks.wire.messages import Message
from networks.wire.refusal import Unreadable, refuse


class Outbox:
    """The frames of one link that wait to be written.

    What cannot be encoded (EncodeError) or is too long for a frame (FrameTooLong) raises before
    anything is kept.
    """

    __slots__ = ("_canonical", "_codec", "_dialect", "_frames", "_framing", "_header", "_station")

    def __init__(self, dialect: Dialect, station: str) -> None:
        self._dialect = dialect
        self._station = station
        self._codec, self._header, self._framing = dialect.codec, dialect.header, dialect.framing
        self._canonical = canonical_for(dialect)
        self._frames: list[bytes] = []

    def take(self) -> bytes:
        """Everything that waits, in one piece; it is handed over once."""
        data = b"".join(self._frames)
        self._frames.clear()
        return data

    def frame_request(self, message: Message, peer: str) -> tuple[bytes, bytes]:
        """A request's message and its frame, which is not kept yet."""
        data = self._codec.encode(self._canonical.write(message))
        header = self._header.request(self._station, peer, len(data))
        return data, self._framing.wrap(header + data)

    def keep(self, frame: bytes) -> None:
        """Let a frame wait."""
        self._frames.append(frame)

    def answer(self, header: bytes, response: Message) -> bytes:
        """Let an answer to what came with `header` wait; gives its frame."""
        data = self._codec.encode(self._canonical.write(response))
        answered = self._header.response(header, self._station, len(data))
        frame = self._framing.wrap(answered + data)
        self._frames.append(frame)
        return frame

    def keep_alive(self) -> None:
        """Let a frame of length zero wait."""
        self._frames.append(self._framing.wrap(b""))

    def refuse(self, unreadable: Unreadable) -> bool:
        """Let the refusal of what could not be read wait; False where there is nobody to tell."""
        refusal = refuse(self._dialect, self._station, unreadable)
        if refusal is not None:
            self._frames.append(self._framing.wrap(refusal))
        return refusal is not None
