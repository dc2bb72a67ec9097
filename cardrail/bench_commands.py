"""The commands that a ledger is measured with: purchases and their clearings, from one seed."""

from __future__ import annotations

import random

from ledger.commands import Authorize, Clear, Origin, Purpose, Reference, SpendingLimits
from ledger.money import Money

AT = 1_800_000_000_000_000  # microseconds since the epoch
DAY = 20270115
_AMOUNT = Money(500, "JPY")


class Load:
    """Commands as the gateway makes them, from one seed."""

    def __init__(self, *, seed: int, accounts: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - the same load again is the point
        self._accounts = accounts
        self._number = 0

    def holds(
        self, count: int, account_id: int | None = None, limits: SpendingLimits | None = None
    ) -> list[Authorize]:
        """Purchases on accounts at random, or all on one; with limits, if their cards have some."""
        return [self._hold(account_id, limits) for _ in range(count)]

    def clearing(self, hold: Authorize) -> Clear:
        """The clearing record of a purchase."""
        return Clear(
            account_id=hold.account_id,
            origin=self._origin(""),
            at=hold.at,
            reference=Reference(hold.origin.transaction_id, rrn=hold.origin.rrn),
            amount=hold.amount,
            day=DAY,
            points=5,
        )

    def _hold(self, account_id: int | None, limits: SpendingLimits | None) -> Authorize:
        account_id = account_id or self._chance.randint(1, self._accounts)
        return Authorize(
            account_id=account_id,
            origin=self._origin(f"4{self._number:014d}"),
            at=AT + self._number * 20,
            instrument_id=account_id,
            day=DAY,
            details={"merchant": "KONBINI SHIBUYA 1", "country": "392"},
            purpose=Purpose.PURCHASE,
            amount=_AMOUNT,
            approval_code=f"{self._number % 1_000_000:06d}",
            expires_at=AT + 7 * 86_400_000_000,
            limits=limits,
            points=5,
        )

    def _origin(self, transaction_id: str) -> Origin:
        self._number += 1
        second, stan = divmod(self._number, 1_000_000)
        trace = f"{DAY % 10_000:04d}{second:06d}{stan:06d}400552"
        key, rrn = f"{trace}|00:{self._number:012d}:7", f"{self._number:012d}"
        return Origin("visanet", key, transaction_id, rrn, f"000000:500:392:M{self._number:014d}")
