"""`cardrail explain`: what became of an authorization and why, in the terminal."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import typer

from cardrail.explain_text import show_timeline
from cardrail.opening import DEFAULT_URL, AsJson, Url, fail, opened
from cardrail.settings import SettingsError, read_settings
from gateway.inspector.inspector import Inspector, NothingFound
from gateway.inspector.journal import FILE_NAME
from ledger.life_cycle import NotRecorded


def explain(
    rrn: Annotated[
        str, typer.Argument(help="Retrieval reference number (DE 37); with --account, also an id.")
    ],
    ledger: Url = DEFAULT_URL,
    *,
    account: Annotated[
        int | None, typer.Option(help="The argument is an id of this account's.")
    ] = None,
    network: Annotated[str, typer.Option(help="Only of this network.")] = "",
    frames: Annotated[
        bool, typer.Option("--frames", help="Show the messages, each byte annotated, masked.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show an authorization as a timeline: why declined, why unmatched, where the money went.

    Messages are shown where `cardrail ops` was there to keep them. Examples:
    cardrail explain 632601000101; cardrail explain 412345678901234 --account 17
    """
    try:
        settings = read_settings(ledger=ledger)
    except SettingsError as error:
        fail(f"cardrail explain: {error}")
    now = time.time_ns() // 1000
    with opened(ledger) as database:
        inspector = Inspector(database, settings.runtime / FILE_NAME)
        try:
            if account is None:
                found = inspector.explain(rrn, now, network=network)
            else:
                found = [inspector.timeline(account, _number(rrn), now)]
        except (NothingFound, NotRecorded) as error:
            fail(str(error))
    if json:
        typer.echo(msgspec.json.encode({"timelines": found}).decode())
        return
    for timeline in found:
        show_timeline(timeline, frames=frames)


def _number(text: str) -> int:
    if not text.isdecimal():
        fail("with --account, expected the id of an authorization, reversal or clearing")
    return int(text)
