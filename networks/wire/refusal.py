"""What is said to the sender of a message that cannot be read.

A network with reject headers gets its message back (H13, H14). QPX-1 has none: there a request is
answered with DE 39 = 30, made of what could be decoded. An answer is never answered, and a reject
never rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from networks.wire.dialect import Dialect
from networks.wire.errors import WireError
from networks.wire.messages import Kind, is_response, response_mti

_REJECT_BEGIN = b"\x1a"  # H1 of a reject
_ECHOED = ("2", "3", "4", "7", "11", "32", "37", "41", "42", "49", "70", "90")


@dataclass(frozen=True, slots=True, repr=False)
class Unreadable:
    """A payload that was refused, and what could be read of it: header and elements."""

    payload: bytes
    header: bytes | None
    fields: Mapping[str, str]
    error: WireError


def refuse(dialect: Dialect, station: str, unreadable: Unreadable) -> bytes | None:
    """The payload of the refusal, or None where there is nobody to be told."""
    payload, fields, error = unreadable.payload, unreadable.fields, unreadable.error
    mti = fields.get("t", "")
    is_known = mti[:3] in Kind.BY_MTI and len(mti) == 4 and mti.isdecimal()
    if is_known and is_response(mti):
        return None
    if payload[:1] != _REJECT_BEGIN:
        reject = dialect.header.reject(payload, error.reject_code, station)
        if reject is not None:
            return reject
    if unreadable.header is None or not is_known:
        return None
    message = dialect.codec.encode(_answer(fields, error))
    return dialect.header.response(unreadable.header, station, len(message)) + message


def _answer(fields: Mapping[str, str], error: WireError) -> dict[str, str]:
    """The answer with what was decoded, and so can be encoded, but not what is broken."""
    broken = getattr(error, "field", "").partition(".")[0]
    echo = {key: fields[key] for key in _ECHOED if key in fields and key != broken}
    return {**echo, "t": response_mti(fields["t"]), "39": error.response_code}
