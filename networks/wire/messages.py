"""Canonical messages: what both dialects mean, in the field's own nouns.

Handlers see these and never a field number. A message is frozen; blank text and ``None`` mean
"not in the message". `elements` keeps every data element as it came off the wire, so that what
has no canonical name survives decoding and encoding; it is empty in a message made here.

Amounts are integers in minor units of the currency beside them (ISO 4217 numeric code, as on the
wire). Times are the wire's own digits: the year is not transmitted, so turning them into instants
needs a clock and happens in the handlers. ``repr`` shows no PAN, track, PIN or CVV2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar

import msgspec

from networks.wire.masking import mask_pan

NO_ELEMENTS: Mapping[str, str] = MappingProxyType({})


class Message(msgspec.Struct, frozen=True, gc=False):
    """What every message carries (DE 7, 11, 37)."""

    mti: str
    transmission: str = ""  # DE 7 MMDDhhmmss GMT
    stan: str = ""  # DE 11
    rrn: str = ""  # DE 37
    elements: Mapping[str, str] = NO_ELEMENTS

    @property
    def is_repeat(self) -> bool:
        """Whether the sender marks it as sent before (MTI ends in 1 or 3)."""
        return self.mti[3:] in ("1", "3")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mti={self.mti!r}, stan={self.stan!r}, rrn={self.rrn!r})"


class CardMessage(Message, frozen=True, gc=False):
    """What every message about one card carries."""

    pan: str = ""  # DE 2
    processing_code: str = ""  # DE 3 ttffoo
    amount: int | None = None  # DE 4, minor units of `currency`
    currency: str = ""  # DE 49
    billing_amount: int | None = None  # DE 6, minor units of `billing_currency`
    billing_currency: str = ""  # DE 51
    local_time: str = ""  # DE 12
    local_date: str = ""  # DE 13
    acquirer_country: str = ""  # DE 19
    condition: str = ""  # DE 25
    acquirer: str = ""  # DE 32
    forwarder: str = ""  # DE 33
    terminal: str = ""  # DE 41
    merchant: str = ""  # DE 42
    approval_code: str = ""  # DE 38
    response_code: str = ""  # DE 39
    network_id: str = ""  # DE 63.1
    transaction_id: str = ""  # DE 62.2; blank on QPX-1
    validation_code: str = ""  # DE 62.3
    characteristics: str = ""  # DE 62.1, the authorization characteristics indicator
    slip: str = ""  # QPX-1 DE 48.05
    terminal_identity: str = ""  # QPX-1 DE 48.06

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(mti={self.mti!r}, pan={mask_pan(self.pan)!r}, "
            f"stan={self.stan!r}, rrn={self.rrn!r}, amount={self.amount!r}, "
            f"response_code={self.response_code!r})"
        )


class CardRequest(CardMessage, frozen=True, gc=False):
    """What a request or advice about one card adds."""

    expiry: str = ""  # DE 14 YYMM
    merchant_category: str = ""  # DE 18
    entry_mode: str = ""  # DE 22
    card_sequence: str = ""  # DE 23
    merchant_name: str = ""  # DE 43
    track2: str = ""  # DE 35, never stored
    pin_block: str = ""  # DE 52, never stored
    card_verification: str = ""  # DE 126.10, never stored
    electronic_commerce: str = ""  # DE 60.8
    partial_approval: str = ""  # DE 60.10, "1" when the terminal takes a partial approval
    message_reason: str = ""  # DE 63.3
    stand_in_reason: str = ""  # DE 63.4
    acquirer_fee: str = ""  # DE 28: C or D and eight digits
    quicpay_id: str = ""  # QPX-1 DE 48.01, opaque
    quicpay_mode: str = ""  # QPX-1 DE 48.02: 1 QUICPay, 2 QUICPay+
    authorization_path: str = ""  # QPX-1 DE 48.03: 0 online, 1 offline, 2 centre stand-in
    payment_plan: str = ""  # QPX-1 DE 48.04, 10 is a lump sum
    device: str = ""  # QPX-1 DE 48.07
    cardholder_verification: str = ""  # QPX-1 DE 48.08
    product_code: str = ""  # QPX-1 DE 48.10
    original_slip: str = ""  # QPX-1 DE 48.12
    terminal_kind: str = ""  # QPX-1 DE 60: rich or thin


class AdditionalAmount(msgspec.Struct, frozen=True):
    """One entry of DE 54; `amount` in minor units, negative for sign D."""

    account: str  # account type, "00" unspecified
    type: str  # "01" ledger balance, "02" available, "57" original amount
    currency: str
    amount: int


class CardResponse(CardMessage, frozen=True, gc=False):
    """What an answer about one card adds."""

    response_source: str = ""  # DE 44.1: 5 issuer, 2 stand-in
    additional_amounts: tuple[AdditionalAmount, ...] = ()  # DE 54


class AuthorizationRequest(CardRequest, frozen=True, gc=False):
    """0100, 0101."""


class AuthorizationResponse(CardResponse, frozen=True, gc=False):
    """0110."""


class Advice(CardRequest, frozen=True, gc=False):
    """0120, 0121: somebody else has decided; the issuer applies it."""

    response_source: str = ""  # DE 44.1


class AdviceResponse(CardResponse, frozen=True, gc=False):
    """0130."""


class OriginalData(msgspec.Struct, frozen=True):
    """DE 90, which names the message that is being reversed."""

    mti: str
    stan: str
    transmission: str
    acquirer: str = ""
    forwarder: str = ""


class Reversal(CardRequest, frozen=True, gc=False):
    """0400, 0401 and 0420, 0421; partial when `replacement_amount` is there."""

    original: OriginalData | None = None  # DE 90
    replacement_amount: int | None = None  # DE 95.1, minor units of `currency`
    replacement_billing_amount: int | None = None  # DE 61.3, minor units of `billing_currency`


class ReversalResponse(CardResponse, frozen=True, gc=False):
    """0410, 0430."""

    original: OriginalData | None = None  # DE 90, echoed


class Financial(CardRequest, frozen=True, gc=False):
    """0200, 0201 (hold and post at once) and 0220, 0221 (online clearing advice)."""

    clearing_sequence: str = ""  # DE 62.11, n of
    clearing_count: str = ""  # DE 62.12
    original: OriginalData | None = None  # DE 90

    @property
    def is_advice(self) -> bool:
        """Whether it only tells what has happened (0220, 0221)."""
        return self.mti[2] == "2"


class FinancialResponse(CardResponse, frozen=True, gc=False):
    """0210, 0230."""


class FileUpdate(Message, frozen=True, gc=False):
    """0302 and its answer 0312: upkeep of the network's exception file (DE 91, 92, 101, 127)."""

    pan: str = ""
    expiry: str = ""
    update_code: str = ""  # DE 91: 1 add, 2 change, 3 delete, 4 replace, 5 inquiry
    security_code: str = ""  # DE 92
    file_name: str = ""  # DE 101
    record: str = ""  # DE 127
    action_date: str = ""  # DE 73
    response_code: str = ""


class NetworkManagement(Message, frozen=True, gc=False):
    """0800, 0820 and their answers 0810, 0830 (which have a response code)."""

    management_code: str = ""  # DE 70
    response_code: str = ""
    network_id: str = ""  # DE 63.1


class Administrative(Message, frozen=True, gc=False):
    """0600, 0620 and their answers 0610, 0630: text, to be acknowledged and kept."""

    text: str = ""  # DE 48
    response_code: str = ""
    network_id: str = ""


class Kind:
    """The message class that two digits of the MTI stand for (version 0: ISO 8583:1987)."""

    BY_MTI: ClassVar[Mapping[str, type[Message]]] = MappingProxyType(
        {
            "010": AuthorizationRequest,
            "011": AuthorizationResponse,
            "012": Advice,
            "013": AdviceResponse,
            "020": Financial,
            "021": FinancialResponse,
            "022": Financial,
            "023": FinancialResponse,
            "030": FileUpdate,
            "031": FileUpdate,
            "040": Reversal,
            "041": ReversalResponse,
            "042": Reversal,
            "043": ReversalResponse,
            "060": Administrative,
            "061": Administrative,
            "062": Administrative,
            "063": Administrative,
            "080": NetworkManagement,
            "081": NetworkManagement,
            "082": NetworkManagement,
            "083": NetworkManagement,
        }
    )


def is_response(mti: str) -> bool:
    """Whether the MTI's third digit says answer (1 to a request, 3 to an advice)."""
    return mti[2] in "13"


@lru_cache(256)
def response_mti(mti: str) -> str:
    """The MTI that answers `mti`; a repeat is answered like its original: 0101 -> 0110."""
    return f"{mti[:2]}{int(mti[2]) + 1}{'2' if mti[3] in '23' else '0'}"
