"""What is told about each answer: one record, without a secret, for logs and comparisons."""

from __future__ import annotations

import msgspec


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One answered message.

    `at` is when the request came (microseconds since the epoch), `amount` minor units of
    `currency` (ISO 4217 letters) as approved, held, released or posted, or as asked for where the
    ledger was not asked; `outcome` the name of a `ledger.outcomes.Outcome`, or UNAVAILABLE.
    """

    at: int
    network: str
    mti: str
    transmission: str = ""
    stan: str = ""
    rrn: str = ""
    transaction_id: str = ""
    pan: str = ""  # masked
    amount: int | None = None
    currency: str = ""
    response_code: str
    outcome: str
    explanation: str = ""
    approval_code: str = ""
    replayed: bool = False
    account_id: int = 0
    authorization_id: int = 0
    elapsed_ms: float = 0.0
