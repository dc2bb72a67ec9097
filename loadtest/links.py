"""The links of the open-loop driver: plain sockets, because every microsecond counts.

The session of `networks.wire` signs on and off and answers network management. Messages about
cards go past it: their frames come from templates, and their answers are decoded by the dialect's
codec and looked up in the link's book.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Mapping

from loadtest.answers import Book, ErrorKind
from loadtest.targets import Address, Target
from networks.wire.errors import FrameTooLong, WireError
from networks.wire.framing import FrameBuffer
from networks.wire.link_states import LinkState
from networks.wire.session import Session

_READ_BYTES = 256 * 1024
_CARD_CLASSES = frozenset("1234")  # second digit of the MTI; 8 is network management


class LinkRefused(Exception):
    """A link could not be dialled or signed on; the message says where and why."""


class Link:
    """One signed-on connection. `waiting` are its requests without an answer."""

    def __init__(self, target: Target, address: Address, seconds: float) -> None:
        self.target = target
        self.address = address
        self.book = Book()
        self.is_open = True
        self._session = Session(target.dialect, station=target.station, peer=target.peer)
        self._buffer = FrameBuffer(target.dialect.framing)
        self._parse_reject, self._split = (
            target.dialect.header.parse_reject,
            target.dialect.header.split,
        )
        self._decode = target.dialect.codec.decode
        self._out: list[bytes] = []
        self._unwritten = memoryview(b"")
        self._socket = self._dial(seconds)

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    @property
    def is_backed_up(self) -> bool:
        """Whether something waits to be written: the peer reads more slowly than we send."""
        return len(self._unwritten) > 0 or len(self._out) > 0

    def put(self, frame: bytes) -> None:
        """Send `frame` with the next `flush`."""
        self._out.append(frame)

    def flush(self) -> None:
        """Write what was put, as far as the socket takes it."""
        if not self._unwritten:
            if not self._out:
                return
            self._unwritten = memoryview(b"".join(self._out))
            self._out.clear()
        try:
            self._unwritten = self._unwritten[self._socket.send(self._unwritten) :]
        except BlockingIOError:
            return
        except OSError:
            self.is_open = False

    def read(self) -> list[Mapping[str, str] | ErrorKind]:
        """Elements of each answer about a card that has come, or what is wrong with one.

        Afterwards `is_open` is False if the peer has ended the link.
        """
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self.is_open = False
            return []
        broken: list[ErrorKind] = []
        try:
            payloads = self._buffer.feed(data)
        except FrameTooLong as error:
            payloads, broken = list(error.frames), [ErrorKind.UNREADABLE]
            self.is_open = False
        answers = [self._receive(payload) for payload in payloads]
        return [*(answer for answer in answers if answer is not None), *broken]

    def sign_off(self, seconds: float) -> None:
        """Sign off, waiting a little for the answer, and hang up."""
        if self.is_open:
            self._session.sign_off(time.time())
            with contextlib.suppress(OSError):
                self._converse(LinkState.SIGNED_OFF, seconds)
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.is_open = False
        self._socket.close()

    def _receive(self, payload: bytes) -> Mapping[str, str] | ErrorKind | None:
        """None for network management, which the session has answered."""
        if not payload:  # a keep-alive
            self._manage(payload)
            return None
        try:
            reject = self._parse_reject(payload)
            if reject is not None:
                self.book.withdraw(self._decode(reject.message))
                return ErrorKind.REJECTED
            fields = self._decode(self._split(payload)[1])
        except WireError:
            return ErrorKind.UNREADABLE
        if fields["t"][1] in _CARD_CLASSES:
            return fields
        self._manage(payload)
        return None

    def _manage(self, payload: bytes) -> None:
        self._session.receive_data(self.target.dialect.framing.wrap(payload), time.time())
        self._out.append(self._session.data_to_send())
        self.flush()

    def _dial(self, seconds: float) -> socket.socket:
        try:
            dialled = socket.create_connection((self.address.host, self.address.port), seconds)
        except OSError as error:
            reason = error.strerror or str(error)
            raise LinkRefused(f"no link to {self._name()}: {reason}") from None
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialled.setblocking(False)
        self._socket = dialled
        self._session.sign_on(time.time())
        try:
            self._converse(LinkState.SIGNED_ON, seconds)
        except OSError as error:
            dialled.close()
            raise LinkRefused(f"{self._name()} did not accept the sign-on: {error}") from None
        return dialled

    def _converse(self, wanted: LinkState, seconds: float) -> None:
        """Exchange network management until the session is in the `wanted` state.

        Raises
        ------
        OSError
            If that does not come about within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while self._session.state is not wanted:
            self._out.append(self._session.data_to_send())
            self.flush()
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self], [], [], left)[0]:
                raise TimeoutError(f"no answer within {seconds:g} s")
            data = self._socket.recv(_READ_BYTES)
            if not data:
                raise ConnectionError("the link was closed")
            for payload in self._buffer.feed(data):
                self._manage(payload)

    def _name(self) -> str:
        return f"{self.target.name} at {self.address}"
