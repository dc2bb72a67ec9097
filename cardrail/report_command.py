"""`cardrail ledger position` and `reconcile`: what networks are owed, and whether all agrees."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from cardrail.opening import DEFAULT_URL, Url, opened
from cardrail.settings import read_settings
from gateway.business_day import BusinessCalendar
from ledger.open_items import OpenItem, open_items
from ledger.reconciliation import PENDING_DAYS, Reconciliation
from ledger.reconciliation import reconcile as reconcile_days
from ledger.report_lines import Line
from ledger.settlement import SettlementPosition, Within, settlement_positions


class Format(StrEnum):
    """How a report is printed: formatted for people, or in minor units for programs."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


_DAYS = ["%Y-%m-%d", "%Y%m%d"]
FormatOption = Annotated[
    Format, typer.Option("--format", help="JSON and CSV have minor units and days as YYYYMMDD.")
]


def position(
    ledger: Url = DEFAULT_URL,
    *,
    network: Annotated[str | None, typer.Option(help="Only this network.")] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", help="First business day.", metavar="DAY", formats=_DAYS),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option("--to", help="Last business day.", metavar="DAY", formats=_DAYS),
    ] = None,
    how: FormatOption = Format.TABLE,
) -> None:
    """Tell what is owed to each network for each business day, or due from it.

    Exits with 1 if clearings, entries and balances of a day do not tell the same.

    Example: cardrail ledger position --network visanet --from 2027-01-01
    """
    within = Within(_number(first), _number(last), network)
    with opened(ledger) as database, database.reading() as connection:
        found = settlement_positions(connection, within)
    agree = all(each.agrees for each in found)
    rows = [_position_object(each) for each in found]
    if how is Format.TABLE:
        from cardrail.report_tables import show_positions

        show_positions(found)
    elif how is Format.JSON:
        _print_json({"agree": agree, "positions": rows})
    else:
        _print_csv(_position_object(SettlementPosition(day=0, network="", currency="")), rows)
    raise typer.Exit(0 if agree else 1)


def reconcile(
    ledger: Url = DEFAULT_URL,
    *,
    day: Annotated[
        list[datetime] | None,
        typer.Option(help="Business day; again for more; else today.", formats=_DAYS),
    ] = None,
    pending_days: Annotated[
        int, typer.Option(min=0, help="List holds that are pending for more days than that.")
    ] = PENDING_DAYS,
    details: Annotated[
        bool, typer.Option("--details", help="Name the records behind it; CSV has only these.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Records of each list, at most.")] = 100,
    how: FormatOption = Format.TABLE,
) -> None:
    """Set authorizations, clearings and general ledger of business days side by side.

    Exits with 1 if anything that should be equal is not.

    Example: cardrail ledger reconcile --day 2027-01-15 --day 2027-01-16 --details
    """
    days = [int(f"{each:%Y%m%d}") for each in day or ()] or [_today(ledger)]
    with opened(ledger) as database, database.reading() as connection:
        found = reconcile_days(connection, days, pending_days=pending_days)
        items: list[OpenItem] = []
        if details:
            items += open_items(connection, found.days, pending_days, limit=limit)
    if how is Format.TABLE:
        from cardrail.report_tables import show_reconciliation

        show_reconciliation(found, items, limit=limit if details else None)
    elif how is Format.JSON:
        _print_json(_reconciliation_object(found, items if details else None))
    else:
        kind: type[msgspec.Struct] = OpenItem if details else Line
        rows = [msgspec.to_builtins(each) for each in (items if details else found.lines)]
        _print_csv([field.name for field in msgspec.structs.fields(kind)], rows)
        for check in found.disagreements:
            typer.echo(f"not reconciled: {msgspec.json.encode(check).decode()}", err=True)
    raise typer.Exit(0 if found.reconciled else 1)


def _number(day: datetime | None) -> int | None:
    return None if day is None else int(f"{day:%Y%m%d}")


def _today(ledger: str) -> int:
    offset = read_settings(ledger=ledger).business_day_offset_minutes
    return BusinessCalendar(offset).day(time.time_ns() // 1000).number


def _position_object(found: SettlementPosition) -> dict[str, str | int | bool]:
    return {**msgspec.to_builtins(found), "net": found.net, "agrees": found.agrees}


def _reconciliation_object(
    found: Reconciliation, items: Sequence[OpenItem] | None
) -> dict[str, Any]:
    told = {"reconciled": found.reconciled, **msgspec.to_builtins(found)}
    told["checks"] = [{**msgspec.to_builtins(each), "agrees": each.agrees} for each in found.checks]
    if items is not None:
        told["details"] = msgspec.to_builtins(items)
    return told


def _print_json(value: Mapping[str, Any]) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def _print_csv(
    header: Mapping[str, Any] | Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    writer = csv.DictWriter(sys.stdout, list(header), lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **_flags(row)} for row in rows)


def _flags(row: Mapping[str, Any]) -> dict[str, str]:
    """As JSON writes them."""
    return {name: str(value).lower() for name, value in row.items() if isinstance(value, bool)}
