"""The ledger's rows as values: one struct for each table of `tables.py`, fields in column order.

Money is in minor units of the account's currency, times are microseconds since the epoch. States,
outcomes and kinds are stored by name. `Account`, `Hold` and `Spending` change, and
`Authorization.reversed`.
"""

from __future__ import annotations

import msgspec


class Account(msgspec.Struct, gc=False):
    """What an account has. `posted` is the sum of its entries, `version` their number."""

    account_id: int
    kind: str
    network: str
    currency: str
    posted: int
    held: int
    credit_line: int
    version: int

    @property
    def available(self) -> int:
        """What can still be promised."""
        return self.posted - self.held + self.credit_line


class Authorization(msgspec.Struct, gc=False):
    """One decided request or applied advice, with its answer.

    `hold_id` is the authorization whose hold this one made, increased or replaced; 0 for none.
    `requested` is what was asked, `amount` what was promised, `available` and `posted` the
    balances of the answer. `reversed` (1) once a reversal has taken this very message back.
    """

    account_id: int
    authorization_id: int
    hold_id: int
    network: str
    request_key: str
    fingerprint: str
    trace: str
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
    at: int
    details: str
    reversed: int = 0


class Hold(msgspec.Struct, gc=False):
    """Money promised and not yet moved; it has the id of the authorization that made it.

    `amount` is the promise as increments, advices and partial reversals have left it,
    `remaining` what is still held of it, `posted` the sum of its clearings and `parts` their
    number. `counted` is what stands for it in the spending counter of its instrument and day.
    """

    account_id: int
    authorization_id: int
    state: str
    currency: str
    amount: int
    remaining: int
    posted: int
    parts: int
    estimated: int
    instrument_id: int
    day: int
    counted: int
    expires_at: int


class Spending(msgspec.Struct, gc=False):
    """What an instrument has spent on one business day."""

    account_id: int
    instrument_id: int
    day: int
    amount: int
    count: int


class Reversal(msgspec.Struct, frozen=True, gc=False):
    """One reversal and its answer; `early` (1) if its original had not been seen.

    `authorization_id` is the original; 0 if it had not.
    """

    account_id: int
    reversal_id: int
    authorization_id: int
    early: int
    network: str
    request_key: str
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


class Clearing(msgspec.Struct, frozen=True, gc=False):
    """One clearing and its answer: what it matched and why, and how it was posted.

    `authorization_id` is the match, 0 for none; `manner` is one of `clearing.Manner`.
    """

    account_id: int
    clearing_id: int
    authorization_id: int
    hold_id: int
    network: str
    request_key: str
    fingerprint: str
    rrn: str
    manner: str
    credit: int
    outcome: str
    amount: int
    fee: int
    points: int
    currency: str
    approval_code: str
    available: int
    posted: int
    explanation: str
    at: int
    details: str


class Posting(msgspec.Struct, frozen=True, gc=False):
    """A balanced set of entries, kept under the wallet that it is about."""

    account_id: int
    posting_id: int
    clearing_id: int
    kind: str
    at: int


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One change of one account's balance; `version` counts them, `balance` is the new one."""

    account_id: int
    version: int
    posting_id: int
    amount: int
    balance: int
    currency: str
    at: int


class Event(msgspec.Struct, frozen=True, gc=False):
    """A fact for subscribers, written with it; `subject_id` is what it is about.

    `account_id` is the outbox of the wallet's shard, so that a shard's events lie in their order.
    """

    account_id: int
    event_id: int
    type: str
    wallet_id: int
    subject_id: int
    at: int
    data: str
