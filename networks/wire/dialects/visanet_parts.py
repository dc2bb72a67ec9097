"""Second-level layouts of the VisaNet-like dialect (DOMAIN 1.4), as tables.

Forms that public sources do not settle are choices of this project and marked so. Text within a
part is EBCDIC, ``n`` is packed BCD with a leading zero digit where the width is odd. Parts of
DE 44, 54, 60, 61, 90 and 95 are cut out of the element's text form, so that their widths count
its characters; DE 60's are its twelve digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from networks.wire.spec import (
    Bitmapped,
    Datasets,
    Element,
    Encoding,
    Exposure,
    Length,
    Positional,
    Repeated,
)


def _n(name: str, width: int) -> Element:
    return Element(name, Encoding.BCD, Length.FIXED, width, numeric=True)


def _an(name: str, width: int, exposure: Exposure = Exposure.OPEN) -> Element:
    return Element(name, Encoding.EBCDIC, Length.FIXED, width, exposure=exposure)


def _text_digits(name: str, width: int) -> Element:
    return Element(name, Encoding.EBCDIC, Length.FIXED, width, numeric=True)


def _b(name: str, width: int, exposure: Exposure = Exposure.OPEN) -> Element:
    return Element(name, Encoding.BINARY, Length.FIXED, width, exposure=exposure)


def _b_upto(name: str, width: int, exposure: Exposure = Exposure.OPEN) -> Element:
    return Element(name, Encoding.BINARY, Length.BINARY_BYTES, width, exposure=exposure)


def _positional(elements: Mapping[str, Element]) -> Positional:
    return Positional(MappingProxyType(elements))


# Additional response data, at most 25 characters. The widths of .6 and .7 and everything behind
# .13 are choices.
DE_44 = _positional(
    {
        "1": _an("Response source", 1),
        "2": _an("Address verification result", 1),
        "3": _an("Telecommunications processing indicator", 1),
        "4": _an("Card product type", 1),
        "5": _an("CVV or iCVV result", 1),
        "6": _an("PACM diversion level", 2),
        "7": _an("PACM diversion reason", 1),
        "8": _an("Card authentication result", 1),
        "9": _an("Reserved", 1),
        "10": _an("CVV2 result", 1),
        "11": _an("Original response code", 2),
        "12": _an("Check settlement code", 1),
        "13": _an("CAVV result", 1),
        "14": _an("Response reason", 4),
        "15": _an("Last four digits of the PAN", 4),
        "16": _an("Cardholder verification requirement", 1),
        "17": _an("Reserved", 1),
    }
)

DE_54 = Repeated(
    MappingProxyType(
        {
            "account": _text_digits("Account type", 2),
            "type": _an("Amount type", 2),
            "currency": _text_digits("Currency", 3),
            "sign": _an("Sign, C or D", 1),
            "amount": _text_digits("Amount", 12),
        }
    ),
    most=6,
)

_EMV_TAGS: Mapping[str, Element] = MappingProxyType(
    {
        "4F": _b_upto("Application identifier (card)", 16),
        "50": _b_upto("Application label", 16),
        "57": _b_upto("Track 2 equivalent data", 19, Exposure.SECRET),
        "5A": _b_upto("Application PAN", 10, Exposure.PAN),
        "5F20": _b_upto("Cardholder name", 26, Exposure.SECRET),
        "5F24": _b("Application expiration date", 3, Exposure.SECRET),
        "5F2A": _b("Transaction currency code", 2),
        "5F34": _b("PAN sequence number", 1),
        "71": _b_upto("Issuer script template 1", 127),
        "72": _b_upto("Issuer script template 2", 127),
        "82": _b("Application interchange profile", 2),
        "84": _b_upto("Dedicated file name", 16),
        "86": _b_upto("Issuer script command", 255, Exposure.SECRET),
        "8A": _b("Authorization response code", 2),
        "91": _b_upto("Issuer authentication data", 16),
        "95": _b("Terminal verification results", 5),
        "9A": _b("Transaction date", 3),
        "9B": _b("Transaction status information", 2),
        "9C": _b("Transaction type", 1),
        "9F02": _b("Amount, authorized", 6),
        "9F03": _b("Amount, other", 6),
        "9F06": _b_upto("Application identifier (terminal)", 16),
        "9F09": _b("Application version number", 2),
        "9F10": _b_upto("Issuer application data", 32),
        "9F18": _b("Issuer script identifier", 4),
        "9F1A": _b("Terminal country code", 2),
        "9F1E": _b("Interface device serial number", 8),
        "9F1F": _b_upto("Track 1 discretionary data", 76, Exposure.SECRET),
        "9F20": _b_upto("Track 2 discretionary data", 19, Exposure.SECRET),
        "9F26": _b("Application cryptogram", 8),
        "9F27": _b("Cryptogram information data", 1),
        "9F33": _b("Terminal capabilities", 3),
        "9F34": _b("Cardholder verification method results", 3),
        "9F35": _b("Terminal type", 1),
        "9F36": _b("Application transaction counter", 2),
        "9F37": _b("Unpredictable number", 4),
        "9F41": _b_upto("Transaction sequence counter", 4),
        "9F5B": _b_upto("Issuer script results", 20),
        "9F6B": _b_upto("Track 2 data", 19, Exposure.SECRET),
        "9F6E": _b_upto("Form factor indicator", 32),
        "9F7C": _b_upto("Customer exclusive data", 32),
    }
)

DE_55 = Datasets(default="01", ber=True, tags=_EMV_TAGS)

# Additional point-of-service information: twelve digits in six bytes, .8 in the last of them.
DE_60 = _positional(
    {
        "1": _n("Terminal type", 1),
        "2": _n("Terminal entry capability", 1),
        "3": _n("Chip condition", 1),
        "4": _n("Existing debt indicator", 1),
        "5": _n("Merchant group", 2),
        "6": _n("Chip transaction indicator", 1),
        "7": _n("Chip card authentication reliability", 1),
        "9": _n("Cardholder identification method", 1),
        "10": _n("Partial authorization indicator", 1),
        "8": _n("Mail, telephone and electronic commerce indicator", 2),
    }
)

DE_61 = _positional(
    {
        "1": _n("Other amount, transaction (cashback)", 12),
        "2": _n("Other amount, cardholder billing", 12),
        "3": _n("Replacement amount, cardholder billing", 12),
    }
)

# Custom payment service fields. .6 to .10, .13 to .19, .21, .22, .24 and .25 are choices after
# the names in use; .20 is five bytes, shown as the ten hexadecimal digits in which the merchant
# verification value is written elsewhere.
DE_62 = Bitmapped(
    8,
    MappingProxyType(
        {
            1: _an("Authorization characteristics indicator", 1),
            2: _n("Transaction identifier", 15),
            3: _an("Validation code", 4),
            4: _an("Market-specific data identifier", 1),
            5: _n("Duration", 2),
            6: _an("Prestigious property indicator", 1),
            7: _an("Purchase identifier", 26),
            8: _n("Check-in or rental date", 6),
            9: _an("No-show indicator", 1),
            10: _n("Extra charges", 6),
            11: _n("Multiple clearing sequence number", 2),
            12: _n("Multiple clearing sequence count", 2),
            13: _an("Restricted ticket indicator", 1),
            14: _n("Total amount authorized", 12),
            15: _an("Requested payment service", 1),
            16: _an("Chargeback rights indicator", 2),
            17: _an("Gateway transaction identifier", 15),
            18: _an("Excluded transaction identifier reason", 1),
            19: _an("Electronic commerce goods indicator", 2),
            20: _b("Merchant verification value", 5),
            21: _an("Risk score and reason", 4),
            22: _an("Risk condition codes", 6),
            23: _an("Product identifier", 2),
            24: _an("Program identifier", 6),
            25: _an("Spend-qualified indicator", 1),
            26: _an("Account status", 1),
        }
    ),
)

# V.I.P. private-use field. .8, .9, .12, .14, .18 and .21 are choices after the names in use.
DE_63 = Bitmapped(
    3,
    MappingProxyType(
        {
            1: _n("Network identifier", 4),
            2: _n("Preauthorization time limit", 4),
            3: _n("Message reason code", 4),
            4: _n("Stand-in or switch reason code", 4),
            6: _an("Clearing flags", 7),
            8: _n("Acquirer business identifier", 8),
            9: _an("Fraud data", 14),
            11: _an("Reimbursement attribute", 1),
            12: _an("Sharing group code", 30),
            13: _n("Decimal positions indicator", 6),
            14: _an("Issuer currency conversion data", 36),
            18: _n("Merchant volume indicator", 2),
            19: _an("Fee program indicator", 3),
            21: _an("Charge indicator", 1),
        }
    ),
)

DE_90 = _positional(
    {
        "mti": _n("Original message type", 4),
        "stan": _n("Original STAN", 6),
        "transmission": _n("Original transmission date and time", 10),
        "acquirer": _n("Original acquirer", 11),
        "forwarder": _n("Original forwarder", 11),
    }
)

DE_95 = _positional(
    {
        "1": _text_digits("Actual amount, transaction", 12),
        "2": _an("Unused", 30),
    }
)

DE_104 = Datasets(
    default="57",
    ber=False,
    tags=MappingProxyType({"01": _an("Business application identifier", 2)}),
)

# Dataset and tags are a choice; addresses are personal data and shown to nobody by default.
DE_123 = Datasets(
    default="66",
    ber=False,
    tags=MappingProxyType(
        {
            "C0": Element(
                "Postal code",
                Encoding.EBCDIC,
                Length.BINARY_BYTES,
                9,
                exposure=Exposure.SECRET,
            ),
            "CF": Element(
                "Street address",
                Encoding.EBCDIC,
                Length.BINARY_BYTES,
                40,
                exposure=Exposure.SECRET,
            ),
        }
    ),
)

# Private-use field. .5, .15, .16 and .18 are choices.
DE_126 = Bitmapped(
    8,
    MappingProxyType(
        {
            5: _an("Merchant identifier", 8),
            6: _b("Cardholder certificate serial number", 17),
            7: _b("Merchant certificate serial number", 17),
            8: _b("Transaction identifier (XID)", 20),
            9: _b("CAVV", 20, Exposure.SECRET),
            10: _an("CVV2 with presence and response type", 6, Exposure.SECRET),
            12: _b("Service indicators", 3),
            13: _an("POS environment", 1),
            15: _an("Authentication collection indicator", 1),
            16: _an("Authentication field", 33, Exposure.SECRET),
            18: _b("Agent unique account result", 11),
            19: _an("Dynamic currency conversion indicator", 1),
            20: _an("3-D Secure indicator", 1),
        }
    ),
)
