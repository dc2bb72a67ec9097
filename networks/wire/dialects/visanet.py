"""The VisaNet-like dialect: BCD numerics, EBCDIC text, binary lengths, three bitmaps.

Rebuilt from public sources (DOMAIN 1.1 to 1.4); no conformance to any network is claimed. An
element without a row there has its ISO 8583:1987 form, or is carried as binary, so that it
survives decoding and encoding. DE 65 announces the third bitmap and is never data.
"""

from __future__ import annotations

from types import MappingProxyType

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect, ManagementCodes
from networks.wire.dialects import iso1987
from networks.wire.dialects import visanet_parts as parts
from networks.wire.framing import Framing
from networks.wire.spec import Element, Encoding, Exposure, Length, Parts
from networks.wire.vip_header import VipHeader

_LONGEST = 2048  # DOMAIN 1.1
_OPEN, _PAN, _SECRET = Exposure.OPEN, Exposure.PAN, Exposure.SECRET


def _n(name: str, digits: int, parts: Parts | None = None) -> Element:
    """Fixed packed BCD."""
    return Element(name, Encoding.BCD, Length.FIXED, digits, numeric=True, parts=parts)


def _n_upto(
    name: str, digits: int, exposure: Exposure = _OPEN, parts: Parts | None = None
) -> Element:
    """Packed BCD behind one byte that counts digits."""
    return Element(name, Encoding.BCD, Length.BINARY_DIGITS, digits, True, exposure, parts)


def _track(name: str, digits: int) -> Element:
    """Packed digits with the separator as nibble D."""
    return Element(name, Encoding.BCD, Length.BINARY_DIGITS, digits, exposure=_SECRET)


def _an(name: str, characters: int, parts: Parts | None = None) -> Element:
    """Fixed EBCDIC."""
    return Element(name, Encoding.EBCDIC, Length.FIXED, characters, parts=parts)


def _an_upto(
    name: str, characters: int, exposure: Exposure = _OPEN, parts: Parts | None = None
) -> Element:
    """EBCDIC behind one byte that counts characters."""
    return Element(
        name, Encoding.EBCDIC, Length.BINARY_BYTES, characters, exposure=exposure, parts=parts
    )


def _b(name: str, width: int, exposure: Exposure = _OPEN) -> Element:
    """Fixed binary."""
    return Element(name, Encoding.BINARY, Length.FIXED, width, exposure=exposure)


def _b_upto(
    name: str, width: int = 255, exposure: Exposure = _OPEN, parts: Parts | None = None
) -> Element:
    """Binary behind one byte that counts bytes."""
    return Element(
        name, Encoding.BINARY, Length.BINARY_BYTES, width, exposure=exposure, parts=parts
    )


_SHARED = {
    **{key: _n(name, digits) for key, (name, digits) in iso1987.NUMERIC.items()},
    **{key: _an(name, characters) for key, (name, characters) in iso1987.TEXT.items()},
}

_FIRST_BITMAP = {
    "2": _n_upto("Primary account number", 19, _PAN),
    "14": Element(
        "Date, expiration", Encoding.BCD, Length.FIXED, 4, numeric=True, exposure=_SECRET
    ),
    "22": _n("Point-of-service entry mode", 4),
    "32": _n_upto("Acquiring institution identification code", 11),
    "33": _n_upto("Forwarding institution identification code", 11),
    "34": Element(
        "Electronic commerce data",
        Encoding.BINARY,
        Length.BINARY_BYTES_2,
        65_535,
        exposure=_SECRET,
    ),
    "35": _track("Track 2 data", 37),
    "36": _track("Track 3 data", 104),
    "43": _an("Card acceptor name/location", 40),
    "44": _an_upto("Additional response data", 25, parts=parts.DE_44),
    "45": _an_upto("Track 1 data", 76, _SECRET),
    "46": _an_upto("Additional data, ISO", 255),
    "47": _an_upto("Additional data, national", 255),
    "48": _b_upto("Additional data, private", exposure=_SECRET),
    "52": _b("PIN data", 8, _SECRET),
    "54": _an_upto("Additional amounts", 120, parts=parts.DE_54),
    "55": _b_upto("Integrated circuit card data", exposure=_SECRET, parts=parts.DE_55),
    "56": _b_upto("Reserved, ISO"),
    "57": _b_upto("Reserved, national"),
    "58": _b_upto("Reserved, national"),
    "59": _an_upto("National point-of-service geographic data", 14),
    "60": _b_upto("Additional point-of-service information", 6, parts=parts.DE_60),
    "61": _n_upto("Other amounts", 36, parts=parts.DE_61),
    "62": _b_upto("Custom payment service fields", parts=parts.DE_62),
    "63": _b_upto("V.I.P. private-use field", parts=parts.DE_63),
    "64": _b("Message authentication code", 8),
}

_SECOND_BITMAP = {
    "90": _n("Original data elements", 42, parts.DE_90),
    "95": _an("Replacement amounts", 42, parts.DE_95),
    "96": _b("Message security code", 8, _SECRET),
    "99": _n_upto("Settlement institution identification code", 11),
    "100": _n_upto("Receiving institution identification code", 11),
    "101": _an_upto("File name", 17),
    "102": _an_upto("Account identification 1", 28, _PAN),
    "103": _an_upto("Account identification 2", 28, _PAN),
    "104": _b_upto("Transaction-specific data", parts=parts.DE_104),
    "105": _b("Triple DES key", 16, _SECRET),
    "106": _b_upto("Reserved, ISO"),
    "107": _b_upto("Reserved, ISO"),
    "108": _b_upto("Reserved, ISO"),
    "109": _b_upto("Reserved, ISO"),
    "110": _b_upto("Reserved, ISO", exposure=_SECRET),  # carries key blocks where it is used
    "111": _b_upto("Reserved, ISO"),
    "112": _b_upto("Reserved, national"),
    "113": _b_upto("Reserved, national"),
    "114": _b_upto("Reserved, national"),
    "115": _an_upto("Additional trace data", 24),
    "116": _b_upto("Card issuer reference data"),
    "117": _an_upto("National use", 255),
    "118": _an_upto("Intra-country data", 99),
    "119": _an_upto("Settlement service data", 255),
    "120": _b_upto("Auxiliary transaction data", exposure=_SECRET),
    "121": _an_upto("Issuing institution identification code", 11),
    "122": _an_upto("Remaining open-to-use", 255),
    "123": _b_upto("Verification data", exposure=_SECRET, parts=parts.DE_123),
    "124": _an_upto("Free-form text", 135),
    "125": _b_upto("Supporting information", exposure=_SECRET),
    "126": _b_upto("Private-use fields", exposure=_SECRET, parts=parts.DE_126),
    "127": _b_upto("File record data", exposure=_SECRET),
    "128": _b("Message authentication code", 8),
}

_THIRD_BITMAP = {  # the chip data layout from before DE 55, all as binary
    "130": _b("Terminal capability profile", 3),
    "131": _b("Terminal verification results", 5),
    "132": _b("Unpredictable number", 4),
    "133": _b("Terminal serial number", 8),
    "134": _b_upto("Issuer application data"),
    "135": _b_upto("Issuer discretionary data"),
    "136": _b("Application cryptogram", 8),
    "137": _b("Application transaction counter", 2),
    "138": _b("Application interchange profile", 2),
    "139": _b_upto("Issuer authentication data"),
    "140": _b_upto("Issuer script", exposure=_SECRET),
    "141": _b_upto("Issuer script, continued", exposure=_SECRET),
    "142": _b_upto("Issuer script, second", exposure=_SECRET),
    "143": _b_upto("Issuer script results"),
    "144": _b("Cryptogram transaction type", 1),
    "145": _b("Terminal country code", 2),
    "146": _b("Terminal transaction date", 3),
    "147": _b("Cryptogram amount", 6),
    "148": _b("Cryptogram currency code", 2),
    "149": _b("Cryptogram cashback amount", 6),
    "152": _b("Secondary PIN data", 8, _SECRET),
}

ELEMENTS = MappingProxyType(
    {
        "t": _n("Message type identifier", 4),
        "p": _b("Primary bitmap", 8),
        "1": _b("Secondary bitmap", 8),
        **_SHARED,
        **_FIRST_BITMAP,
        **_SECOND_BITMAP,
        **_THIRD_BITMAP,
    }
)

VISANET = Dialect(
    name="visanet",
    elements=ELEMENTS,
    codec=Codec(ELEMENTS),
    framing=Framing(prefix_bytes=4, length_bytes=2, longest=_LONGEST),
    header=VipHeader(_LONGEST),
    management=ManagementCodes(
        sign_on="071",
        sign_off="072",
        echo="301",
        cutover="201",
        purposes=MappingProxyType(
            {
                "071": "sign-on",
                "072": "sign-off",
                "078": "start of advice recovery",
                "079": "end of advice recovery",
                "081": "key exchange",
                "161": "key exchange, acquirer working key",
                "162": "key exchange, issuer working key",
                "201": "cutover",
                "202": "cutover completed",
                "301": "echo",
            }
        ),
    ),
)
