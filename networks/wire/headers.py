"""Network headers between the length prefix and the message.

Two forms: the V.I.P.-like header of 22 bytes (DOMAIN 1.2), which a reject extends by four and
puts before the rejected frame's own; and the QPX-1 header of 12 characters (DOMAIN 3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Reject:
    """A message of ours that the network gave back (DOMAIN 1.2, H13 and H14).

    Attributes
    ----------
    code
        H14, four digits.
    header
        Our header, 22 bytes.
    message
        Our message as it was sent.
    """

    code: str
    header: bytes
    message: bytes


class HeaderForm(Protocol):
    """What a dialect's header can do. A *payload* is what a frame carries: header and message."""

    def split(self, payload: bytes) -> tuple[bytes, bytes]:
        """Header and message; for a reject both headers, and the message given back.

        Raises HeaderError where the payload does not begin with a header of this form.
        """
        ...

    def extent(self, payload: bytes) -> int:
        """How many bytes of `payload` belong to the header, were it a good one."""
        ...

    def request(self, source: str, destination: str, message_length: int) -> bytes:
        """The header of a message that `source` begins."""
        ...

    def response(self, header: bytes, station: str, message_length: int) -> bytes:
        """The header of `station`'s answer to a message that came with `header`."""
        ...

    def reject(self, payload: bytes, code: str, station: str) -> bytes | None:
        """The payload that gives `payload` back, or None where the network has no rejects or
        `payload` holds no whole header to give back.
        """
        ...

    def parse_reject(self, payload: bytes) -> Reject | None:
        """The reject in `payload`, or None where it is none."""
        ...

    def stations(self, header: bytes) -> tuple[str, str]:
        """Source and destination of `header`."""
        ...

    def describe(self, header: bytes) -> dict[str, str]:
        """Every field of `header` by name, as text: decimal where it is, otherwise hex."""
        ...

    def from_json(self, fields: Mapping[str, str], message_length: int) -> bytes:
        """The header that `describe` would show as `fields`; absent stations are zero."""
        ...
