"""The inspector's pages: find an RRN, read its timeline."""

from __future__ import annotations

import asyncio

from fastapi import Request
from nicegui import ui

from gateway.api.context import now
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.frame import frame
from gateway.dashboard.markup import Html, link, path, table, tag, text
from gateway.dashboard.parts import Part
from gateway.dashboard.timeline_markup import timeline_page
from gateway.inspector.annotated import Exchange
from gateway.inspector.inspector import RRN_LENGTH, NothingFound
from gateway.inspector.words import clock, money
from ledger.life_cycle import NotRecorded

_LATEST = 50
_SECONDS = 2.0


async def inspect(context: DashboardContext, request: Request, rrn: str = "") -> None:
    """Timelines of an RRN; the latest messages where none is given."""
    wanted = rrn.strip()
    with frame(
        request,
        f"RRN {wanted}" if len(wanted) <= RRN_LENGTH and wanted.isalnum() else "Inspect",
        "/inspect",
    ):
        if not wanted:
            await _follow(context)
            return
        try:
            found = await asyncio.to_thread(context.inspector.explain, wanted, now())
        except NothingFound as nothing:
            _show(_nothing(str(nothing)))
            return
        told = f"{len(found)} of this RRN, each with its own timeline."
        several = tag("p", text(told), class_="muted") if len(found) > 1 else ""
        _show(several + "".join(map(timeline_page, found)))


async def inspect_one(
    context: DashboardContext, request: Request, account_id: int, subject_id: int
) -> None:
    """The timeline of one authorization, reversal or clearing."""
    with frame(request, "Timeline", "/inspect"):
        try:
            found = await asyncio.to_thread(
                context.inspector.timeline, account_id, subject_id, now()
            )
        except NotRecorded as nothing:
            _show(_nothing(str(nothing)))
            return
        _show(timeline_page(found))


async def _follow(context: DashboardContext) -> None:
    """The latest messages, again and again; they keep still while somebody is among them."""
    part = Part(keeps_still=True)

    async def refresh() -> None:
        part.show(_latest(await asyncio.to_thread(context.inspector.latest, _LATEST)))

    await refresh()
    ui.timer(_SECONDS, refresh, immediate=False)


def _show(content: Html) -> None:
    ui.html(content, sanitize=False)


def _nothing(told: str) -> Html:
    return tag(
        "div",
        tag("h2", "Nothing found"),
        tag("p", text(f"{told[0].upper()}{told[1:]}.")),
        tag(
            "p",
            "Is it the RRN (DE 37), twelve characters? Has it come to this gateway?",
            class_="muted",
        ),
        class_="headline warning",
    )


def _latest(exchanges: list[Exchange]) -> Html:
    if not exchanges:
        told = "No message has been kept yet. Search for an RRN above: the ledger is asked as well."
        return tag("div", tag("h2", "Inspect"), tag("p", told, class_="muted"), class_="headline")
    rows = map(_row, reversed(exchanges))
    return tag("h2", "Latest messages", class_="question") + tag(
        "section",
        table(
            ("time", "MTI", "network", "card", "RRN", ">amount", "DE 39", "why"), rows, "grid stack"
        ),
        class_="card",
    )


def _row(exchange: Exchange) -> tuple[Html, ...]:
    record = exchange.record
    tone = "said good" if record.response_code == "00" else "said bad"
    amount = (
        ""
        if record.amount is None or not record.currency
        else money(record.amount, record.currency)
    )
    rrn = link(path("inspect", record.rrn), text(record.rrn)) if record.rrn else ""
    return (
        text(clock(record.at)),
        text(record.mti),
        text(record.network),
        text(record.pan),
        rrn,
        text(amount),
        tag("span", text(record.response_code), class_=tone),
        text(record.explanation),
    )
