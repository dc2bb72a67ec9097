"""The first page: is it healthy, how busy is it, why. It follows by itself: declines at once."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from nicegui import ui

from gateway.dashboard import overview_markup as markup
from gateway.dashboard.alerts import alerts
from gateway.dashboard.charts import latency_chart, rate_chart
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.frame import frame
from gateway.dashboard.parts import Part

_SECONDS = 0.2
_FIGURES_TURNS, _CHART_TURNS = 4, 10
_FIVE_MINUTES = 300.0


def overview(context: DashboardContext, request: Request) -> None:
    """Build the page for one visitor."""
    with frame(request, "Overview", "/"):
        page = _Overview(context)
    ui.timer(_SECONDS, page.refresh)
    context.declines.changed.subscribe(page.show_declines)


class _Overview:
    """The elements of one visitor's page; only what has changed is sent."""

    def __init__(self, context: DashboardContext) -> None:
        self._context = context
        self._turns = 0
        self._verdict = Part("verdict", live="polite")
        _question("Is it healthy?")
        self._lamps = Part("lamps")
        _question("How busy is it?")
        self._tiles = Part("tiles")
        with ui.element("div").classes("pair"):
            self._rate = _chart("Answers a second", rate_chart(()))
            self._latency = _chart("Milliseconds to an answer (dashed: p50)", latency_chart(()))
        _question("Why?")
        with ui.element("div").classes("why"):
            with ui.element("div"):
                self._alerts = _card("Alerts")
                self._declines = _card("Declined in the last five minutes")
            with ui.element("div"):
                self._last_declines = _card("Last declines", "live", keeps_still=True)
                self._last_events = _card("Last events", "live", keeps_still=True)
                self._sampled = Part()
        self.refresh()

    def refresh(self) -> None:
        """Show what is known by now: events at once, figures as often as there are new ones."""
        context = self._context
        self.show_declines()  # where somebody's hands kept them still
        self._last_events.show(markup.last_events(context))
        if self._turns % _FIGURES_TURNS == 0:
            self._show_figures(context)
        if self._turns % _CHART_TURNS == 0:
            self._rate.options.update(rate_chart(context.watch.spans))
            self._latency.options.update(latency_chart(context.watch.spans))
        self._turns += 1

    def show_declines(self) -> None:
        """Show the last ones."""
        self._last_declines.show(markup.last_declines(self._context))

    def _show_figures(self, context: DashboardContext) -> None:
        now = markup.clock_now()
        glance = context.glance(now)
        found = alerts(glance)
        self._verdict.show(markup.verdict(found, glance))
        self._lamps.show(markup.lamps(context, now))
        self._tiles.show(markup.tiles(context))
        self._declines.show(markup.declines(context.watch.last(_FIVE_MINUTES)))
        self._alerts.show(markup.alert_list(found))
        self._sampled.show(markup.sampled(context))


def _question(asked: str) -> None:
    ui.html(f"<h2>{asked}</h2>", sanitize=False).classes("question")


def _card(title: str, class_: str = "", *, keeps_still: bool = False) -> Part:
    with ui.element("section").classes(f"card {class_}"):
        ui.html(f"<h3>{title}</h3>", sanitize=False)
        return Part(keeps_still=keeps_still)


def _chart(title: str, options: dict[str, Any]) -> ui.echart:
    with ui.element("section").classes("card").props(f'aria-label="{title}"'):
        ui.html(f"<h3>{title}</h3>", sanitize=False)
        return ui.echart(options, renderer="svg").classes("chart")
