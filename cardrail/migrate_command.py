"""`cardrail ledger migrate`: which revision the tables are at, and bringing them to another."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cardrail.migrating import change_revision, current_revision, history, known_revisions
from cardrail.opening import DEFAULT_URL, AsJson, Url, opened
from cardrail.settings import masked_url


def migrate(
    ledger: Url = DEFAULT_URL,
    *,
    to: Annotated[
        str | None, typer.Option(help="Go to this revision, forth or back.", metavar="REVISION")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="List revisions, change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Bring the tables to the newest revision, while no gateway works on them.

    Example: cardrail ledger migrate --show
    """
    with opened(ledger, prepare=lambda _: None) as database:
        before = current_revision(database)
        after = before if show else to or known_revisions()[-1]
        if not show:
            before = change_revision(database, after)
    if json:
        told = {"before": before, "revision": after, "known": msgspec.to_builtins(history())}
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"ledger {masked_url(ledger)} {_told(before, after)}")
    if show:
        for each in history():
            here = "  (here)" if each.revision == after else ""
            typer.echo(f"  {each.revision}  {each.title}{here}")


def _told(before: str, after: str) -> str:
    if not after:
        return "has no tables yet"
    if before == after:
        newest = ", the newest" if after == known_revisions()[-1] else ""
        return f"is at revision {after}{newest}"
    return f"went from {f'revision {before}' if before else 'no tables'} to revision {after}"
