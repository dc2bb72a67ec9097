"""Positions and reconciliations for people: tables that fit eighty columns, amounts formatted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeAlias, TypeVar

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ledger.money import format_minor_units
from ledger.open_items import OpenItem
from ledger.reconciliation import Reconciliation
from ledger.reconciliation_checks import Check
from ledger.report_lines import Line, Section
from ledger.settlement import SettlementPosition

_OF_THE_GENERAL_LEDGER = (Section.OPENING, Section.MOVEMENT, Section.CLOSING)
_OF_THE_END = (Section.AGEING, Section.UNMATCHED, Section.OWING)
_OF_DAYS = [each for each in Section if each not in (*_OF_THE_END, *_OF_THE_GENERAL_LEDGER)]

Item = TypeVar("Item")
Key = TypeVar("Key", bound=tuple[Any, ...])
Titled: TypeAlias = tuple[str, Table]


def show_positions(found: Sequence[SettlementPosition]) -> None:
    """A table for each network and currency, and what does not agree."""
    console = Console()
    if not found:
        console.print("Nothing was cleared on these days.")
        return
    _show(console, _tables_of_positions(found))
    wrong = [each for each in found if not each.agrees]
    for each in wrong:
        _say(console, _difference(each), "red")
    if not wrong:
        told = "Clearings, entries and balances of the settlement accounts agree."
        _say(console, told, "bold green")


def show_reconciliation(
    found: Reconciliation, items: Sequence[OpenItem], *, limit: int | None = None
) -> None:
    """What was recorded by day and network, what is open, the general ledger, and a verdict.

    `limit` is how many records of each list there are at most, if they are asked for.
    """
    console = Console()
    _show(console, _tables_of_lines(found.lines, _OF_DAYS, ""))
    _show(console, _tables_of_lines(found.lines, _OF_THE_END, "still open, up to"))
    _show(console, _tables_of_the_general_ledger(found.lines))
    _show(console, _tables_of_items(items))
    if limit is not None:
        _say(console, f"Of each list at most {limit:,} records are shown (--limit).")
    wrong = found.disagreements
    if not wrong:
        told = f"Reconciled: {len(found.checks)} checks of records against accounts agree."
        _say(console, told, "bold green")
        return
    _say(console, f"Not reconciled: {len(wrong)} of {len(found.checks)} checks.", "bold red")
    for check in wrong:
        _say(console, f"  {_complaint(check)}", "red")


def _tables_of_positions(found: Iterable[SettlementPosition]) -> Iterator[Titled]:
    for (network, currency), days in _groups(found, lambda each: (each.network, each.currency)):
        table = _table("day", "", "debits", "credits", "taken back", "net owed")
        for each in days:
            amounts = (each.debits, each.credits, each.taken_back, each.net)
            counts = (
                each.debits_count,
                each.credits_count,
                each.taken_back_count,
                each.cleared_count,
            )
            _add(table, _day(each.day), "", *(format_minor_units(n, currency) for n in amounts))
            _add(table, "", "records", *(f"{count:,}" for count in counts))
        yield f"{network}, {currency}", table


def _tables_of_lines(
    lines: Iterable[Line], sections: Sequence[Section], title: str
) -> Iterator[Titled]:
    """A table of some sections for each day, network and currency."""
    chosen = [line for line in lines if line.section in sections]
    for (day, network, currency), group in _groups(
        chosen, lambda line: (line.day, line.network, line.currency)
    ):
        table = _table("", "number", "amount")
        for section in sections:
            _add_section(table, section, [line for line in group if line.section is section])
        yield f"{_joined(title, _day(day), network)}, {currency}", table


def _add_section(table: Table, section: Section, lines: Sequence[Line]) -> None:
    if lines:
        table.add_row(Text(section, style="bold"))
    for line in lines:
        amount = format_minor_units(line.amount, line.currency)
        _add(table, f"  {line.item}", f"{line.count:,}", amount)


def _tables_of_the_general_ledger(lines: Iterable[Line]) -> Iterator[Titled]:
    sections = _OF_THE_GENERAL_LEDGER
    chosen = [line for line in lines if line.section in sections]
    for (day, currency), group in _groups(chosen, lambda line: (line.day, line.currency)):
        table = _table("", *sections)
        for (kind, network), of_kind in _groups(group, lambda line: (line.item, line.network)):
            amounts = [_sum(of_kind, section) for section in sections]
            told = (format_minor_units(amount, currency) for amount in amounts)
            _add(table, _joined(kind, network), *told)
        table.add_section()
        _add(table, "all", *(format_minor_units(_sum(group, each), currency) for each in sections))
        yield f"general ledger of {_day(day)}, {currency}", table


def _sum(lines: Iterable[Line], section: Section) -> int:
    return sum(line.amount for line in lines if line.section is section)


def _tables_of_items(items: Iterable[OpenItem]) -> Iterator[Titled]:
    for (why, network, currency), group in _groups(
        items, lambda item: (item.why, item.network, item.currency)
    ):
        table = _table("day", "account", "authorization", "RRN", "authorized", "amount")
        for each in group:
            suggested = f"{each.suggested_id}?" if each.suggested_id else ""
            _add(
                table,
                _day(each.day),
                str(each.account_id),
                str(each.authorization_id or suggested),
                each.rrn,
                format_minor_units(each.authorized, currency) if each.authorized else "",
                format_minor_units(each.amount, currency),
            )
        yield f"{_joined(why, network)}, {currency}", table


def _difference(found: SettlementPosition) -> str:
    clearings, entries, balances = (
        format_minor_units(amount, found.currency)
        for amount in (found.net, found.entries, found.movement)
    )
    return (
        f"{_day(found.day)} {found.network}, {found.currency}:"
        f" {clearings} by {found.cleared_count:,} clearings,"
        f" {entries} by {found.entries_count:,} entries, {balances} by balances"
    )


def _complaint(check: Check) -> str:
    expected, found = (
        f"{each:,}" if check.counts else format_minor_units(each, check.currency)
        for each in (check.expected, check.found)
    )
    about = _joined(_day(check.day), check.network, check.currency)
    return f"{about}: {check.check}: expected {expected}, found {found}"


def _groups(items: Iterable[Item], key: Callable[[Item], Key]) -> Iterator[tuple[Key, list[Item]]]:
    for shared, group in groupby(sorted(items, key=key), key):
        yield shared, list(group)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for place, heading in enumerate(columns):
        table.add_column(heading, justify="right" if place else "left", overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Cells may have what a network has sent: it is never read as markup."""
    table.add_row(*map(Text, cells))


def _show(console: Console, tables: Iterable[Titled]) -> None:
    for title, table in tables:
        _say(console, title, "bold")
        console.print(table)
        console.print()


def _say(console: Console, told: str, style: str = "") -> None:
    console.print(Text(told, style=style), soft_wrap=True)


def _joined(*words: str) -> str:
    return " ".join(filter(None, words))


def _day(day: int) -> str:
    """YYYYMMDD as 2027-01-15; blank for none."""
    return f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}" if day else ""
