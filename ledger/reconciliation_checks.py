"""What must be equal for the books to be reconciled, as numbers side by side.

Each check sets a sum of records against a sum of accounts, entries or balances that was kept apart
from it. Those without a day are about the ledger as it stands. Whose account it is that disagrees,
the audit tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, case, func, select

from ledger.general_ledger import Turnover
from ledger.house import AccountKind
from ledger.posting import Manner
from ledger.recorded import AUTHORIZED, MISSING
from ledger.report_lines import Line, Section
from ledger.settlement import DEBITS, SettlementPosition
from ledger.states import HoldState
from ledger.tables import accounts, clearings, holds


class Check(msgspec.Struct, frozen=True):
    """Two numbers that must be equal: amounts in minor units, or with `counts`, numbers of records.

    `day` is 0 and `network` blank for what has none.
    """

    check: str
    day: int
    network: str
    currency: str
    expected: int
    found: int
    counts: bool = False

    @property
    def agrees(self) -> bool:
        """Whether they are."""
        return self.expected == self.found


def checks_of_positions(positions: Sequence[SettlementPosition]) -> Iterator[Check]:
    """Clearings, entries and running balances of settlement, for each day and network."""
    for each in positions:
        key = each.day, each.network, each.currency
        yield Check(
            "settlement entries are as many as clearings",
            *key,
            each.cleared_count,
            each.entries_count,
            counts=True,
        )
        yield Check("settlement entries sum to the clearings", *key, each.net, each.entries)
        yield Check("settlement balances moved by the clearings", *key, each.net, each.movement)


def checks_of_holds(lines: Sequence[Line]) -> Iterator[Check]:
    """Every authorization that made a hold has it."""
    made: Counter[tuple[int, str, str]] = Counter()
    missing: Counter[tuple[int, str, str]] = Counter()
    for line in lines:
        state, _, part = line.item.partition(", ")
        if line.section is Section.HOLDS and part == AUTHORIZED:
            key = line.day, line.network, line.currency
            made[key] += line.count
            missing[key] += line.count if state == MISSING else 0
    for key, count in made.items():
        yield Check(
            "authorizations have their holds", *key, count, count - missing[key], counts=True
        )


def checks_of_general_ledger(lines: Sequence[Line]) -> Iterator[Check]:
    """What has moved on a day, and what is there after it, sums to zero."""
    for section in (Section.MOVEMENT, Section.CLOSING):
        sums: Counter[tuple[int, str]] = Counter()
        for line in lines:
            if line.section is section:
                sums[line.day, line.currency] += line.amount
        for (day, currency), amount in sums.items():
            yield Check(f"{section} of all accounts sums to zero", day, "", currency, 0, amount)


def checks_of_today(connection: Connection, found: Sequence[Turnover]) -> Iterator[Check]:
    """The accounts as they stand against entries, holds and clearings."""
    replayed: Counter[tuple[str, str]] = Counter()
    for each in found:
        replayed[each.currency, each.kind] += each.amount
    posted, held, owed = _accounts(connection)
    for currency, kind in sorted({*posted, *replayed}):
        key = currency, kind
        told = f"{kind} accounts have what their entries sum to"
        yield Check(told, 0, "", currency, replayed[key], posted[key])
    pending, posted_of_holds = _holds(connection)
    cleared, suspense, fees = _clearings(connection)
    for currency in sorted({currency for currency, _ in posted}):
        receivable = posted[currency, AccountKind.RECEIVABLE.value]
        for told, expected, kept in (
            ("held is what pending holds have left", pending[currency], held[currency]),
            ("holds know what was cleared", cleared[currency], posted_of_holds[currency]),
            ("receivable is what wallets owe", -owed[currency], receivable),
            (
                "suspense is what waits there",
                suspense[currency],
                posted[currency, AccountKind.SUSPENSE.value],
            ),
            (
                "fees are those of the clearings",
                fees[currency],
                posted[currency, AccountKind.FEE.value],
            ),
        ):
            yield Check(told, 0, "", currency, expected, kept)


def _accounts(
    connection: Connection,
) -> tuple[Counter[tuple[str, str]], Counter[str], Counter[str]]:
    """Posted by currency and kind; held and owed by currency."""
    table = accounts.c
    sums = [func.sum(each) for each in (table.posted, table.held, table.owed)]
    statement = select(table.currency, table.kind, *sums).group_by(table.currency, table.kind)
    posted: Counter[tuple[str, str]] = Counter()
    held: Counter[str] = Counter()
    owed: Counter[str] = Counter()
    for currency, kind, *told in connection.execute(statement):
        posted[currency, kind], more_held, more_owed = map(int, told)
        held[currency] += more_held
        owed[currency] += more_owed
    return posted, held, owed


def _holds(connection: Connection) -> list[Counter[str]]:
    """What pending ones have left, and what was posted of all; by currency."""
    pending = holds.c.state == HoldState.PENDING.value
    left = case((pending, holds.c.remaining), else_=0)
    return _by_currency(connection, holds.c.currency, left, holds.c.posted)


def _clearings(connection: Connection) -> list[Counter[str]]:
    """Still posted against holds, waiting in suspense, earned as fees; by currency."""
    table = clearings.c
    left = table.amount - table.returned
    against_hold = table.manner.in_(DEBITS) & (table.hold_id != 0)
    fee = case((table.manner == Manner.UNDONE.value, -table.fee), else_=table.fee)
    return _by_currency(
        connection,
        table.currency,
        case((against_hold, left), else_=0),
        case((table.manner == Manner.SUSPENSE.value, left), else_=0),
        fee + case((table.manner == Manner.WRITTEN_OFF.value, left), else_=0),
    )


def _by_currency(
    connection: Connection, currency: ColumnElement[str], *amounts: ColumnElement[int]
) -> list[Counter[str]]:
    statement = select(currency, *map(func.sum, amounts)).group_by(currency)
    rows = connection.execute(statement).all()
    return [
        Counter({row[0]: int(row[place]) for row in rows}) for place in range(1, len(amounts) + 1)
    ]
