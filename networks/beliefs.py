"""What a network believes about each authorization: its own record, kept from its own messages.

:func:`after` holds the rules. They say what the issuer must be holding once a message is answered
(DOMAIN 1.9, 2.5), and were written from the messages alone, so that comparing them with the
issuer's ledger means something. Amounts are minor units of the billing currency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from networks.traffic import Purpose
from networks.wire.masking import mask_pan
from networks.wire.messages import CardMessage, CardRequest, Financial

_PURPOSE_BY_CODE: Mapping[str, Purpose] = MappingProxyType(
    {
        "00": Purpose.PURCHASE,
        "01": Purpose.CASH,
        "20": Purpose.CREDIT,
        "30": Purpose.INQUIRY,
    }
)
_VERIFICATION_CONDITION = "51"
_FUEL_CATEGORY = "5542"
APPROVALS = frozenset({"00", "10", "11", "85"})  # DE 39; 85 is the yes of an account verification
HOLDING = frozenset({Purpose.PURCHASE, Purpose.CASH})


class Kind(StrEnum):
    """What a line of the record is about."""

    AUTHORIZATION = "authorization"
    STAND_IN = "stand_in"  # decided by the network itself
    INCREMENT = "increment"  # its amount is held under the authorization it names
    FORCE_POST = "force_post"  # cleared and never authorized


class Belief(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization as the network sees it; also one line of the beliefs file.

    Attributes
    ----------
    trace
        What DE 90 would name it by: transmission (DE 7), STAN, acquirer, one after another.
    pan
        Masked.
    increment_of
        RRN of the authorization that holds this increment's amount.
    response_code, approval_code
        The issuer's first answer to the opening message.
    stood_in
        The network decided by itself, at once or because no answer came in time.
    requested, approved, held, cleared, credited
        Minor units. `held` is what the issuer must be holding now.
    hold_chosen_by_issuer
        The hold of a fuel status check is the issuer's choice until the completion advice:
        `held` is then the least it can be.
    reversed
        A full reversal was acknowledged.
    answered
        The issuer has answered the opening message, late or not.
    """

    network: str
    kind: Kind
    purpose: Purpose
    mti: str
    rrn: str
    stan: str
    transmission: str
    trace: str
    transaction_id: str
    pan: str
    currency: str
    requested: int
    increment_of: str = ""
    response_code: str = ""
    approval_code: str = ""
    approved: int = 0
    held: int = 0
    hold_chosen_by_issuer: bool = False
    cleared: int = 0
    credited: int = 0
    reversed: bool = False
    stood_in: bool = False
    answered: bool = False


class Step(StrEnum):
    """A message of the network that was answered, by what it does."""

    AUTHORIZED = "authorized"
    INCREMENTED = "incremented"
    STOOD_IN = "stood in"
    COMPLETED = "completed"
    REVERSED = "reversed"
    PARTLY_REVERSED = "partly reversed"
    CLEARED = "cleared"  # wholly, or the last part
    CLEARED_PART = "cleared a part"
    CREDITED = "credited"


class Effect(msgspec.Struct, frozen=True):
    """What changes; blank and ``None`` leave things as they are."""

    held: int
    cleared: int = 0
    credited: int = 0
    reversed: bool = False
    approved: int | None = None


_Rule = Callable[[Belief, int], Effect]


def _hold_what_was_approved(belief: Belief, amount: int) -> Effect:
    holds = belief.purpose in HOLDING and not belief.reversed
    return Effect(held=amount if holds else 0, approved=amount)


def _hold_more(belief: Belief, amount: int) -> Effect:
    return Effect(held=belief.held + amount)


def _hold_exactly(_belief: Belief, amount: int) -> Effect:
    return Effect(held=amount, approved=amount)


def _hold_the_replacement(_belief: Belief, amount: int) -> Effect:
    return Effect(held=amount)


def _hold_nothing(_belief: Belief, _amount: int) -> Effect:
    return Effect(held=0, reversed=True)


def _move_and_release(_belief: Belief, amount: int) -> Effect:
    return Effect(held=0, cleared=amount)


def _move_a_part(belief: Belief, amount: int) -> Effect:
    return Effect(held=max(belief.held - amount, 0), cleared=amount)


def _credit(belief: Belief, amount: int) -> Effect:
    return Effect(held=belief.held, credited=amount)


RULES: Mapping[Step, _Rule] = MappingProxyType(
    {
        Step.AUTHORIZED: _hold_what_was_approved,
        Step.INCREMENTED: _hold_more,
        Step.STOOD_IN: _hold_exactly,
        Step.COMPLETED: _hold_exactly,
        Step.REVERSED: _hold_nothing,
        Step.PARTLY_REVERSED: _hold_the_replacement,
        Step.CLEARED: _move_and_release,
        Step.CLEARED_PART: _move_a_part,
        Step.CREDITED: _credit,
    }
)

_LEAVES_THE_CHOICE = frozenset({Step.AUTHORIZED})


def after(belief: Belief, step: Step, amount: int) -> Belief:
    """What is believed once `step` over `amount` has been answered with approval."""
    effect = RULES[step](belief, amount)
    return msgspec.structs.replace(
        belief,
        held=effect.held,
        cleared=belief.cleared + effect.cleared,
        credited=belief.credited + effect.credited,
        hold_chosen_by_issuer=belief.hold_chosen_by_issuer and step in _LEAVES_THE_CHOICE,
        reversed=belief.reversed or effect.reversed,
        stood_in=belief.stood_in or step is Step.STOOD_IN,
        approved=belief.approved if effect.approved is None else effect.approved,
    )


def purpose_of(message: CardRequest) -> Purpose:
    """What `message` is for, by DE 3 and DE 25."""
    if message.condition == _VERIFICATION_CONDITION:
        return Purpose.VERIFICATION
    return _PURPOSE_BY_CODE[message.processing_code[:2]]


def billed(message: CardMessage) -> int:
    """DE 6 where it is there, else DE 4; 0 without either."""
    if message.billing_amount is not None:
        return message.billing_amount
    return message.amount or 0


def opened(network: str, message: CardRequest, *, increment_of: str = "") -> Belief:
    """The belief before any answer to `message`."""
    return Belief(
        network=network,
        kind=_kind(message, increment_of),
        purpose=purpose_of(message),
        mti=message.mti,
        rrn=message.rrn,
        stan=message.stan,
        transmission=message.transmission,
        trace=f"{message.transmission}{message.stan}{message.acquirer}",
        transaction_id=message.transaction_id,
        pan=mask_pan(message.pan),
        currency=message.billing_currency or message.currency,
        requested=billed(message),
        increment_of=increment_of,
        hold_chosen_by_issuer=message.mti == "0100" and message.merchant_category == _FUEL_CATEGORY,
    )


def _kind(message: CardRequest, increment_of: str) -> Kind:
    if increment_of:
        return Kind.INCREMENT
    if isinstance(message, Financial):
        return Kind.FORCE_POST
    return Kind.STAND_IN if message.mti == "0120" else Kind.AUTHORIZATION


def answered(belief: Belief, response_code: str, approval_code: str) -> Belief:
    """`belief` with the issuer's first answer noted; a decline holds nothing."""
    return msgspec.structs.replace(
        belief,
        answered=True,
        response_code=response_code,
        approval_code=approval_code,
        hold_chosen_by_issuer=belief.hold_chosen_by_issuer and response_code in APPROVALS,
    )
