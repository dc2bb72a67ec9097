"""Every answer the ledger gives to an authorization, in order of precedence.

When several reasons to decline hold at once, the one that stands first here is the answer. The
ledger itself finds some of them; the rest are its caller's (`Authorize.refusal`), listed here so
that one table orders them all. The ledger gives them no meaning beyond that.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Outcome(IntEnum):
    """Lower values take precedence. An `Outcome` is stored by its name, never by its number."""

    CONFLICT = 1  # the request key is known, the request is not the same
    ACCOUNT_UNKNOWN = 2
    INSTRUMENT_UNKNOWN = 10
    INSTRUMENT_RESTRICTED = 11
    INSTRUMENT_LOST = 12
    INSTRUMENT_STOLEN = 13
    ACCOUNT_CLOSED = 14
    INSTRUMENT_EXPIRED = 20
    AMOUNT_LIMIT = 30
    COUNT_LIMIT = 31
    NOT_PERMITTED = 40
    CURRENCY_UNSUPPORTED = 41
    REVERSED_BEFORE = 50  # a reversal overtook this request
    ORIGINAL_UNKNOWN = 51  # an increment names a hold that does not exist or has ended
    WITHDRAWN = 52  # approved too late for its network to hear of it, and taken back
    INSUFFICIENT_FUNDS = 60
    FORMAT_INVALID = 70
    TRANSACTION_INVALID = 71
    AMOUNT_INVALID = 72
    APPROVED_PARTIALLY = 90
    APPROVED = 91

    @property
    def approved(self) -> bool:
        """Whether money was promised."""
        return self >= _APPROVED_FROM

    @property
    def transient(self) -> bool:
        """Whether a new request of the same kind may be answered otherwise later."""
        return self in _TRANSIENT


# To look a member up in its class is slow (Python 3.11): what every answer asks is named here.
_APPROVED_FROM = Outcome.APPROVED_PARTIALLY
_TRANSIENT = frozenset(
    {
        Outcome.INSTRUMENT_RESTRICTED,
        Outcome.AMOUNT_LIMIT,
        Outcome.COUNT_LIMIT,
        Outcome.INSUFFICIENT_FUNDS,
    }
)
# An enum works its `name` out at each look; on the way of every answer a table is quicker.
NAMES: Mapping[Outcome, str] = MappingProxyType({each: each.name for each in Outcome})
