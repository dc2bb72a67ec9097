"""The ledger's rows as values: one struct for each table of `tables.py`, fields in column order.

Money is in minor units of the account's currency, times are microseconds since the epoch, days are
YYYYMMDD. States, outcomes and kinds are stored by name. `Account`, `Hold`, `Spending` and `Points`
change, `Authorization.reversed`, and of a clearing what it matched and has returned.
"""

from __future__ import annotations

import msgspec

REVERSED, WITHDRAWN = 1, 2
REPEAT = "repeat"  # verb of a request that was another one under a new key
REPEATS = "repeats"  # in its details: that one's id


class Account(msgspec.Struct, gc=False):
    """What an account has.

    `posted` is the sum of its entries, `version` their number, and `value` the part of it that is
    *Value* and not *Money*. `owed` is what the house has lent it to stay at `-credit_line`: a
    wallet has money or owes some, never both. `early_at` is when a reversal last came before its
    original; `last_id` the last id that was made about this account.
    """

    account_id: int
    kind: str
    network: str
    currency: str
    posted: int = 0
    held: int = 0
    credit_line: int = 0
    value: int = 0
    owed: int = 0
    early_at: int = 0
    version: int = 0
    last_id: int = 0

    @property
    def available(self) -> int:
        """What can still be promised."""
        return self.posted - self.held + self.credit_line


class Authorization(msgspec.Struct, gc=False):
    """One decided request or applied advice, with its answer.

    `hold_id` is the authorization whose hold this one made, increased or replaced; 0 for none.
    `requested` is what was asked, `amount` what was promised, `available` and `posted` the
    balances of the answer, `day` the business day it was given on. `reversed` is `REVERSED` once a
    reversal has taken this very message back, `WITHDRAWN` if that was the issuer's own, before its
    network had heard of the approval, and their sum after both. `sent_on` is the day that its
    request key tells (`commands.sent_on`).
    """

    account_id: int
    network: str
    request_key: str
    authorization_id: int
    hold_id: int
    fingerprint: str
    transaction_id: str
    rrn: str
    verb: str
    purpose: str
    instrument_id: int
    outcome: str
    requested: int
    amount: int
    currency: str
    approval_code: str
    available: int
    posted: int
    explanation: str
    day: int
    at: int
    details: str
    reversed: int
    sent_on: int

    @property
    def repeats(self) -> int:
        """The authorization that this is only another name of; 0 for one of its own."""
        if self.verb != REPEAT:
            return 0
        details: dict[str, str] = msgspec.json.decode(self.details)
        return int(details[REPEATS])


class Hold(msgspec.Struct, gc=False):
    """Money promised and not yet moved; it has the id of the authorization that made it.

    `amount` is the promise as increments, advices and partial reversals have left it,
    `remaining` what is still held of it, `posted` the sum of its clearings and `parts` their
    number. `money` is what of that was paid from *Money* and has not been refunded. `counted` is
    what stands for it in the spending counter of its instrument and `day`, which is 0 for a hold
    that is not counted. `points` are what the cardholder may expect while it is pending.
    """

    account_id: int
    authorization_id: int
    state: str
    currency: str
    amount: int
    remaining: int
    posted: int
    money: int
    parts: int
    estimated: int
    instrument_id: int
    day: int
    counted: int
    points: int
    expires_at: int


class Spending(msgspec.Struct, gc=False):
    """What an instrument with limits has spent on one business day."""

    account_id: int
    instrument_id: int
    day: int
    amount: int
    count: int


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """One reversal and its answer; `early` (1) if its original had not been seen.

    `authorization_id` is the original, 0 if it had not; `trace` and `transaction_id` name it.
    """

    account_id: int
    network: str
    request_key: str
    reversal_id: int
    authorization_id: int
    early: int
    fingerprint: str
    trace: str
    transaction_id: str
    rrn: str
    outcome: str
    amount: int
    currency: str
    available: int
    posted: int
    explanation: str
    at: int
    details: str


class Clearing(msgspec.Struct, gc=False):
    """One clearing and its answer: what it matched and why, and how it was posted.

    `authorization_id` is the match, 0 for none, and then `suggested_id` one that a person may
    confirm; `manner` is one of `posting.Manner`. `value` is the part that moved *Value*: the
    first units of a debit, the last ones of a credit; `fee_value` is that part of its fee.
    `returned` is what later ones have taken back.
    """

    account_id: int
    network: str
    request_key: str
    clearing_id: int
    authorization_id: int
    hold_id: int
    suggested_id: int
    fingerprint: str
    transaction_id: str
    rrn: str
    manner: str
    credit: int
    outcome: str
    amount: int
    value: int
    returned: int
    fee: int
    points: int
    currency: str
    approval_code: str
    available: int
    posted: int
    explanation: str
    day: int
    at: int
    details: str
    fee_value: int = 0


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One change of one account's balance; `version` counts them, `balance` is the new one.

    The entries of one posting share its id, which is that of the clearing it came from, and sum
    to zero in each currency. `value` is the change of the account's *Value*.
    """

    account_id: int
    version: int
    posting_id: int
    kind: str
    amount: int
    value: int
    balance: int
    currency: str
    day: int
    at: int


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """What one transaction tells subscribers, written with it: `data` is a JSON array of events.

    `account_id` is the outbox of a shard. `sequence` is 0 until a reader has numbered the row.
    """

    account_id: int
    event_id: int
    sequence: int
    data: str


class Position(msgspec.Struct, frozen=True, gc=False):
    """How far a reader has come in a shard's outbox: the last sequence that it has passed."""

    account_id: int
    reader: str
    sequence: int


class Points(msgspec.Struct, gc=False):
    """What a hold has brought its cardholder: `pending` until it is cleared, then `confirmed`."""

    account_id: int
    hold_id: int
    pending: int
    confirmed: int


class Request(msgspec.Struct, frozen=True, gc=False):
    """Where an authorization is, found by its RRN; `account_id` is the RRN's own bucket."""

    account_id: int
    rrn: str
    network: str
    wallet_id: int
    authorization_id: int
    request_key: str
