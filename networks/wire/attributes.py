"""Where each attribute of a canonical message stands in a dialect, as tables.

An attribute has a path: a data element (``"4"``) or one of its parts (``"62.2"``), and a kind. A
message class has the attributes of the classes it derives from, those that both dialects share
(`COMMON`) and its dialect's own. What a dialect's table does not name is neither read nor written:
answers of QPX-1 have no DE 25, whatever the request had.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from networks.wire.messages import (
    Administrative,
    Advice,
    CardMessage,
    CardRequest,
    CardResponse,
    FileUpdate,
    Financial,
    Message,
    NetworkManagement,
    Reversal,
    ReversalResponse,
)


class Kind(StrEnum):
    """How an element's text becomes an attribute."""

    TEXT = "text"  # as it is
    AMOUNT = "amount"  # twelve digits, an integer of minor units; absent is None
    ORIGINAL = "original"  # DE 90, an OriginalData
    AMOUNTS = "amounts"  # DE 54, AdditionalAmounts
    EBCDIC = "ebcdic"  # hex of EBCDIC text


class Attribute(NamedTuple):
    """One attribute's place; `part` is blank where it is the whole element."""

    name: str
    element: str
    part: str
    kind: Kind

    @property
    def path(self) -> str:
        """The element, and the part in it if there is one: ``"4"``, ``"62.2"``."""
        return f"{self.element}.{self.part}" if self.part else self.element


Paths: TypeAlias = Mapping[str, str | tuple[str, Kind]]
Table: TypeAlias = Mapping[type[Message], Paths]

COMMON: Table = MappingProxyType(
    {
        Message: {"transmission": "7", "stan": "11", "rrn": "37"},
        CardMessage: {
            "pan": "2",
            "processing_code": "3",
            "amount": ("4", Kind.AMOUNT),
            "local_time": "12",
            "local_date": "13",
            "acquirer": "32",
            "forwarder": "33",
            "approval_code": "38",
            "response_code": "39",
            "terminal": "41",
            "merchant": "42",
            "currency": "49",
        },
        CardRequest: {
            "expiry": "14",
            "merchant_category": "18",
            "entry_mode": "22",
            "condition": "25",
            "merchant_name": "43",
        },
        Reversal: {"original": ("90", Kind.ORIGINAL)},
        ReversalResponse: {"original": ("90", Kind.ORIGINAL)},
        Financial: {"original": ("90", Kind.ORIGINAL)},
        NetworkManagement: {"response_code": "39", "management_code": "70"},
    }
)

VISANET: Table = MappingProxyType(
    {
        CardMessage: {
            "billing_amount": ("6", Kind.AMOUNT),
            "acquirer_country": "19",
            "billing_currency": "51",
            "characteristics": "62.1",
            "transaction_id": "62.2",
            "validation_code": "62.3",
            "network_id": "63.1",
        },
        CardRequest: {
            "card_sequence": "23",
            "acquirer_fee": "28",
            "track2": "35",
            "pin_block": "52",
            "electronic_commerce": "60.8",
            "partial_approval": "60.10",
            "message_reason": "63.3",
            "stand_in_reason": "63.4",
            "card_verification": "126.10",
        },
        CardResponse: {
            "condition": "25",
            "response_source": "44.1",
            "additional_amounts": ("54", Kind.AMOUNTS),
        },
        Advice: {"response_source": "44.1"},
        Reversal: {
            "replacement_billing_amount": ("61.3", Kind.AMOUNT),
            "replacement_amount": ("95.1", Kind.AMOUNT),
        },
        Financial: {"clearing_sequence": "62.11", "clearing_count": "62.12"},
        FileUpdate: {
            "pan": "2",
            "expiry": "14",
            "response_code": "39",
            "action_date": "73",
            "update_code": "91",
            "security_code": "92",
            "file_name": "101",
            "record": "127",
        },
        NetworkManagement: {"network_id": "63.1"},
        Administrative: {
            "response_code": "39",
            "text": ("48", Kind.EBCDIC),
            "network_id": "63.1",
        },
    }
)

QUICPAY: Table = MappingProxyType(
    {
        CardMessage: {"slip": "48.05", "terminal_identity": "48.06"},
        CardRequest: {
            "quicpay_id": "48.01",
            "quicpay_mode": "48.02",
            "authorization_path": "48.03",
            "payment_plan": "48.04",
            "device": "48.07",
            "cardholder_verification": "48.08",
            "product_code": "48.10",
            "original_slip": "48.12",
            "terminal_kind": "60",
        },
        Administrative: {"response_code": "39"},
        FileUpdate: {"response_code": "39"},
    }
)

BY_DIALECT: Mapping[str, Table] = MappingProxyType({"visanet": VISANET, "quicpay": QUICPAY})

# What stands in an element of fixed layout where a message made here has no part for it.
TEMPLATES: Mapping[str, str] = MappingProxyType(
    {"44": " ", "60": "0" * 12, "61": "0" * 36, "95": "0" * 42}
)


def attributes_of(dialect: str, message_class: type[Message]) -> tuple[Attribute, ...]:
    """The attributes that `message_class` has in `dialect`, ordered by element and part."""
    found: list[Attribute] = []
    for table in (COMMON, BY_DIALECT[dialect]):
        for ancestor in message_class.__mro__:
            found += [_attribute(name, at) for name, at in table.get(ancestor, {}).items()]
    return tuple(sorted(found, key=lambda place: (int(place.element), place.part.zfill(2))))


def _attribute(name: str, at: str | tuple[str, Kind]) -> Attribute:
    path, kind = at if isinstance(at, tuple) else (at, Kind.TEXT)
    element, _, part = path.partition(".")
    return Attribute(name, element, part, kind)
