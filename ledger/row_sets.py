"""What a batch asks of a database engine, whichever it is: sets of rows, looked up and written.

`sqlite` and `postgresql` each have a `Driver`, which is everything that differs between them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
from sqlalchemy import URL, Connection, Engine, Table

Row: TypeAlias = tuple[Any, ...]
Meanwhile: TypeAlias = Callable[[], None]  # what there is to do while the database works


class Lookup(msgspec.Struct, frozen=True, gc=False):
    """Every row whose `columns` equal one of `keys` (each once); `account_id` is the first.

    With `locked`, which is for accounts, the rows are locked in the order of their ids until the
    transaction ends. With `begins`, the last column need only begin with what the key has,
    and there are at most so many rows for each key: those whose last column is greatest. Of these,
    with `only`, the name of another column, those in which it is what the key has after the others.
    """

    table: Table
    columns: tuple[str, ...]
    keys: Collection[Row]
    locked: bool = False
    begins: int = 0
    only: str = ""


class Insert(msgspec.Struct, frozen=True, gc=False):
    """New rows, values in column order. With `if_missing`, those whose key is taken are left."""

    table: Table
    rows: Sequence[Row]
    if_missing: bool = False


class Update(msgspec.Struct, frozen=True, gc=False):
    """New values of `columns`; each row has them, and then its primary key.

    With `unless_moved`, the name of one of the columns, each row has last what that column had when
    it was read. Where it has another value by now, or there is no such row any more, writing fails
    (`Driver.has_moved`): no column may be NULL, and that is what it would become. Every engine
    knows how to do that in one trip. The table's primary key is one column.
    """

    table: Table
    columns: tuple[str, ...]
    rows: Sequence[Row]
    unless_moved: str = ""


Change: TypeAlias = Insert | Update


class Driver(Protocol):
    """How one engine is opened, asked and written to.

    `lanes` is how many writers it is worth.
    """

    lanes: int

    def check(self, url: URL, *, must_exist: bool) -> None:
        """Raise `ValueError` if `url` is none of this engine's, or what must exist does not."""

    def open_engines(self, url: URL) -> tuple[Engine, Engine]:
        """One for write transactions, one for reading a consistent view."""

    def find(
        self,
        connection: Connection,
        lookups: Sequence[Lookup],
        meanwhile: Meanwhile | None = None,
    ) -> list[list[Row]]:
        """The rows of each look-up, in no particular order; look-ups happen one after another.

        `meanwhile` is called once: while they are waited for, or before.
        """

    def write(
        self, connection: Connection, changes: Sequence[Change], *, commit: bool = False
    ) -> None:
        """Make `changes`, one after another; and commit, if that saves a trip or it is a turn's."""

    def prefer_indexes(self, connection: Connection) -> None:
        """Read no table whole in this transaction where an index leads to the rows."""

    def is_operating_error(self, error: BaseException) -> bool:
        """Whether `error` is the database's trouble rather than one command's."""

    def has_undone(self, error: BaseException, *, committing: bool) -> bool:
        """Whether the failed transaction has certainly not happened and may do so when repeated."""

    def is_key_taken(self, error: BaseException) -> bool:
        """Whether a row was not written because there is one of its key."""

    def has_moved(self, error: BaseException) -> bool:
        """Whether a row has been changed by somebody else since it was read (`Update`)."""

    def is_unknown(self, error: BaseException) -> bool:
        """Whether `error` leaves open if a commit that was asked for has happened."""

    def take_turn(self, connection: Connection) -> Callable[[], None]:
        """Wait for other transactions on it whose commit is not asked for yet.

        What is given back undoes this one, unless its commit was asked for.
        """

    def is_lost(self, connection: Connection) -> bool:
        """Whether nothing more can be asked on it."""


def index_condition(table: Table, columns: tuple[str, ...]) -> str:
    """What the partial index for this look-up asks of its rows `t`; nothing if there is none.

    No engine sees for itself that a key which is not known yet fulfils it: without this the index
    is passed over, and all rows of the account are read.
    """
    for index in table.indexes:
        condition = index.dialect_options["sqlite"]["where"]
        if condition is None:
            continue
        asked = f"{condition}"
        if {column.name for column in index.columns} | {asked.split(maxsplit=1)[0]} == {*columns}:
            return f" AND t.{asked}"
    return ""


def set_and_match(
    table: Table, columns: tuple[str, ...], unless_moved: str, values: Sequence[str]
) -> tuple[str, str]:
    """What an `Update` sets, and which rows `t` it means; `values` stand as in its rows."""
    new = dict(zip(columns, values, strict=False))
    if unless_moved:
        changed, was = new[unless_moved], values[-1]
        new[unless_moved] = f"CASE WHEN t.{unless_moved} = {was} THEN {changed} END"
    keys = zip(table.primary_key.columns, values[len(columns) :], strict=False)
    return (
        ", ".join(f"{name} = {value}" for name, value in new.items()),
        " AND ".join(f"t.{column.name} = {value}" for column, value in keys),
    )


AFTER_ALL = "~"  # what begins with a text lies from the text itself to this after it

_OPTION = "cardrail_driver"
_OUTSIDE = "cardrail_outside"


def with_driver(engine: Engine, driver: Driver) -> Engine:
    """`engine`, whose connections know their driver."""
    return engine.execution_options(**{_OPTION: driver})


def outside(connection: Connection) -> Connection:
    """`connection`, whose look-ups begin no transaction."""
    return connection.execution_options(**{_OUTSIDE: True})


def is_outside(connection: Connection) -> bool:
    """Whether it is for looking up outside of transactions."""
    return bool(connection.get_execution_options().get(_OUTSIDE))


def find(
    connection: Connection, lookups: Sequence[Lookup], meanwhile: Meanwhile | None = None
) -> list[list[Row]]:
    """The rows of each look-up, in no particular order; those without keys cost nothing.

    If something is looked up, `meanwhile` is called while the database does.
    """
    asked = [lookup for lookup in lookups if lookup.keys]
    driver: Driver = connection.get_execution_options()[_OPTION]
    found = iter(driver.find(connection, asked, meanwhile) if asked else ())
    return [next(found) if lookup.keys else [] for lookup in lookups]


def write(connection: Connection, changes: Sequence[Change], *, commit: bool = False) -> None:
    """Make `changes`, one after another; those without rows cost nothing.

    With `commit` they are the transaction's last, which ends here or soon after.
    """
    made = [change for change in changes if change.rows]
    if made or commit:
        driver: Driver = connection.get_execution_options()[_OPTION]
        driver.write(connection, made, commit=commit)


def prefer_indexes(connection: Connection) -> None:
    """Read no table whole in this transaction where an index leads to the rows."""
    driver: Driver = connection.get_execution_options()[_OPTION]
    driver.prefer_indexes(connection)
