"""Puts the pages on the API's application, and the tasks behind them on its loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from nicegui import app as pages
from nicegui import ui

from gateway.dashboard.context import DashboardContext
from gateway.dashboard.exceptions_page import exceptions
from gateway.dashboard.inspect_page import inspect, inspect_one
from gateway.dashboard.overview import overview

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def mount_dashboard(app: FastAPI, context: DashboardContext) -> None:
    """Once in a process: the pages' application is the library's own, and there is one of it."""

    @ui.page("/")
    def _overview(request: Request) -> None:
        overview(context, request)

    @ui.page("/inspect", response_timeout=30)
    async def _inspect(request: Request, rrn: str = "") -> None:
        await inspect(context, request, rrn)

    @ui.page("/inspect/{rrn}", response_timeout=30)
    async def _inspect_rrn(request: Request, rrn: str) -> None:
        await inspect(context, request, rrn)

    @ui.page("/inspect/{account_id}/{subject_id}", response_timeout=30)
    async def _inspect_one(request: Request, account_id: int, subject_id: int) -> None:
        await inspect_one(context, request, account_id, subject_id)

    @ui.page("/exceptions", response_timeout=30)
    async def _exceptions(request: Request) -> None:
        await exceptions(context, request)

    app.add_api_route(
        "/api/{rest:path}", _no_such_resource, methods=_METHODS, include_in_schema=False
    )
    # A path that leads nowhere would be logged, and somebody may have put a PAN there.
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    _run_beside(context)
    ui.run_with(app, title="Cardrail", dark=None, tailwind=False, show_welcome_message=False)


def _no_such_resource() -> None:
    """Before the pages' own, which would answer a program with a page."""
    raise HTTPException(404)


def _run_beside(context: DashboardContext) -> None:
    running: set[asyncio.Task[None]] = set()

    def start() -> None:
        jobs: list[Coroutine[Any, Any, None]] = [
            context.watch.run(),
            context.recorder.run(),
            context.declines.run(),
        ]
        if context.live is not None:
            jobs.append(context.live.run())
        running.update(map(asyncio.create_task, jobs))

    async def stop() -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    pages.on_startup(start)
    pages.on_shutdown(stop)
