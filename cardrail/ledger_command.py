"""`cardrail ledger`: make a ledger, fill it with test accounts, read it, audit it, expire holds."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from cardrail.migrate_command import migrate
from cardrail.migrating import bring_up_to_date
from cardrail.opening import DEFAULT_URL, AsJson, Url, fail, opened
from cardrail.report_command import position, reconcile
from cardrail.seeding import Issuing, seed_wallets
from cardrail.settings import masked_url, read_settings
from ledger.audit import AuditReport, audit
from ledger.house import AccountKind
from ledger.ledger import Ledger
from ledger.money import format_minor_units
from ledger.reports import AccountUnknown, Statement, list_accounts, statement
from ledger.requests import find_by_rrn, read_authorization
from ledger.rows import Account, Authorization

ledger_app = typer.Typer(
    name="ledger", help="Make, fill, read and audit the ledger.", no_args_is_help=True
)
for _command in (migrate, position, reconcile):
    ledger_app.command()(_command)


@ledger_app.command()
def init(ledger: Url = DEFAULT_URL, *, json: AsJson = False) -> None:
    """Make the tables, or bring them to the newest revision; what is in them stays.

    Example: cardrail ledger init --ledger sqlite:///cardrail.db
    """
    with opened(ledger, is_made=True, prepare=bring_up_to_date):
        pass
    shown = masked_url(ledger)
    _print({"ledger": shown}, f"ledger {shown} is ready", json=json)


@ledger_app.command()
def seed(
    ledger: Url = DEFAULT_URL,
    *,
    accounts: Annotated[int, typer.Option(min=1, help="How many.")] = 1000,
    balance: Annotated[int, typer.Option(min=0, help="Opening balance in yen.")] = 1_000_000,
    json: AsJson = False,
) -> None:
    """Open test wallets 1..N with one card each; what is there stays.

    Card i has the PAN 400000, i as nine digits, check digit; expiry 3012.

    Example: cardrail ledger seed --accounts 1000 --balance 1000000
    """
    started = time.monotonic()
    with opened(ledger, is_made=True, prepare=bring_up_to_date) as database:
        settings = read_settings(ledger=ledger)
        issuing = Issuing(settings.vault(), settings.test_bins.split(","))
        wallets, issued = seed_wallets(database, issuing, accounts, balance)
    seconds = round(time.monotonic() - started, 3)
    told = f"{wallets} accounts opened, {issued} cards issued in {seconds:.1f} s"
    if not wallets and not issued:
        told = f"nothing added: all {accounts} accounts and cards are there"
    _print({"opened": wallets, "issued": issued, "seconds": seconds}, told, json=json)


@ledger_app.command("accounts")
def accounts_(
    ledger: Url = DEFAULT_URL,
    *,
    kind: Annotated[AccountKind | None, typer.Option(help="Only accounts of this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
    json: AsJson = False,
) -> None:
    """List accounts with their balances, in minor units.

    Example: cardrail ledger accounts --kind settlement
    """
    with opened(ledger) as database, database.reading() as connection:
        found = list_accounts(connection, kind=kind, limit=limit, offset=offset)
    rows = [_account_object(account) for account in found]
    lines = [_ACCOUNT_LINE.format(*_ACCOUNT_TITLES)]
    lines += [_ACCOUNT_LINE.format(*row.values()) for row in rows]
    _print({"accounts": rows}, "\n".join(lines), json=json)


@ledger_app.command("statement")
def statement_(
    account: Annotated[int, typer.Argument(help="The account's id.")],
    ledger: Url = DEFAULT_URL,
    *,
    limit: Annotated[int, typer.Option(min=1, help="The latest entries, at most.")] = 100,
    json: AsJson = False,
) -> None:
    """Show an account's entries with the running balance, its pending holds, and its points.

    Example: cardrail ledger statement 1
    """
    with opened(ledger) as database, database.reading() as connection:
        try:
            found = statement(connection, account, limit=limit)
        except AccountUnknown as error:
            fail(str(error))
    _print(msgspec.to_builtins(found), _statement_text(found), json=json)


@ledger_app.command()
def find(
    rrn: Annotated[str, typer.Argument(help="The retrieval reference number (DE 37).")],
    ledger: Url = DEFAULT_URL,
    *,
    network: Annotated[str, typer.Option(help="Only of this network.")] = "",
    json: AsJson = False,
) -> None:
    """Show the authorizations of an RRN, whatever account they are on.

    Those that `cardrail jobs` has come by since. Example: cardrail ledger find 534217000123
    """
    with opened(ledger) as database, database.reading() as connection:
        found = [
            read_authorization(connection, request)
            for request in find_by_rrn(connection, rrn, network=network)
        ]
    if not found:
        fail("no authorization with that RRN is known (`cardrail jobs` makes them known)")
    rows = [_authorization_object(each) for each in found]
    lines = [_AUTHORIZATION_LINE.format(*_AUTHORIZATION_TITLES)]
    lines += [_AUTHORIZATION_LINE.format(*row.values()) for row in rows]
    _print({"authorizations": rows}, "\n".join(lines), json=json)


@ledger_app.command("audit")
def audit_(ledger: Url = DEFAULT_URL, *, json: AsJson = False) -> None:
    """Replay entries and holds against the balances; exit 1 if anything disagrees.

    Example: cardrail ledger audit --ledger sqlite:///cardrail.db
    """
    with opened(ledger) as database, database.reading() as connection:
        report = audit(connection)
    _print({"clean": report.clean, **msgspec.to_builtins(report)}, audit_text(report), json=json)
    if not report.clean:
        raise typer.Exit(1)


@ledger_app.command()
def expire(
    ledger: Url = DEFAULT_URL,
    *,
    at: Annotated[
        datetime | None, typer.Option(help="Expire as of this time (UTC) instead of now.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Release the holds that are past their time, once; `cardrail jobs` does so all the time.

    Example: cardrail ledger expire
    """
    now = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    with opened(ledger) as database:
        count = Ledger(database).expire(int(now.timestamp()) * 1_000_000)
    _print({"expired": count}, f"{count} holds expired", json=json)


_ACCOUNT_TITLES = ("account", "kind", "network", "cur", "posted", "held", "available")
_ACCOUNT_LINE = "{:>19} {:10} {:8} {:3} {:>16} {:>16} {:>16}"


def _account_object(account: Account) -> dict[str, str | int]:
    return {
        "account_id": account.account_id,
        "kind": account.kind,
        "network": account.network,
        "currency": account.currency,
        "posted": account.posted,
        "held": account.held,
        "available": account.available,
    }


_AUTHORIZATION_TITLES = (
    "network", "account", "authorization", "at", "verb", "requested", "amount", "cur", "outcome",
    "request key",
)  # fmt: skip
_AUTHORIZATION_LINE = "{:8} {:>19} {:>19} {:20} {:9} {:>15} {:>15} {:3} {:18} {}"


def _authorization_object(row: Authorization) -> dict[str, str | int]:
    return {
        "network": row.network,
        "account_id": row.account_id,
        "authorization_id": row.authorization_id,
        "at": _time(row.at),
        "verb": row.verb,
        "requested": row.requested,
        "amount": row.amount,
        "currency": row.currency,
        "outcome": row.outcome,
        "request_key": row.request_key,
    }


def _statement_text(found: Statement) -> str:
    account = found.account
    currency = account.currency
    lines = [f"account {account.account_id}, {account.kind}, {currency}", ""]
    lines += [
        f"{line.version:>8} {_time(line.at)} {line.kind:10}"
        f" {format_minor_units(line.amount, currency):>14}"
        f" {format_minor_units(line.balance, currency):>14}  {line.explanation}".rstrip()
        for line in found.lines
    ]
    lines += ["", f"pending holds: {len(found.pending)}"]
    lines += [
        f"  {hold.authorization_id} {format_minor_units(hold.remaining, currency):>14}"
        f" until {_time(hold.expires_at)}"
        for hold in found.pending
    ]
    names = ("posted", "held", "available")
    told = (f"{name} {format_minor_units(getattr(account, name), currency)}" for name in names)
    lines += ["", ", ".join(told)]
    if account.kind == AccountKind.WALLET:
        had = found.points
        lines.append(f"points: {had.pending:,} pending, {had.confirmed:,} confirmed")
    return "\n".join(lines)


def audit_text(report: AuditReport) -> str:
    """What was audited and what disagrees, a line each."""
    lines = [
        f"{each.subject}: {each.check}: expected {each.expected}, found {each.found}"
        for each in report.disagreements
    ]
    rows = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count)
    lines.append(f"audited {rows}")
    count = len(lines) - 1
    lines.append("the books balance" if report.clean else f"{count} disagreements")
    return "\n".join(lines)


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(value: dict[str, object], text: str, *, json: bool) -> None:
    """Data goes to stdout, as text or as JSON."""
    typer.echo(msgspec.json.encode(value).decode() if json else text)
