"""What can be asked of the ledger, and what it answers.

A command names one wallet account and carries its own time, so that the ledger needs no clock.
It also carries the `Origin` of the message behind it: the same origin asked twice gets the stored
answer. Times are microseconds since the epoch, UTC. Amounts are `Money` in the wallet's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from ledger.money import Money
from ledger.outcomes import Outcome

# What a request key can begin with, and what `sent_on` makes of it.
DAYS: Mapping[str, int] = MappingProxyType(
    {"": 0}
    | {f"{month:02}{day:02}": 100 * month + day for month in range(1, 13) for day in range(1, 32)}
)
NO_DETAILS: Mapping[str, str] = MappingProxyType({})
TRACE_END = "|"


class Purpose(StrEnum):
    """What an authorization is for."""

    PURCHASE = "purchase"
    CASH = "cash"
    CREDIT = "credit"  # a refund is announced: approved, the balance moves on clearing
    VERIFICATION = "verification"  # amount zero: is this account good?
    INQUIRY = "inquiry"  # what is the balance?


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Which message of which network a command came from.

    Attributes
    ----------
    network
        The network's name, e.g. ``"visanet"``.
    request_key
        Identifies the request within account and network; repeats have the same. ASCII, and
        begins with `trace` and a bar where the message has one: ``"<trace>|<rest>"``.
    transaction_id
        The network's life-cycle identifier; blank where the network has none.
    rrn
        Retrieval reference number.
    fingerprint
        Digest of what must not differ between two requests of one key.
    is_repeat
        Whether the sender marks it as sent before (MTI 0101, 0121, ...). One that is not marked is
        recognized all the same; this only tells where to look first.
    """

    network: str
    request_key: str
    transaction_id: str
    rrn: str
    fingerprint: str
    is_repeat: bool = False

    @property
    def trace(self) -> str:
        """How a later message would name this one in its DE 90; blank for one without a bar."""
        return trace_in(self.request_key)


def trace_in(request_key: str) -> str:
    """The trace that a request key begins with, e.g. transmission time, STAN, acquirer."""
    return request_key.partition(TRACE_END)[0] if TRACE_END in request_key else ""


def sent_on(request_key: str) -> int:
    """Month and day that a request key with a trace begins with (DE 7), as MMDD; 0 for others."""
    return DAYS.get(request_key[:4], 0)


class Reference(msgspec.Struct, frozen=True, gc=False):
    """How a message names an earlier authorization; what it does not say is blank.

    The parts are tried in this order (DOMAIN 1.9 item 5, 2.5): transaction id; trace (and, on
    networks that have them, nothing else is needed); the acquirer's reference number of an earlier
    clearing; approval code with RRN, or with the amount on one of `days`; merchant and amount on
    one of `days`, which only suggests.

    Attributes
    ----------
    days
        What the traces of the days of purchase begin with (MMDD of DE 7): the day itself and those
        around it on which the network may have dated it.
    tolerance
        Minor units by which amounts found by approval code may differ.
    merchant, terminal
        As in the details of the authorization (DE 42, 41).
    """

    transaction_id: str = ""
    trace: str = ""
    rrn: str = ""
    approval_code: str = ""
    acquirer_reference: str = ""
    days: tuple[str, ...] = ()
    tolerance: int = 0
    merchant: str = ""
    terminal: str = ""


class SpendingLimits(msgspec.Struct, frozen=True, gc=False):
    """Per instrument and business day; ``None`` is no limit. `amount` in minor units."""

    day_amount: int | None = None
    day_count: int | None = None


class Command(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every command carries.

    `instrument_id` is what spent (the caller's card), `day` the business day of the spending
    counters as YYYYMMDD, `details` what history should show: never a secret.
    """

    account_id: int
    origin: Origin
    at: int
    instrument_id: int = 0
    day: int = 0
    details: Mapping[str, str] = NO_DETAILS


class Authorize(Command, frozen=True, kw_only=True, gc=False):
    """Decide, and hold what is approved (*Try*).

    Attributes
    ----------
    refusal
        The caller's own reason to decline, already found; the ledger records it, unless one of
        its own reasons takes precedence.
    increment_of
        The authorization whose hold this amount is added to.
    approval_code
        Given to the requester if approved.
    expires_at
        When an uncleared hold ends.
    partial_allowed
        Approve what is there when it is less than the amount.
    limits
        Of the instrument. Spending is counted from the first request that has some.
    points
        What the cardholder may expect if all of the amount is approved.
    repeats_within
        Microseconds. A request of the same transaction id, instrument and fingerprint that came so
        shortly before is this one, whatever its key: it gets that one's answer and no second hold.
    """

    purpose: Purpose
    amount: Money
    approval_code: str
    expires_at: int
    partial_allowed: bool = False
    estimated: bool = False
    refusal: Outcome | None = None
    refusal_reason: str = ""
    limits: SpendingLimits | None = None
    points: int = 0
    increment_of: Reference | None = None
    repeats_within: int = 0


class Advise(Command, frozen=True, kw_only=True, gc=False):
    """Apply what somebody else has decided, even below zero, replacing a decision of our own.

    With `completes`, `amount` is the actual amount of an estimated authorization. `counted` tells
    that the instrument has limits, so that a new hold is counted as spending.
    """

    purpose: Purpose
    amount: Money
    approved: bool
    reference: Reference
    approval_code: str
    expires_at: int
    completes: bool = False
    counted: bool = False
    points: int = 0


class Reverse(Command, frozen=True, kw_only=True, gc=False):
    """Release a hold (*Cancel*), wholly or down to `replacement`.

    Without an original it is kept, and the original is declined should it come later. `withdraws`
    tells that the approval has never reached its network: its repeats are answered WITHDRAWN.
    """

    reference: Reference
    amount: Money
    replacement: Money | None = None
    withdraws: bool = False


class Clear(Command, frozen=True, kw_only=True, gc=False):
    """Post money that has moved (*Confirm*), against a hold or, with none, by force.

    `credit` pays to the cardholder (a refund). `sequence` of `count` tells multiple clearing;
    0 of 0 is a single one. `fee` is charged on top, `points` granted, both in minor units.
    `unless_reversed` posts nothing if the original has been reversed, or its hold released as an
    advice told: it follows its hold at once, and either may have come in between. A record of a
    clearing file has a request key that begins with its acquirer's reference number, as a message's
    begins with its trace.

    `undoes` is the request key of an earlier clearing to be taken back with its fee and points,
    but for `amount`, which stays; what has come back already does not come back again. Blank with
    `undoes_reference` set, the clearing is the one of that acquirer's reference number (TC 25-27).
    """

    reference: Reference
    amount: Money
    credit: bool = False
    sequence: int = 0
    count: int = 0
    fee: int = 0
    points: int = 0
    unless_reversed: bool = False
    undoes: str = ""
    undoes_reference: str = ""


class Fund(Command, frozen=True, kw_only=True, gc=False):
    """Add money from outside the networks: a bank transfer to *Money*, or a gift to *Value*."""

    amount: Money
    to_value: bool = False


class Resolve(Command, frozen=True, kw_only=True, gc=False):
    """A person tells which authorization an unmatched clearing is about, or that there is none.

    `clearing_key` is the clearing's request key, `reference` the authorization; a debit then ends
    its hold, a credit goes from suspense to the wallet. Without a reference a credit in suspense
    is written off to the fees.
    """

    clearing_key: str
    reference: Reference | None = None


class Recall(Command, frozen=True, kw_only=True, gc=False):
    """Read back the answer to an authorization or advice of this origin; it changes nothing.

    The decision is the stored one, `replayed`, or ORIGINAL_UNKNOWN: the request has not been
    decided. For a caller whose connection was lost while it waited.
    """


AnyCommand: TypeAlias = Authorize | Advise | Reverse | Clear | Fund | Resolve | Recall


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The durable answer to one command.

    `amount` is what was approved, held, released or posted, in minor units; `available` and
    `posted` are the wallet's balances when it was decided. `replayed` marks a stored answer;
    everything else in it is equal to the first one's, but for the authorization of a clearing that
    a person has matched in the meantime. `explanation` says why, for a person.
    """

    outcome: Outcome
    authorization_id: int
    account_id: int
    amount: int
    currency: str
    approval_code: str
    available: int
    posted: int
    explanation: str
    replayed: bool = False
