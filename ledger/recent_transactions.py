"""The transaction ids that a writer has met lately, so that it need not look for them.

A tap is the same as one that came a moment ago under another key, if there is one
(`Authorize.repeats_within`); there hardly ever is. Who keeps an account knows all that has been
recorded about it since, and its last id tells when the latest was before that. What is
remembered may be too much, which costs a look-up; never too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.ids import made_at
from ledger.rows import Authorization

_MOST = 39_000  # transactions of a generation, 3 MB; with a few more, a set takes twice as much
_ID_PRECISION = 1000  # microseconds
_NEVER = -(1 << 62)


class RecentTransactions:
    """Of one writer. `most` of them in a generation; there are two, and the older one goes."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._unknown_until: dict[int, int] = {}  # by account, microseconds
        self._met: set[int] = set()
        self._met_before: set[int] = set()
        self._latest = self._latest_before = self._forgotten_until = _NEVER

    def may_have(self, account_id: int, transaction_id: str, at: int, within: int) -> bool:
        """Whether a transaction of that id may have been recorded `within` so long before `at`.

        Times are in microseconds. The account is one that the writer has kept.
        """
        since = at - within
        if since <= self._forgotten_until or since <= self._unknown_until.get(account_id, since):
            return True
        name = hash((account_id, transaction_id))
        return name in self._met or name in self._met_before

    def know(self, last_ids: Mapping[int, int]) -> None:
        """Of accounts that were read their last ids."""
        for account_id, last_id in last_ids.items():
            self._unknown_until[account_id] = made_at(last_id) + _ID_PRECISION

    def add(self, rows: Iterable[Authorization]) -> None:
        """What is recorded now."""
        for row in rows:
            self._met.add(hash((row.account_id, row.transaction_id)))
            self._latest = max(self._latest, row.at)
        if len(self._met) > self._most:
            self._forgotten_until = max(self._forgotten_until, self._latest_before)
            self._met_before, self._latest_before = self._met, self._latest
            self._met, self._latest = set(), _NEVER

    def forget(self) -> None:
        """Accounts are no longer kept."""
        self._unknown_until.clear()
