"""Tag, length, value: as BER has it (EMV book 3, annex B) and with one byte each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from networks.wire.parts.forms import Misfit, is_hex

_DEEPEST = 4  # templates within templates
_LONGEST_TAG = 4  # bytes
_LONGEST = 0xFFFF  # bytes of a value


class Tlv(NamedTuple):
    """One TLV in its data: byte `start` to `end`, the value from `value_start`."""

    tag: str
    start: int
    value_start: int
    end: int


class BrokenTlv(ValueError):
    """The bytes at `at` are no TLV; `tag` is blank if not even that could be read."""

    def __init__(self, tag: str, at: int, expected: str) -> None:
        super().__init__(tag, at, expected)
        self.tag = tag
        self.at = at
        self.expected = expected


class Grammar(Protocol):
    """How tags and lengths are written."""

    def read(self, data: bytes, start: int, end: int) -> Iterator[Tlv]:
        """The TLVs of ``data[start:end]``; raises :class:`BrokenTlv`."""
        ...

    def inside(self, data: bytes, found: Tlv) -> Iterator[Tlv]:
        """Every TLV within the value of `found`, at any depth."""
        ...

    def write(self, tag: str, value: str) -> str:
        """The TLV in hex; raises :class:`Misfit`."""
        ...


class _Ber:
    """Tags of 1 to 4 bytes, lengths of 1 to 3; constructed tags hold TLVs again."""

    def read(self, data: bytes, start: int, end: int) -> Iterator[Tlv]:
        for found in _read(data, start, end):
            for _ in self.inside(data, found):
                pass  # a template is carried whole, yet has to be well-formed
            yield found

    def inside(self, data: bytes, found: Tlv) -> Iterator[Tlv]:
        pending = [(found, 1)]
        while pending:
            outer, depth = pending.pop()
            if not data[outer.start] & 0x20:
                continue
            if depth > _DEEPEST:
                expected = f"expected at most {_DEEPEST} templates within each other"
                raise BrokenTlv(outer.tag, outer.start, expected)
            for inner in _read(data, outer.value_start, outer.end):
                yield inner
                pending.append((inner, depth + 1))

    def write(self, tag: str, value: str) -> str:
        length = len(value) // 2
        if not _is_ber_tag(tag):
            raise Misfit("expected a BER tag in hex")
        if length > _LONGEST:
            raise Misfit(f"expected at most {_LONGEST} bytes")
        written = tag + _ber_length(length) + value
        try:
            list(self.read(bytes.fromhex(written), 0, len(written) // 2))
        except BrokenTlv as broken:
            raise Misfit(f"the template: {broken.expected}") from None
        return written


class _OneByte:
    """One byte of tag, one of length."""

    def read(self, data: bytes, start: int, end: int) -> Iterator[Tlv]:
        while start < end:
            tag = f"{data[start]:02X}"
            if start + 2 > end:
                raise BrokenTlv(tag, start + 1, "expected a length of 1 byte")
            found = Tlv(tag, start, start + 2, start + 2 + data[start + 1])
            yield _within(found, end)
            start = found.end

    def inside(self, data: bytes, found: Tlv) -> Iterator[Tlv]:  # noqa: ARG002 - a flat grammar
        return iter(())

    def write(self, tag: str, value: str) -> str:
        if len(tag) != 2 or not is_hex(tag):
            raise Misfit("expected a tag of 1 byte in hex")
        if len(value) > 2 * 0xFF:
            raise Misfit("expected at most 255 bytes")
        return f"{tag}{len(value) // 2:02X}{value}"


BER: Grammar = _Ber()
ONE_BYTE: Grammar = _OneByte()


def _read(data: bytes, start: int, end: int) -> Iterator[Tlv]:
    while start < end:
        tag_end = _read_tag(data, start, end)
        tag = data[start:tag_end].hex().upper()
        value_start, length = _read_length(data, tag, tag_end, end)
        yield _within(Tlv(tag, start, value_start, value_start + length), end)
        start = value_start + length


def _read_tag(data: bytes, start: int, end: int) -> int:
    """Where the tag at `start` ends."""
    at = start
    if data[at] & 0x1F == 0x1F:
        at += 1
        while at < end and data[at] & 0x80:
            at += 1
    if at >= min(end, start + _LONGEST_TAG) or data[start] == 0:
        expected = f"expected a BER tag of 1 to {_LONGEST_TAG} bytes, not 00"
        raise BrokenTlv("", start, expected)
    return at + 1


def _is_ber_tag(tag: str) -> bool:
    try:
        return tag != "" and 2 * _read_tag(bytes.fromhex(tag), 0, len(tag) // 2) == len(tag)
    except ValueError:
        return False


def _read_length(data: bytes, tag: str, at: int, end: int) -> tuple[int, int]:
    """Where the value begins and how long it is."""
    first = data[at] if at < end else 0x80
    if first < 0x80:
        return at + 1, first
    more = first & 0x7F
    length = int.from_bytes(data[at + 1 : at + 1 + more])
    value_start = at + 1 + more
    if more not in (1, 2) or value_start > end or data[at:value_start].hex() != _shortest(length):
        expected = f"expected a BER length in its shortest form, up to {_LONGEST}"
        raise BrokenTlv(tag, at, expected)
    return value_start, length


def _within(found: Tlv, end: int) -> Tlv:
    if found.end > end:
        expected = f"{found.end - found.value_start} bytes expected, {end - found.value_start} left"
        raise BrokenTlv(found.tag, found.value_start, expected)
    return found


def _shortest(length: int) -> str:
    return _ber_length(length).lower()


def _ber_length(length: int) -> str:
    if length < 0x80:
        return f"{length:02X}"
    return f"81{length:02X}" if length <= 0xFF else f"82{length:04X}"
