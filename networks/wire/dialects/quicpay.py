"""QPX-1, the QUICPay+-like dialect: ASCII numerics and lengths, JIS X 0201 text, two bitmaps.

Made for this program (DOMAIN 3.3); no network's own format is public and none is claimed. An
element without a row there has its ISO 8583:1987 form. Text is ASCII, and half-width katakana too
where a person's words go: DE 43 and DE 48.
"""

from __future__ import annotations

from types import MappingProxyType

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect, ManagementCodes
from networks.wire.dialects import iso1987
from networks.wire.dialects import quicpay_parts as parts
from networks.wire.framing import Framing
from networks.wire.qpx_header import QpxHeader
from networks.wire.spec import Element, Encoding, Exposure, Length, Parts

# The prefix could announce 65,535. The longest message of DOMAIN 3.3 stays below 1,400 bytes, and
# what one link may make this program hold should not depend on the network it speaks.
_LONGEST = 2048
_OPEN, _PAN, _SECRET = Exposure.OPEN, Exposure.PAN, Exposure.SECRET


def _n(name: str, digits: int, exposure: Exposure = _OPEN, parts: Parts | None = None) -> Element:
    """Fixed decimal digits."""
    return Element(name, Encoding.ASCII, Length.FIXED, digits, True, exposure, parts)


def _n_upto(name: str, digits: int, exposure: Exposure = _OPEN) -> Element:
    """Decimal digits behind a length of two."""
    return Element(name, Encoding.ASCII, Length.ASCII_2, digits, numeric=True, exposure=exposure)


def _an(name: str, characters: int) -> Element:
    """Fixed text."""
    return Element(name, Encoding.ASCII, Length.FIXED, characters)


def _an_upto(name: str, characters: int, exposure: Exposure = _OPEN) -> Element:
    """Text behind a length of two digits, or of three where it may be longer than 99."""
    length = Length.ASCII_2 if characters <= 99 else Length.ASCII_3
    return Element(name, Encoding.ASCII, length, characters, exposure=exposure)


def _b(name: str, width: int, exposure: Exposure = _OPEN) -> Element:
    """Fixed binary."""
    return Element(name, Encoding.BINARY, Length.FIXED, width, exposure=exposure)


_SHARED = {
    **{key: _n(name, digits) for key, (name, digits) in iso1987.NUMERIC.items()},
    **{key: _an(name, characters) for key, (name, characters) in iso1987.TEXT.items()},
}

_FIRST_BITMAP = {
    "2": _n_upto("Primary account number", 19, _PAN),
    "14": _n("Date, expiration", 4, _SECRET),
    "22": _n("Point-of-service entry mode", 3),
    "32": _n_upto("Acquiring institution identification code", 11),
    "33": _n_upto("Forwarding institution identification code", 11),
    "34": _an_upto("PAN, extended", 28, _SECRET),
    "35": _an_upto("Track 2 data", 37, _SECRET),
    "36": _an_upto("Track 3 data", 104, _SECRET),
    "43": Element("Card acceptor name/location", Encoding.KANA, Length.FIXED, 40),
    "44": _an_upto("Additional response data", 25),
    "45": _an_upto("Track 1 data", 76, _SECRET),
    "46": _an_upto("Additional data, ISO", 999),
    "47": _an_upto("Additional data, national", 999),
    "48": Element(
        "QUICPay private data",
        Encoding.KANA,
        Length.ASCII_3,
        999,
        exposure=_SECRET,
        parts=parts.DE_48,
    ),
    "52": _b("PIN data", 8, _SECRET),
    "54": _an_upto("Additional amounts", 120),
    "55": Element(
        "Integrated circuit card data", Encoding.BINARY, Length.ASCII_3, 255, exposure=_SECRET
    ),
    "56": _an_upto("Reserved, ISO", 999),
    "57": _an_upto("Reserved, national", 999),
    "58": _an_upto("Reserved, national", 999),
    "59": _an_upto("Reserved, national", 999),
    "60": _an_upto("Terminal kind", 3),
    "61": _an_upto("Reserved, private", 999),
    "62": _an_upto("Reserved, private", 999),
    "63": _an_upto("Reserved, private", 999),
    "64": _b("Message authentication code", 8),
}

_SECOND_BITMAP = {
    "90": _n("Original data elements", 42, parts=parts.DE_90),
    "95": _an("Replacement amounts", 42),
    "96": _b("Message security code", 8, _SECRET),
    "99": _n_upto("Settlement institution identification code", 11),
    "100": _n_upto("Receiving institution identification code", 11),
    "101": _an_upto("File name", 17),
    "102": _an_upto("Account identification 1", 28, _PAN),
    "103": _an_upto("Account identification 2", 28, _PAN),
    **{str(number): _an_upto("Reserved, ISO", 999) for number in range(104, 112)},
    **{str(number): _an_upto("Reserved, national", 999) for number in range(112, 120)},
    **{str(number): _an_upto("Reserved, private", 999, _SECRET) for number in range(120, 128)},
    "128": _b("Message authentication code", 8),
}

ELEMENTS = MappingProxyType(
    {
        "t": _n("Message type identifier", 4),
        "p": _b("Primary bitmap", 8),
        "1": _b("Secondary bitmap", 8),
        **_SHARED,
        **_FIRST_BITMAP,
        **_SECOND_BITMAP,
    }
)

QUICPAY = Dialect(
    name="quicpay",
    elements=ELEMENTS,
    codec=Codec(ELEMENTS),
    framing=Framing(prefix_bytes=2, length_bytes=2, longest=_LONGEST),
    header=QpxHeader(),
    management=ManagementCodes(
        sign_on="001",
        sign_off="002",
        echo="301",
        cutover="201",
        purposes=MappingProxyType(
            {
                "001": "logon",
                "002": "logoff",
                "201": "cutover",
                "301": "echo",
                "401": "negative-list version",
            }
        ),
    ),
)
