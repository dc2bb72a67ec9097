"""What a gateway process and its operators say to each other over its control socket.

Four bytes of length, big-endian, then one message in MessagePack. A connection asks one thing after
another and gets a reply to each, until it subscribes: from then on it only gets `Exchanges`, or
only `Declines`.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from gateway.records import DecisionRecord
from gateway.snapshot import Snapshot

MOST_EXCHANGES = 1000  # of one batch, of which there are twenty a second
SOME_EXCHANGES = 200  # what one gets who does not say; more cost the gateway a millisecond at once
MOST_DECLINES = 20  # of one batch: more than a person reads
LONGEST_REQUEST = 4096
LONGEST_REPLY = 16 * 1024 * 1024
_LENGTH_BYTES = 4
_LONGEST_PATH = 103  # bytes; macOS has room for so many, Linux for a few more
_FOLDERS_BY_NUMBER = Path("/proc/self/fd")


class LinkAction(StrEnum):
    """What can be done to a link. Signing off and on asks the network, which has to agree."""

    SIGN_OFF = "sign-off"
    SIGN_ON = "sign-on"
    DROP = "drop"


class Problem(StrEnum):
    """Why something was not done."""

    UNKNOWN_LINK = "unknown-link"
    NOT_POSSIBLE = "not-possible"  # in the state that the link is in
    BAD_REQUEST = "bad-request"


class TakeSnapshot(msgspec.Struct, frozen=True, tag=True):
    """Asks for a `Snapshot`."""


class CommandLink(msgspec.Struct, frozen=True, tag=True):
    """Asks for an action; `Done` tells that it was begun."""

    link_id: str
    action: LinkAction


class Subscribe(msgspec.Struct, frozen=True, tag=True):
    """Asks for the exchanges from now on, at most so many of each batch."""

    most: int = SOME_EXCHANGES


class WatchDeclines(msgspec.Struct, frozen=True, tag=True):
    """Asks for what is declined from now on, without its frames."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """It was done."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It was not done."""

    problem: Problem
    explanation: str


class Exchanged(msgspec.Struct, frozen=True, gc=False):
    """One request, its answer and what the log tells of them.

    `request` and `response` are the whole frames, **not masked**: whoever keeps or shows them masks
    them first. `response` is empty if the link had ended before the answer.
    """

    record: DecisionRecord
    request: bytes
    response: bytes

    def __repr__(self) -> str:
        return f"Exchanged({self.record!r})"


class Exchanges(msgspec.Struct, frozen=True, tag=True):
    """The exchanges of a short time, oldest first.

    `dropped_count` is how many more there were since the batch before: too many for one batch, or
    more than the reader has read.
    """

    worker: int
    exchanges: tuple[Exchanged, ...]
    dropped_count: int


class Declines(msgspec.Struct, frozen=True, tag=True):
    """What was declined in a short time, oldest first; `dropped_count` as in `Exchanges`."""

    worker: int
    records: tuple[DecisionRecord, ...]
    dropped_count: int


Request: TypeAlias = TakeSnapshot | CommandLink | Subscribe | WatchDeclines
Reply: TypeAlias = Snapshot | Done | Refused | Exchanges | Declines
Message = TypeVar("Message")

requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_encode = msgspec.msgpack.encode


class TooLong(Exception):
    """A message is longer than any should be."""


def framed(message: Request | Reply) -> bytes:
    """A message as it is sent."""
    data = _encode(message)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


async def receive(
    reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[Message], longest: int
) -> Message:
    """The next message.

    Raises
    ------
    asyncio.IncompleteReadError
        If the other side has ended the connection.
    TooLong, msgspec.MsgspecError
        If it is no message of ours; nothing after it can be read.
    """
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    if length > longest:
        raise TooLong(f"a message of {length} bytes, expected at most {longest}")
    return decoder.decode(await reader.readexactly(length))


def socket_path(runtime: Path, worker: int) -> Path:
    """Where a worker listens."""
    return runtime / f"gateway-{worker}.sock"


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A path of the same socket that the system takes; Linux has one for every folder.

    Raises
    ------
    OSError
        If there is none, or no such folder.
    """
    length = len(os.fsencode(path))
    if length <= _LONGEST_PATH:
        yield str(path)
        return
    if not _FOLDERS_BY_NUMBER.is_dir():
        raise OSError(
            f"the control socket's path {path} has {length} bytes, expected at most"
            f" {_LONGEST_PATH}: name a shorter folder in CARDRAIL_RUNTIME"
        )
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_FOLDERS_BY_NUMBER}/{folder}/{path.name}"
    finally:
        os.close(folder)


def workers_in(runtime: Path) -> list[int]:
    """The numbers of the workers that have a socket there, alive or not."""
    names = (re.fullmatch(r"gateway-([1-9]\d*)\.sock", each.name) for each in runtime.glob("*"))
    return sorted(int(each[1]) for each in names if each is not None)
