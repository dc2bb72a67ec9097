"""Accounts as a writer has left them, so that its next batch need not ask for them and lock them.

Most writers are alone with their accounts, and know what they have written. A batch takes out what
it needs: what fails leaves nothing here that it has changed. The database tells of a batch whose
accounts have moved meanwhile, which then has not happened (`Update.unless_moved`). The spending
counters of an account go with it: whatever changes them changes its `last_id`. So do the
transactions that it has had lately.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.recent_transactions import RecentTransactions
from ledger.rows import Account, Spending

_MOST = 40_000  # some 12 MB
_MOST_COUNTERS = 4  # of an account: of several cards, or days


class KeptAccounts:
    """Of one writer. `most` of them, then it begins anew."""

    def __init__(self, most: int = _MOST) -> None:
        self.transactions = RecentTransactions()  # of what is kept
        self._accounts: dict[int, Account] = {}
        self._counters: dict[int, list[Spending]] = {}
        self._most = most

    def take(self, account_ids: Iterable[int]) -> tuple[list[Account], list[Spending]]:
        """Those of the accounts that are here, and from now on are not; and their counters."""
        pop, pop_counters = self._accounts.pop, self._counters.pop
        accounts = [found for each in account_ids if (found := pop(each, None)) is not None]
        if not self._counters:
            return accounts, []
        counters = [counter for each in accounts for counter in pop_counters(each.account_id, ())]
        return accounts, counters

    def look(self, account_ids: Iterable[int]) -> tuple[list[Account], list[Spending]]:
        """The same, but they stay here: nobody may change them."""
        accounts = [
            found for each in account_ids if (found := self._accounts.get(each)) is not None
        ]
        counters = self._counters
        return accounts, [one for each in accounts for one in counters.get(each.account_id, ())]

    def keep(self, accounts: Mapping[int, Account], counters: Iterable[Spending]) -> None:
        """As they have been committed, or are going to be."""
        if len(self._accounts) + len(accounts) > self._most:
            self.forget()
        self._accounts.update(accounts)
        if self._counters:  # which may be older than accounts that were not taken from here
            for account_id in accounts:
                self._counters.pop(account_id, None)
        for counter in counters:
            kept = self._counters.setdefault(counter.account_id, [])
            kept.append(counter)
            del kept[:-_MOST_COUNTERS]

    def forget(self) -> None:
        """Another writer has changed them, or may have."""
        self._accounts.clear()
        self._counters.clear()
        self.transactions.forget()
