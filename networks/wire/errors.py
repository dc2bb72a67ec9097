"""Everything that can go wrong on a link, as one tree.

::

    WireError
    ├── FrameError            the byte stream cannot be cut into frames: the link is lost
    │   ├── FrameTooLong
    │   ├── FrameStalled      a frame was begun and not completed in time
    │   └── FrameCut          the stream ended within a frame
    ├── HeaderError           a frame came whole, its header is not this dialect's
    ├── DecodeError           a message or a part of it breaks the dialect's format
    ├── EncodeError           a message of ours does not fit the dialect's format
    ├── PeerSilent            an echo was not answered: the link is lost
    └── SessionError          we would break the life of the link
        ├── NotSignedOn
        ├── LinkClosed
        ├── IllegalTransition
        ├── InFlightLimit
        ├── Crowded
        ├── DuplicateKey      a request with the same match key is still unanswered
        └── NotAwaited        an answer to a request that awaits none

No message here carries a value from the wire: a value may be a PAN. Names, positions and
expectations only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class WireError(Exception):
    """Base of all wire errors; never raised itself.

    Attributes
    ----------
    response_code
        The DE 39 that answers a request which caused this error.
    reject_code
        The four digits (H14) of a reject that returns the message to its sender.
    """

    response_code = "30"
    reject_code = "0001"


class FrameError(WireError):
    """The byte stream cannot be cut into frames any more; the link has to be closed."""


class FrameTooLong(FrameError):
    """A length prefix announces more than the dialect allows.

    `frames` are the payloads that were complete before it in the same piece of the stream.
    """

    reject_code = "0002"

    def __init__(self, announced: int, limit: int, frames: tuple[bytes, ...] = ()) -> None:
        super().__init__(announced, limit)
        self.announced = announced
        self.limit = limit
        self.frames = frames

    def __str__(self) -> str:
        return f"frame length {self.announced} exceeds the limit of {self.limit} bytes"


class FrameStalled(FrameError):
    """A frame was begun and not completed in time."""

    def __init__(self, received: int, seconds: float) -> None:
        super().__init__(received, seconds)
        self.received = received
        self.seconds = seconds

    def __str__(self) -> str:
        return f"frame not completed within {self.seconds:g} s, {self.received} bytes received"


class FrameCut(FrameError):
    """The stream ended within a frame."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received

    def __str__(self) -> str:
        return f"the stream ended within a frame, {self.received} bytes received"


class HeaderError(WireError):
    """A header field does not hold what the dialect demands; `position` is its byte in the header.

    Where only the header's JSON is at fault, it is 0.
    """

    reject_code = "0003"

    def __init__(self, field: str, expected: str, position: int = 0) -> None:
        super().__init__(field, expected, position)
        self.field = field
        self.expected = expected
        self.position = position

    def __str__(self) -> str:
        return f"header field {self.field}: expected {self.expected}"


class DecodeError(WireError):
    """Bytes that do not follow the dialect.

    Attributes
    ----------
    field
        The data element (``"4"``), bitmap (``"p"``, ``"1"``), message type (``"t"``) or
        second-level part (``"62.2"``, ``"55.9F02"``) that failed.
    position
        Byte offset into the message where it failed; into the element for a part.
    expected
        What should have been there.
    partial
        What was decoded before the failure, so that an answer can be built; never shown.
    """

    reject_code = "0100"

    def __init__(
        self, field: str, position: int, expected: str, partial: Mapping[str, str] = NO_FIELDS
    ) -> None:
        super().__init__(field, position, expected)
        self.field = field
        self.position = position
        self.expected = expected
        self.partial: Mapping[str, str] = dict(partial)

    def __str__(self) -> str:
        return f"field {self.field} at byte {self.position}: {self.expected}"


class EncodeError(WireError):
    """A value of ours that the dialect cannot carry."""

    response_code = "96"

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(field, expected)
        self.field = field
        self.expected = expected

    def __str__(self) -> str:
        return f"field {self.field}: {self.expected}"


class PeerSilent(WireError):
    """The peer did not answer an echo in time; the link has to be closed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"an echo was not answered within {self.seconds:g} s"


class SessionError(WireError):
    """Base of what this side must not do in the link's present state."""

    response_code = "91"


class NotSignedOn(SessionError):
    """A request may not be sent before sign-on or after sign-off."""

    def __str__(self) -> str:
        return "the link is not signed on"


class LinkClosed(SessionError):
    """Nothing can be sent any more."""

    def __str__(self) -> str:
        return "the link is closed"


class IllegalTransition(SessionError):
    """The life of a link has no such step."""

    response_code = "12"

    def __init__(self, state: str, event: str) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"{self.event} is not allowed while the link is {self.state}"


class InFlightLimit(SessionError):
    """As many requests as the link allows are already unanswered."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.limit} requests are already unanswered on this link"


class Crowded(SessionError):
    """There is more to be done already than can be done in time."""

    def __str__(self) -> str:
        return "more requests wait than can be answered in time"


class DuplicateKey(SessionError):
    """A request with the same match key is still unanswered, so answers could not be told apart."""

    def __str__(self) -> str:
        return "a request with the same match key is still unanswered"


class NotAwaited(SessionError):
    """The request was answered before or given up, or it belongs to another link."""

    def __str__(self) -> str:
        return "the request awaits no answer on this link"
