"""Puts the dashboard together: its watches, its journal, and the application it is mounted on."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing

from fastapi import FastAPI

from cardrail.opening import fail
from cardrail.settings import Settings
from gateway.api.context import OpsContext
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.last_declines import LastDeclines
from gateway.dashboard.live import LiveEvents
from gateway.dashboard.mounting import mount_dashboard
from gateway.dashboard.watch import Watch
from gateway.inspector.inspector import Inspector
from gateway.inspector.journal import FILE_NAME, Journal
from gateway.inspector.recorder import Recorder
from gateway.publishing_terms import BrokerAddress


def mount_pages(
    app: FastAPI, settings: Settings, context: OpsContext, resources: ExitStack
) -> None:
    """Mount them on `app`; what they need is given back with `resources`."""
    control, journal = context.control, _journal(settings, resources)
    dashboard = DashboardContext(
        database=context.database,
        inspector=Inspector(context.database, settings.runtime / FILE_NAME),
        watch=Watch(control),
        audits=context.audits,
        ledger=context.figures,
        recorder=Recorder(control, journal),
        declines=LastDeclines(control),
        live=LiveEvents(BrokerAddress.of(settings.mqtt), settings.mqtt_topic),
    )
    mount_dashboard(app, dashboard)


def _journal(settings: Settings, resources: ExitStack) -> Journal:
    path = settings.runtime / FILE_NAME
    try:
        settings.runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
        journal = Journal(path, most=settings.journal_exchanges)
    except (OSError, sqlite3.Error) as error:
        fail(f"cardrail ops: CARDRAIL_RUNTIME: the journal {path} cannot be written: {error}")
    return resources.enter_context(closing(journal))
