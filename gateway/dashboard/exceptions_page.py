"""Clearings that wait for a person, the oldest first, each with its timeline."""

from __future__ import annotations

import asyncio

from fastapi import Request
from nicegui import ui

from gateway.dashboard.acts import SCRIPT, acts
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.frame import frame
from gateway.dashboard.markup import Html, link, path, table, tag, text
from gateway.inspector.words import money, when
from ledger.rows import Clearing
from ledger.unmatched import WaitingPage, waiting_clearings

_MOST = 200


async def exceptions(context: DashboardContext, request: Request) -> None:
    """Build the page for one visitor."""

    def read() -> WaitingPage:
        with context.database.reading() as connection:
            return waiting_clearings(connection, limit=_MOST)

    with frame(request, "Exceptions", "/exceptions"):
        ui.add_head_html(SCRIPT)
        ui.html(_page(await asyncio.to_thread(read)), sanitize=False)


def _page(found: WaitingPage) -> Html:
    count = f"{len(found.rows)}{' and more' if found.next is not None else ''}"
    title = tag("h2", text(f"Clearings without a match: {count}"), class_="question")
    if not found.rows:
        return title + tag(
            "p", "Everything that was cleared has found its authorization.", class_="muted"
        )
    head = ("when", "network", "account", "RRN", ">amount", "what", "why", "suggested", "")
    return title + tag("section", table(head, map(_row, found.rows), "grid stack"), class_="card")


def _row(clearing: Clearing) -> tuple[Html, ...]:
    account, suggested = clearing.account_id, clearing.suggested_id
    left = money(clearing.amount - clearing.returned, clearing.currency)
    return (
        tag("span", text(when(clearing.at)), class_="nowrap"),
        text(clearing.network),
        text(account),
        text(clearing.rrn),
        text(left),
        text("credit in suspense" if clearing.credit else "debit without a hold"),
        text(clearing.explanation.partition(":")[0]),
        link(path("inspect", account, suggested), text(suggested)) if suggested else "",
        link(path("inspect", account, clearing.clearing_id), "inspect") + acts(clearing),
    )
