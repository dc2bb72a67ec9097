"""Writing the encoder of one order of fields: straight-line Python that joins what converts alike.

The text that is made for MTI, DE 2, 3, 19 and 37 of the VisaNet-like dialect::

    def encode(values):
        value_t, value_2, value_3, value_19, value_37, = values
        if len(value_t) != 4 or len(value_3) != 6 or ...: return None
        n = len(value_2)
        length_2 = lengths_2[n]
        if n & 1: value_2 = "0" + value_2
        return b"".join((
            a2b_hex("".join((value_t, "6000...", length_2, value_2, value_3, "0", value_19))),
            value_37.encode("latin-1").translate(TO_EBCDIC)))

An encoder returns None, or raises IndexError, TypeError or ValueError, for values that are not
plain; the reference judges them then. Widths are compared element by element, since only the sum
of what is joined could be seen afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from networks.wire.alphabets import ALPHABETS, Alphabet
from networks.wire.generated import make_function
from networks.wire.spec import Element, Encoding, Length

Encoder: TypeAlias = Callable[[Iterable[str]], "bytes | None"]

_IGNORED = frozenset({"p", "1", "65"})  # made from the other keys
_AS_IT_IS = Alphabet(decode="{}", encode="{}", names=MappingProxyType({}), character=chr)
_ASCII_LENGTH_DIGITS = {Length.ASCII_2: 2, Length.ASCII_3: 3}


def compile_encoder(elements: Mapping[str, Element], order: Sequence[str]) -> Encoder:
    """The encoder of fields with the keys `order`, which takes their values in that order.

    With a key that is neither an element of the dialect nor made from others, all is left to the
    reference.
    """
    if not elements.keys() | _IGNORED >= set(order):
        return _defer
    keys = sorted(set(order) - _IGNORED - {"t"}, key=int)
    writer = _EncoderWriter()
    writer.element("t", elements["t"])
    writer.bitmaps([int(key) for key in keys])
    for key in keys:
        writer.element(key, elements[key])
    return cast("Encoder", make_function("encode", "values", writer.finish(order), writer.scope))


def _defer(values: Iterable[str]) -> None:
    """No message: the reference is to be asked."""
    del values


def _bitmaps(numbers: Iterable[int]) -> bytes:
    """The bitmaps that announce `numbers`, each in eight bytes; as many as are needed."""
    bits = set(numbers)
    count = 1 + (max(bits, default=0) > 64) + (max(bits, default=0) > 128)
    bits |= {1} if count > 1 else set()
    bits |= {65} if count > 2 else set()
    whole = sum(1 << (count * 64 - number) for number in bits)
    return whole.to_bytes(count * 8, "big")


class _EncoderWriter:
    """Collects what an encoder checks and what it joins."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self._checks: list[str] = []
        self._lines: list[str] = []
        self._parts: list[tuple[Alphabet, str]] = []  # source text of expressions

    def bitmaps(self, numbers: Sequence[int]) -> None:
        """The bitmaps of the data elements `numbers`, as a constant; in hex among hex."""
        octets, hexadecimal = _bitmaps(numbers), ALPHABETS[Encoding.BINARY]
        if self._parts[-1][0] is hexadecimal:
            self._parts.append((hexadecimal, repr(octets.hex().upper())))
        else:
            self._parts.append((_AS_IT_IS, repr(octets)))

    def element(self, key: str, element: Element) -> None:
        """Check, length, padding and value of one element."""
        if element.length is Length.FIXED:
            self._fixed(key, element)
        else:
            self._variable(key, element)
        self._parts.append((ALPHABETS[element.encoding], f"value_{key}"))

    def finish(self, order: Sequence[str]) -> list[str]:
        """The lines of the encoder that takes values in `order`."""
        checks = " or ".join(self._checks)
        groups = groupby(self._parts, key=lambda part: id(part[0]))
        pieces = [self._join([*group]) for _, group in groups]
        whole = pieces[0] if len(pieces) == 1 else f'b"".join(({", ".join(pieces)}))'
        return [
            f"{' '.join(f'value_{key},' for key in order)} = values",
            f"if {checks}: return None",
            *self._lines,
            f"return {whole}",
        ]

    def _fixed(self, key: str, element: Element) -> None:
        characters = element.width * (2 if element.encoding is Encoding.BINARY else 1)
        self._checks.append(f"len(value_{key}) != {characters}")
        if element.encoding is Encoding.BCD and element.width % 2:
            self._parts.append((ALPHABETS[element.encoding], "'0'"))

    def _variable(self, key: str, element: Element) -> None:
        self._lines.append(f"n = len(value_{key})")
        if element.encoding is Encoding.BINARY:
            self._checks.append(f"len(value_{key}) & 1")
            self._lines.append("n >>= 1")
        if element.length is Length.BINARY_BYTES_2:
            self._lines.append(f"if n > {element.width}: return None")
            length = "'%04X' % n"
        else:
            length = f"{self._length_table(element)}[n]"
        self._lines.append(f"length_{key} = {length}")
        if element.encoding is Encoding.BCD:
            self._lines.append(f"if n & 1: value_{key} = '0' + value_{key}")
        self._parts.append((ALPHABETS[element.encoding], f"length_{key}"))

    def _length_table(self, element: Element) -> str:
        """The name of the table of all lengths of `element`, written in its own alphabet."""
        digits = _ASCII_LENGTH_DIGITS.get(element.length)
        character = ALPHABETS[element.encoding].character
        table = f"lengths_{element.encoding.name}_{digits or 0}_{element.width}"
        self.scope[table] = tuple(
            "".join(map(character, b"%0*d" % (digits, length) if digits else bytes([length])))
            for length in range(element.width + 1)
        )
        return table

    def _join(self, parts: Sequence[tuple[Alphabet, str]]) -> str:
        """The expression of the bytes of neighbours with one alphabet."""
        alphabet = parts[0][0]
        texts = [text for _, text in parts]
        self.scope.update(alphabet.names)
        joined = texts[0] if len(texts) == 1 else f"''.join(({', '.join(texts)}))"
        return alphabet.encode.format(joined)
