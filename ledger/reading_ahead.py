"""What a batch needs beside its accounts, read while the batch before it is still being written.

It is read on another connection, in no transaction, so that it does not wait behind that one's
commit. That is as good as reading after it for an account that is kept (`kept`) and that no batch
under way is about: whatever changes its rows changes its last id, which is compared here when the
rows are used, and by the database when the batch is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ledger.book import Book
from ledger.commands import AnyCommand, Authorize

_WORTH_A_TRIP = 2  # of no more commands than these one tells of an earlier one


def is_worth_a_trip(commands: Sequence[AnyCommand]) -> bool:
    """Whether most need something: else they are decided while it is read in its turn."""
    about_earlier = sum(not isinstance(command, Authorize) for command in commands)
    return about_earlier * _WORTH_A_TRIP >= len(commands)


class ReadAhead:
    """Rows that deciding some commands needs. One book may have them, which changes them."""

    def __init__(self, book: Book, commands: Collection[AnyCommand]) -> None:
        self._book = book
        self._commands = set(map(id, commands))

    def covers(self, command: AnyCommand, book: Book) -> bool:
        """Whether all that `command` needs beside its account was read, and has stayed the same."""
        account_id = command.account_id
        return id(command) in self._commands and self._is_as_it_was(account_id, book)

    def give(self, book: Book) -> None:
        """Put into `book` what is still as it was."""
        accounts = {each for each in self._book.accounts if self._is_as_it_was(each, book)}
        read = self._book
        tables: tuple[tuple[Mapping[Any, Any], Callable[[Any], None]], ...] = (
            (read.authorizations, book.learn_authorization),
            (read.reversals, book.learn_reversal),
            (read.clearings, book.learn_clearing),
            (read.holds, book.learn_hold),
            (read.spending, book.learn_counter),
        )
        for rows, learn in tables:
            for row in rows.values():
                if row.account_id in accounts:
                    learn(row)

    def _is_as_it_was(self, account_id: int, book: Book) -> bool:
        last_id = self._book.last_ids[account_id]
        return account_id in book.unread_accounts and book.last_ids[account_id] == last_id
