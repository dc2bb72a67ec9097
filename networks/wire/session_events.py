"""What a session tells its caller.

No ``repr`` here shows a message's bytes, and a message's own shows no PAN.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from networks.wire.errors import WireError
from networks.wire.link_states import LinkEvent, LinkState
from networks.wire.matching import Unmatched
from networks.wire.messages import Message, NetworkManagement


class LinkOpened(msgspec.Struct, frozen=True):
    """The connection stands. From the shell, before any event of the session."""

    host: str
    port: int


class RequestReceived(msgspec.Struct, frozen=True, gc=False):
    """A request or advice to be answered with ``Session.respond``; `sequence` is the session's.

    `payload` is header and message as they came.
    """

    header: bytes
    message: Message
    at: float
    sequence: int
    payload: bytes

    def __repr__(self) -> str:
        return f"RequestReceived({self.message!r}, {self.at:.6f})"


class AnswerReceived(msgspec.Struct, frozen=True, gc=False):
    """An answer to a request of ours; `response_bytes` is its message without the header."""

    request: Message
    response: Message
    elapsed_seconds: float
    response_bytes: bytes

    def __repr__(self) -> str:
        return f"AnswerReceived({self.request!r}, {self.response!r}, {self.elapsed_seconds:.6f} s)"


class AnswerUnmatched(msgspec.Struct, frozen=True):
    """An answer that belongs to no waiting request; `detail` says which attribute or how late."""

    response: Message
    reason: Unmatched
    detail: str
    late_seconds: float | None


class RequestTimedOut(msgspec.Struct, frozen=True):
    """No answer came in time; one that still comes will be reported as late."""

    request: Message


class RequestLost(msgspec.Struct, frozen=True):
    """The link ended before the answer came."""

    request: Message


class ManagementReceived(msgspec.Struct, frozen=True):
    """Network management that the session has answered; `event` is what was agreed."""

    message: NetworkManagement
    event: LinkEvent


class StateChanged(msgspec.Struct, frozen=True):
    """The link is in another state."""

    before: LinkState
    after: LinkState
    cause: LinkEvent


class MessageRefused(msgspec.Struct, frozen=True):
    """A message was not accepted. `was_answered` tells whether its sender was told."""

    error: WireError
    was_answered: bool


class RequestsDropped(msgspec.Struct, frozen=True):
    """So many requests found no place and were not read; nobody was told."""

    count: int


class RejectReceived(msgspec.Struct, frozen=True):
    """The network gave a message back (H14 `code`).

    `message` is what it gave back, if that can be read; `request` ours that it ends.
    """

    code: str
    message: Message | None
    request: Message | None


class LinkBroken(msgspec.Struct, frozen=True):
    """The link cannot go on; flush what is to be sent, then close the connection."""

    error: WireError


Event: TypeAlias = (
    LinkOpened
    | RequestReceived
    | AnswerReceived
    | AnswerUnmatched
    | RequestTimedOut
    | RequestLost
    | ManagementReceived
    | StateChanged
    | MessageRefused
    | RequestsDropped
    | RejectReceived
    | LinkBroken
)
