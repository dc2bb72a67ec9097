"""What a reconciliation is made of: one kind of line, from statements that sum sets of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    func,
    literal,
    literal_column,
    select,
)


class Section(StrEnum):
    """The parts of a reconciliation, in their order."""

    AUTHORIZATIONS = "authorizations"
    HOLDS = "holds"  # what has become of those made on the day
    CLEARINGS = "clearings"
    MATCHES = "matched by"  # what clearings found their authorizations by
    DIFFERENCES = "cleared against authorized"
    AGEING = "pending holds"  # all of them, by their age on the last day
    UNMATCHED = "unmatched"  # clearings without a hold, old holds without a clearing
    OWING = "owed by"
    OPENING = "opening balance"
    MOVEMENT = "movement"
    CLOSING = "closing balance"


class Line(msgspec.Struct, frozen=True):
    """One fact. `day` is YYYYMMDD, `amount` minor units, `network` blank for what has none."""

    section: Section
    day: int
    network: str
    currency: str
    item: str
    count: int
    amount: int


Text: TypeAlias = ColumnElement[str]
Number: TypeAlias = ColumnElement[int]
Condition: TypeAlias = ColumnElement[bool]
Key: TypeAlias = tuple[Number, Text, Text]  # day, network, currency


def summed(key: Key, item: Text, *sums: ColumnElement[Any]) -> Select[Any]:
    """Rows of day, network, currency, item and sums, one for each item of each day.

    They are grouped by the names given here: to PostgreSQL, an expression with parameters is not
    the same as itself.
    """
    names = ("line_day", "line_network", "line_currency", "line_item")
    columns: list[ColumnElement[Any]] = [*key, item]
    named = [each.label(name) for each, name in zip(columns, names, strict=True)]
    return select(*named, *sums).group_by(*map(literal_column, names))


def number_and_amount(amount: Number, where: Condition | None = None) -> list[ColumnElement[Any]]:
    """Sums: how many rows there are, or of those that are meant, and their amount."""
    if where is None:
        return [func.count(), func.sum(amount)]
    return [func.sum(case((where, 1), else_=0)), func.sum(case((where, amount), else_=0))]


def off_index(column: Number) -> Number:
    """`column`, but for no index to be gone by.

    To read a table once is cheap. A planner without statistics may read it in the order of a key
    instead, or all rows of an account for each row of another table.
    """
    return column + 0


def first_that_holds(table: Iterable[tuple[str, Condition]], otherwise: str) -> Text:
    """The label of the first condition of a table that holds."""
    return case(*((condition, literal(label)) for label, condition in table), else_=otherwise)


def read_lines(
    connection: Connection,
    section: Section,
    statement: Select[Any],
    *parts: str,
    order: Sequence[str],
) -> Iterator[Line]:
    """The lines of `summed` rows, items in `order`; their sums are a number and an amount.

    With `parts`, of each part of the item; a part that no row has makes no line. A part without a
    name is the item itself.
    """
    rows = sorted(connection.execute(statement), key=lambda row: (*row[:3], order.index(row[3])))
    for day, network, currency, item, *sums in rows:
        for part, count, amount in zip(parts or ("",), sums[::2], sums[1::2], strict=True):
            if count:
                named = f"{item}, {part}" if part else item
                yield Line(section, day, network, currency, named, int(count), int(amount))
