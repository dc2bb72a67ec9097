"""Accounts as a writer has left them, so that its next batch need not ask for them and lock them.

Most writers are alone with their accounts, and know what they have written. A batch takes out what
it needs: what fails leaves nothing here that it has changed. The database tells of a batch whose
accounts have moved meanwhile, which then has not happened (`Update.unless_moved`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.rows import Account

_MOST = 50_000  # some 15 MB


class KeptAccounts:
    """Of one writer. `most` of them, then it begins anew."""

    def __init__(self, most: int = _MOST) -> None:
        self._accounts: dict[int, Account] = {}
        self._most = most

    def take(self, account_ids: Iterable[int]) -> list[Account]:
        """Those of the accounts that are here, and from now on are not."""
        pop = self._accounts.pop
        return [found for each in account_ids if (found := pop(each, None)) is not None]

    def keep(self, accounts: Mapping[int, Account]) -> None:
        """As they have been committed."""
        if len(self._accounts) + len(accounts) > self._most:
            self._accounts.clear()
        self._accounts.update(accounts)

    def forget(self) -> None:
        """Another writer has changed them, or may have."""
        self._accounts.clear()
