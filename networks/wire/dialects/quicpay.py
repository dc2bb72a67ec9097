"""QPX-1, the QUICPay+-like dialect: ASCII numerics and lengths, JIS X 0201 text, two bitmaps.

Made for this program (DOMAIN 3.3); no network's own format is public and none is claimed. An
element without a row there has its ISO 8583:1987 form. Text is ASCII, and half-width katakana too
where a person's words go: DE 43 and DE 48.
"""

from __future__ import annotations

from types import MappingProxyType

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect, ManagementCodes
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


_FIRST_BITMAP = {
    "2": _n_upto("Primary account number", 19, _PAN),
    "3": _n("Processing code", 6),
    "4": _n("Amount, transaction", 12),
    "5": _n("Amount, settlement", 12),
    "6": _n("Amount, cardholder billing", 12),
    "7": _n("Transmission date and time", 10),
    "8": _n("Amount, cardholder billing fee", 8),
    "9": _n("Conversion rate, settlement", 8),
    "10": _n("Conversion rate, cardholder billing", 8),
    "11": _n("System trace audit number", 6),
    "12": _n("Time, local transaction", 6),
    "13": _n("Date, local transaction", 4),
    "14": _n("Date, expiration", 4, _SECRET),
    "15": _n("Date, settlement", 4),
    "16": _n("Date, conversion", 4),
    "17": _n("Date, capture", 4),
    "18": _n("Merchant category code", 4),
    "19": _n("Acquiring institution country code", 3),
    "20": _n("PAN extended, country code", 3),
    "21": _n("Forwarding institution country code", 3),
    "22": _n("Point-of-service entry mode", 3),
    "23": _n("Card sequence number", 3),
    "24": _n("Network international identifier", 3),
    "25": _n("Point-of-service condition code", 2),
    "26": _n("Point-of-service PIN capture code", 2),
    "27": _n("Authorization identification response length", 1),
    "28": _an("Amount, transaction fee", 9),
    "29": _an("Amount, settlement fee", 9),
    "30": _an("Amount, transaction processing fee", 9),
    "31": _an("Amount, settlement processing fee", 9),
    "32": _n_upto("Acquiring institution identification code", 11),
    "33": _n_upto("Forwarding institution identification code", 11),
    "34": _an_upto("PAN, extended", 28, _SECRET),
    "35": _an_upto("Track 2 data", 37, _SECRET),
    "36": _an_upto("Track 3 data", 104, _SECRET),
    "37": _an("Retrieval reference number", 12),
    "38": _an("Authorization identification response", 6),
    "39": _an("Response code", 2),
    "40": _an("Service restriction code", 3),
    "41": _an("Card acceptor terminal identification", 8),
    "42": _an("Card acceptor identification code", 15),
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
    "49": _n("Currency code, transaction", 3),
    "50": _n("Currency code, settlement", 3),
    "51": _n("Currency code, cardholder billing", 3),
    "52": _b("PIN data", 8, _SECRET),
    "53": _n("Security-related control information", 16),
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
    "66": _n("Settlement code", 1),
    "67": _n("Extended payment code", 2),
    "68": _n("Receiving institution country code", 3),
    "69": _n("Settlement institution country code", 3),
    "70": _n("Network management information code", 3),
    "71": _n("Message number", 4),
    "72": _n("Message number, last", 4),
    "73": _n("Date, action", 6),
    "74": _n("Credits, number", 10),
    "75": _n("Credits, reversal number", 10),
    "76": _n("Debits, number", 10),
    "77": _n("Debits, reversal number", 10),
    "78": _n("Transfers, number", 10),
    "79": _n("Transfers, reversal number", 10),
    "80": _n("Inquiries, number", 10),
    "81": _n("Authorizations, number", 10),
    "82": _n("Credits, processing fee amount", 12),
    "83": _n("Credits, transaction fee amount", 12),
    "84": _n("Debits, processing fee amount", 12),
    "85": _n("Debits, transaction fee amount", 12),
    "86": _n("Credits, amount", 16),
    "87": _n("Credits, reversal amount", 16),
    "88": _n("Debits, amount", 16),
    "89": _n("Debits, reversal amount", 16),
    "90": _n("Original data elements", 42, parts=parts.DE_90),
    "91": _an("File update code", 1),
    "92": _an("File security code", 2),
    "93": _an("Response indicator", 5),
    "94": _an("Service indicator", 7),
    "95": _an("Replacement amounts", 42),
    "96": _b("Message security code", 8, _SECRET),
    "97": _an("Amount, net settlement", 17),
    "98": _an("Payee", 25),
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
