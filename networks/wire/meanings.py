"""What coded values mean, in words for a person.

A value without an entry has no note; a note never repeats the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import iso4217

from networks.wire.dialect import Dialect
from networks.wire.response_codes import RESPONSE_CODES

_MESSAGES = {
    "010": "authorization request",
    "011": "authorization response",
    "012": "authorization advice",
    "013": "authorization advice response",
    "020": "financial request",
    "021": "financial response",
    "022": "financial advice",
    "023": "financial advice response",
    "030": "file update request",
    "031": "file update response",
    "040": "reversal request",
    "041": "reversal response",
    "042": "reversal advice",
    "043": "reversal advice response",
    "060": "administrative request",
    "061": "administrative response",
    "062": "administrative advice",
    "063": "administrative advice response",
    "080": "network management request",
    "081": "network management response",
    "082": "network management advice",
}
_ORIGINS = {"0": "", "1": ", repeat", "2": ", from the issuer", "3": ", from the issuer, repeat"}

_TRANSACTIONS = {
    "00": "purchase",
    "01": "cash",
    "03": "check",
    "10": "account funding",
    "11": "quasi-cash",
    "20": "refund",
    "26": "original credit",
    "30": "balance inquiry",
    "31": "validity check",
    "50": "bill payment",
    "70": "PIN change",
    "72": "PIN unblock",
    "90": "allowance request",
}
_ACCOUNTS = {"10": "savings", "20": "checking", "30": "credit", "40": "universal"}

_ENTRY_MODES = {
    "01": "manual",
    "02": "magnetic stripe",
    "03": "barcode",
    "04": "optical",
    "05": "chip",
    "07": "contactless chip",
    "10": "credential on file",
    "90": "magnetic stripe, whole",
    "91": "contactless magnetic stripe",
    "95": "chip, CVV unreliable",
    "96": "stored value",
}

_STAND_IN_REASONS = {
    "9001": "issuer signed off",
    "9002": "issuer signed off by the network",
    "9011": "line to the issuer down",
    "9012": "stand-in forced by the issuer",
    "9020": "issuer timeout",
    "9022": "activity limits",
    "9023": "cardholder limits",
    "9024": "payment controls",
    "9025": "selective acceptance",
    "9026": "advisor",
    "9027": "token provisioning",
    "9030": "account file",
    "9031": "original processed in stand-in",
    "9033": "declined in stand-in",
}

_BOTH: Mapping[str, Mapping[str, str]] = {
    "25": {
        "00": "normal",
        "01": "cardholder absent",
        "02": "unattended",
        "03": "suspicious",
        "05": "card absent",
        "06": "preauthorization",
        "08": "mail, telephone or recurring",
        "51": "verification",
        "59": "electronic commerce",
        "71": "fallback",
    },
    "39": {code: entry.meaning for code, entry in RESPONSE_CODES.items()},
}

_BY_DIALECT: Mapping[str, Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "visanet": {
            **_BOTH,
            "44.1": {"2": "stand-in", "5": "issuer"},
            "54.type": {
                "01": "ledger balance",
                "02": "available balance",
                "56": "fee",
                "57": "original amount",
            },
            "60.8": {
                "01": "mail or telephone",
                "02": "recurring",
                "03": "instalment",
                "05": "electronic commerce, authenticated",
                "06": "electronic commerce, authentication attempted",
                "07": "electronic commerce, not authenticated",
                "08": "electronic commerce, not secure",
            },
            "60.10": {"1": "partial approval accepted"},
            "63.3": {
                "2501": "by the customer",
                "2502": "not completed",
                "2503": "no confirmation from the terminal",
                "2504": "partial reversal",
                "3900": "incremental",
                "3901": "resubmission",
                "3902": "delayed charges",
                "3903": "reauthorization",
                "3904": "no-show",
            },
            "63.4": _STAND_IN_REASONS,
        },
        "quicpay": {
            **_BOTH,
            "48.02": {"1": "QUICPay", "2": "QUICPay+"},
            "48.03": {"0": "online", "1": "offline within the allowance", "2": "centre stand-in"},
            "48.04": {
                "10": "lump sum (一括)",
                "61": "instalments (分割)",
                "80": "revolving (リボ)",
            },
            "48.07": {"1": "card", "2": "phone A", "3": "phone G", "4": "wearable"},
            "48.08": {"0": "none", "1": "on the device"},
        },
    }
)

_CURRENCY_OF = {"4": "49", "5": "50", "6": "51"}
_CURRENCIES = {f"{currency.number:03d}": currency for currency in iso4217.Currency}


def message_meaning(mti: str) -> str:
    """What an MTI says: class, function and origin."""
    kind = _MESSAGES.get(mti[:3], "")
    return f"{kind}{_ORIGINS.get(mti[3:], ', from somebody else')}" if kind else ""


def processing_meaning(code: str) -> str:
    """What a processing code says: transaction, then the accounts if they are named."""
    accounts = [
        f"{side} {_ACCOUNTS[account]}"
        for side, account in (("from", code[2:4]), ("to", code[4:6]))
        if account in _ACCOUNTS
    ]
    return " ".join([_TRANSACTIONS.get(code[:2], ""), *accounts]).strip()


def amount_meaning(amount: str, number: str) -> str:
    """An amount in minor units as money of the currency with ISO 4217 number `number`."""
    currency = _CURRENCIES.get(number)
    if currency is None or not amount.isdecimal():
        return ""
    exponent = currency.exponent or 0
    units = f"{int(amount):0{exponent + 1}d}"
    point = len(units) - exponent
    return f"{currency.code} {units[:point]}.{units[point:]}".rstrip(".")


def meaning(dialect: Dialect, field: str, value: str, fields: Mapping[str, str]) -> str:
    """What `value` means in `field`, in a message of `fields`; blank where nothing is known."""
    if field in _CURRENCY_OF:
        return amount_meaning(value, fields.get(_CURRENCY_OF[field], ""))
    if field in _READ:
        return _READ[field](value)
    if field == "70":
        return dialect.management.purposes.get(value, "")
    return _BY_DIALECT[dialect.name].get(field, {}).get(value, "")


def _bits(bitmap: str, first: int) -> str:
    """The numbers of the bits that are set."""
    bits = f"{int(bitmap, 16):0{4 * len(bitmap)}b}"
    return "bits " + " ".join(str(first + at) for at, bit in enumerate(bits, 1) if bit == "1")


def _currency_code(number: str) -> str:
    currency = _CURRENCIES.get(number)
    return currency.code if currency else ""


_READ: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "t": message_meaning,
        "p": lambda bitmap: _bits(bitmap, 0),
        "1": lambda bitmap: _bits(bitmap, 64),
        "3": processing_meaning,
        "22": lambda mode: _ENTRY_MODES.get(mode[:2], ""),
        "49": _currency_code,
        "50": _currency_code,
        "51": _currency_code,
        "54.currency": _currency_code,
    }
)
