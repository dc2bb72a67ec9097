"""Reading the few parts of an element that canonical messages want, at the speed of the hot path.

The codecs of :mod:`~networks.wire.subfields` read every part and place every failure. The readers
here give only the wanted parts, as a tuple in the order wanted, blank where absent; whatever is not
plain they leave to the codec, which gives the result or the error. A part that nobody wants is not
looked into: it must not fail a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias, cast

from networks.wire.generated import make_function
from networks.wire.parts.forms import is_digits
from networks.wire.spec import Bitmapped, Element, Encoding, Length, Tagged
from networks.wire.subfields import NamedPartsCodec

PartsReader: TypeAlias = Callable[[str], tuple[str, ...]]
_TagsReader: TypeAlias = Callable[[str], tuple[str, ...] | None]

_KEPT_SHAPES = 256  # who varies the bitmap gains slower reading and no memory
_EBCDIC = {f"{byte:02X}": bytes([byte]).decode("cp500") for byte in range(256)}


def slow_reader(codec: NamedPartsCodec, wanted: tuple[str, ...]) -> PartsReader:
    """The reader that asks the codec."""

    def read(text: str) -> tuple[str, ...]:
        parts = codec.decode(text)
        return tuple(parts.get(part, "") for part in wanted)

    return read


def bitmapped_reader(
    codec: NamedPartsCodec, layout: Bitmapped, wanted: tuple[str, ...]
) -> PartsReader:
    """A reader with straight code for each sub-bitmap (DE 62, 63, 126)."""
    slow, digits = slow_reader(codec, wanted), 2 * layout.bitmap_bytes

    @lru_cache(_KEPT_SHAPES)
    def reader_of(bitmap: str) -> PartsReader:
        return _compile_bitmap(layout, bitmap, wanted) or slow

    def read(text: str) -> tuple[str, ...]:
        try:
            return reader_of(text[:digits])(text)
        except (LookupError, ValueError):
            return slow(text)

    return read


def _compile_bitmap(layout: Bitmapped, bitmap: str, wanted: tuple[str, ...]) -> PartsReader | None:
    """The reader of one sub-bitmap, or None where it is broken or names an unknown part."""
    digits = 2 * layout.bitmap_bytes
    begin, found, checks = digits, dict.fromkeys(wanted, "''"), list[str]()
    if len(bitmap) != digits:
        return None
    for number, bit in enumerate(f"{int(bitmap, 16):0{4 * digits}b}", 1):
        if bit == "0":
            continue
        if number not in layout.elements:
            return None
        element = layout.elements[number]
        end = begin + _hex_width(element)
        if str(number) in found:
            checks += _checks(element, begin, end)
            found[str(number)] = _expression(element, begin, end)
        begin = end
    conditions = " and ".join([f"len(text) == {begin}", *checks])
    body = [f"if not ({conditions}): raise ValueError", f"return ({', '.join(found.values())},)"]
    return cast("PartsReader", make_function("read", "text", body, {"EBCDIC": _EBCDIC}))


def _hex_width(element: Element) -> int:
    if element.encoding is Encoding.BCD:
        return element.width + element.width % 2
    return 2 * element.width


def _checks(element: Element, begin: int, end: int) -> list[str]:
    if element.encoding is not Encoding.BCD:
        return []
    padding = [f"text[{begin}] == '0'"] if element.width % 2 else []
    return [*padding, f"text[{begin}:{end}].isdecimal()"]


def _expression(element: Element, begin: int, end: int) -> str:
    if element.encoding is Encoding.BCD:
        return f"text[{end - element.width}:{end}]"
    return " + ".join(f"EBCDIC[text[{at}:{at + 2}]]" for at in range(begin, end, 2))


def tagged_reader(codec: NamedPartsCodec, layout: Tagged, wanted: tuple[str, ...]) -> PartsReader:
    """A reader with straight code for what a text of some length held first (DE 48 of QPX-1).

    A network repeats its tags and lengths in most messages, and an element has no more lengths
    than its width. Another text is walked through from head to head.
    """
    slow, steps = slow_reader(codec, wanted), _steps(layout)
    head_width = layout.tag_digits + layout.length_digits
    numeric = tuple(tag for tag in wanted if layout.tags[tag].numeric)
    blanks = ("",) * len(wanted)
    repeated: dict[int, _TagsReader] = {}

    def read(text: str) -> tuple[str, ...]:
        known = repeated.get(len(text))
        plain = None if known is None else known(text)
        return walk(text) if plain is None else plain

    def walk(text: str) -> tuple[str, ...]:
        parts: dict[str, str] = {}
        at, count, end = 0, 0, len(text)
        while at < end:
            found = steps.get(text[at : at + head_width])
            if found is None:
                return slow(text)
            tag, step = found
            parts[tag] = text[at + head_width : at + step]
            at += step
            count += 1
        digits = "".join(map(parts.get, numeric, blanks))
        if at != end or count != len(parts) or not (is_digits(digits) or not digits):
            return slow(text)
        if end not in repeated:
            repeated[end] = _compile_tags(layout, parts, wanted)
        return tuple(map(parts.get, wanted, blanks))

    return read


def _steps(layout: Tagged) -> dict[str, tuple[str, int]]:
    """By head: the tag, and how far it is to the next head. What is not here is not plain."""
    head_width = layout.tag_digits + layout.length_digits
    return {
        f"{tag}{width:0{layout.length_digits}d}": (tag, head_width + width)
        for tag, element in layout.tags.items()
        for width in _widths(element)
    }


def _widths(element: Element) -> range:
    least = element.width if element.length is Length.FIXED else 0
    return range(least, element.width + 1)


def _compile_tags(layout: Tagged, parts: Mapping[str, str], wanted: tuple[str, ...]) -> _TagsReader:
    """The reader of texts with the tags and lengths of `parts`; of others it gives None."""
    found, checks, digits, at = dict.fromkeys(wanted, "''"), list[str](), ["'0'"], 0
    for tag, value in parts.items():
        head = f"{tag}{len(value):0{layout.length_digits}d}"
        begin = at + len(head)
        checks.append(f"text[{at}:{begin}] == {head!r}")
        at = begin + len(value)
        if tag in found:
            found[tag] = f"text[{begin}:{at}]"
            digits += [found[tag] for _ in range(layout.tags[tag].numeric)]
    checks.append(f"is_digits({' + '.join(digits)})")
    body = [
        f"if {' and '.join(checks)}: return ({', '.join(found.values())},)",
        "return None",
    ]
    return cast("_TagsReader", make_function("read", "text", body, {"is_digits": is_digits}))
