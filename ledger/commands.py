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

NO_DETAILS: Mapping[str, str] = MappingProxyType({})


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
        Identifies the request within account and network; repeats have the same.
    trace
        How a later message would name this one in its DE 90 (STAN, transmission, acquirer).
    transaction_id
        The network's life-cycle identifier; blank where the network has none.
    rrn
        Retrieval reference number.
    fingerprint
        Digest of what must not differ between two requests of one key.
    """

    network: str
    request_key: str
    trace: str
    transaction_id: str
    rrn: str
    fingerprint: str


class Reference(msgspec.Struct, frozen=True, gc=False):
    """How a message names an earlier authorization; what it does not say is blank.

    The parts are tried in this order (DOMAIN 1.9 item 5, 2.5): transaction id; trace (and, on
    networks that have them, nothing else is needed); approval code with RRN or amount.
    """

    transaction_id: str = ""
    trace: str = ""
    rrn: str = ""
    approval_code: str = ""


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
    increment_of: Reference | None = None
    repeats_within: int = 0


class Advise(Command, frozen=True, kw_only=True, gc=False):
    """Apply what somebody else has decided, even below zero, replacing a decision of our own.

    With `completes`, `amount` is the actual amount of an estimated authorization.
    """

    purpose: Purpose
    amount: Money
    approved: bool
    reference: Reference
    approval_code: str
    expires_at: int
    completes: bool = False


class Reverse(Command, frozen=True, kw_only=True, gc=False):
    """Release a hold (*Cancel*), wholly or down to `replacement`.

    Without an original it is kept, and the original is declined should it come later.
    """

    reference: Reference
    amount: Money
    replacement: Money | None = None


class Clear(Command, frozen=True, kw_only=True, gc=False):
    """Post money that has moved (*Confirm*), against a hold or, with none, by force.

    `credit` pays to the cardholder (a refund). `sequence` of `count` tells multiple clearing;
    0 of 0 is a single one. `fee` is charged on top, `points` granted, both in minor units.
    `unless_reversed` posts nothing if the original has been reversed: it follows its hold at once,
    and a reversal may have come in between.

    `undoes` is the request key of an earlier clearing to be taken back with its fee and points,
    but for `amount`, which stays; what has come back already does not come back again.
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


AnyCommand: TypeAlias = Authorize | Advise | Reverse | Clear


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The durable answer to one command.

    `amount` is what was approved, held, released or posted, in minor units; `available` and
    `posted` are the wallet's balances when it was decided. `replayed` marks a stored answer;
    everything else in it is equal to the first one's. `explanation` says why, for a person.
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
