"""Writing the decoder of one set of bitmaps: straight-line Python with all known widths folded in.

The text that is made for MTI, DE 2, 3, 19, 32 and 37 of the VisaNet-like dialect::

    def decode(m):
        d = blank()
        d["t"] = m[0:2].hex().upper()
        n = m[10]
        if n > 19: return None
        b = 11
        o = b + (n + 1 >> 1)
        v = m[b:o].hex().upper()
        if n & 1:
            if m[b] > 15: return None
            v = v[1:]
        d["2"] = v
        if m[o + 3] > 15: return None
        d["3"], d["19"] = cut_3(m[o:o + 5].hex().upper())
        ...
        if o + 12 != len(m): return None
        return d

``blank`` copies a dictionary that has all keys in order and the bitmaps, which is quicker than to
build one. A decoder returns None, or raises IndexError, KeyError or ValueError, for a message that
is not plain; the reference judges it then. Slices never fail: that nothing was cut short follows
from the last comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias, cast

from networks.wire.alphabets import ALPHABETS, Alphabet
from networks.wire.generated import make_function
from networks.wire.spec import Element, Encoding, Length

Decoder: TypeAlias = Callable[[bytes], "dict[str, str] | None"]

_PRIMARY_BYTES = 8
_ASCII_LENGTH_DIGITS = {Length.ASCII_2: 2, Length.ASCII_3: 3}


def compile_decoder(elements: Mapping[str, Element], bitmaps: bytes) -> Decoder:
    """The decoder of all messages with these bitmaps (8, 16 or 24 bytes).

    Raises
    ------
    KeyError
        When the bitmaps announce an element that the dialect does not define.
    """
    keys = [str(number) for number in _numbers(bitmaps)]
    writer = _DecoderWriter()
    writer.fixed({"t": elements["t"]})
    writer.skip(len(bitmaps))
    for is_fixed, group in groupby(keys, key=lambda key: elements[key].length is Length.FIXED):
        if is_fixed:
            for run in _runs(list(group), elements):
                writer.fixed({key: elements[key] for key in run})
        else:
            for key in group:
                writer.variable(key, elements[key])
    primary, others = bitmaps[:_PRIMARY_BYTES].hex().upper(), bitmaps[_PRIMARY_BYTES:].hex().upper()
    writer.finish(keys, {"p": primary, "1": others} if others else {"p": primary})
    return cast("Decoder", make_function("decode", "m", writer.lines, writer.scope))


def _numbers(bitmaps: bytes) -> list[int]:
    """The data elements that `bitmaps` announce; bits 1 and 65 announce bitmaps."""
    return [
        byte * 8 + bit + 1
        for byte, value in enumerate(bitmaps)
        for bit in range(8)
        if value & (0x80 >> bit) and byte * 8 + bit not in {0, 64}
    ]


def _runs(keys: Sequence[str], elements: Mapping[str, Element]) -> Iterator[list[str]]:
    """`keys` cut where the alphabet changes."""
    for _, group in groupby(keys, key=lambda key: id(ALPHABETS[elements[key].encoding])):
        yield list(group)


def byte_width(element: Element) -> int:
    """Bytes of a fixed element."""
    return (element.width + 1) // 2 if element.encoding is Encoding.BCD else element.width


class _DecoderWriter:
    """Collects the lines of a decoder; knows where the next element begins."""

    def __init__(self) -> None:
        self.lines = ["d = blank()"]
        self.scope: dict[str, Any] = {}
        self._base = ""  # "o + " once an element of variable length has been read
        self._offset = 0

    def skip(self, count: int) -> None:
        """Leave out `count` bytes."""
        self._offset += count

    def fixed(self, run: Mapping[str, Element]) -> None:
        """Neighbours of fixed width and one alphabet: converted together, then cut."""
        alphabet = ALPHABETS[next(iter(run.values())).encoding]
        begin = self._offset
        places = []
        padded = []
        for element in run.values():
            pad = int(element.encoding is Encoding.BCD and element.width % 2)
            if pad:
                padded.append(f"m[{self._at()}]")
            first = (self._offset - begin) * alphabet.width + pad
            self._offset += byte_width(element)
            places.append(slice(first, (self._offset - begin) * alphabet.width))
        if padded:
            self._refuse_if(f"{' | '.join(padded)} > 15")
        whole = self._convert(alphabet, f"m[{self._at(begin)}:{self._at()}]")
        self._cut(list(run), places, whole)

    def variable(self, key: str, element: Element) -> None:
        """One element behind its length."""
        alphabet = ALPHABETS[element.encoding]
        begin = self._read_length(element)
        self.lines.append(f"b = {begin}")
        counts_digits = element.encoding is Encoding.BCD
        self.lines.append("o = b + (n + 1 >> 1)" if counts_digits else "o = b + n")
        whole = self._convert(alphabet, "m[b:o]")
        if counts_digits:
            self.lines.append(f"v = {whole}")
            self.lines.append("if n & 1:")
            self.lines.append("    if m[b] > 15: return None")
            self.lines.append("    v = v[1:]")
            whole = "v"
        self._store([key], whole)
        self._base, self._offset = "o + ", 0

    def finish(self, keys: Sequence[str], bitmaps: Mapping[str, str]) -> None:
        """Refuse what is too short or too long, and return the rest as pyiso8583 does."""
        self._refuse_if(f"{self._at()} != len(m)")
        self.lines.append("return d")
        self.scope["blank"] = {"t": "", **bitmaps, **dict.fromkeys(keys, "")}.copy

    def _at(self, offset: int | None = None) -> str:
        offset = self._offset if offset is None else offset
        return f"{self._base}{offset}" if offset or not self._base else "o"

    def _refuse_if(self, condition: str) -> None:
        self.lines.append(f"if {condition}: return None")

    def _convert(self, alphabet: Alphabet, octets: str) -> str:
        self.scope.update(alphabet.names)
        return alphabet.decode.format(octets)

    def _cut(self, keys: Sequence[str], places: Sequence[slice], whole: str) -> None:
        if len(keys) == 1:
            pad = f"[{places[0].start}:]" if places[0].start else ""
            self._store(keys, whole + pad)
            return
        cut = f"cut_{keys[0]}"
        self.scope[cut] = itemgetter(*places)
        self._store(keys, f"{cut}({whole})")

    def _store(self, keys: Sequence[str], values: str) -> None:
        targets = ", ".join(f'd["{key}"]' for key in keys)
        self.lines.append(f"{targets} = {values}")

    def _read_length(self, element: Element) -> str:
        """Lines that set ``n``; the place after the length."""
        begin = self._offset
        digits = _ASCII_LENGTH_DIGITS.get(element.length)
        if digits is not None:
            table = f"lengths_{digits}_{element.width}"
            self.scope[table] = {
                b"%0*d" % (digits, length): length for length in range(element.width + 1)
            }
            self._offset += digits
            self.lines.append(f"n = {table}[m[{self._at(begin)}:{self._at()}]]")
            return self._at()
        if element.length is Length.BINARY_BYTES_2:
            self._offset += 2
            self.lines.append(f"n = m[{self._at(begin)}] << 8 | m[{self._at(begin + 1)}]")
        else:
            self._offset += 1
            self.lines.append(f"n = m[{self._at(begin)}]")
        if element.width < 256 ** (self._offset - begin) - 1:
            self._refuse_if(f"n > {element.width}")
        return self._at()
