"""How a process beside the gateway starts: settings, the ledger, and its log lines."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from cardrail.logs import LogWriter, configure
from cardrail.opening import fail, opened
from cardrail.settings import Settings, SettingsError, read_settings
from ledger.database import Database


def start_beside(command: str, resources: ExitStack, **given: object) -> tuple[Settings, Database]:
    """The settings, those `given` before them, and their ledger, until `resources` are given back.

    What cannot be used is one line on stderr and exit 2. Logs go to stderr from now on.
    """
    try:
        settings = read_settings(**given)
    except SettingsError as error:
        fail(f"cardrail {command}: {error}")
    database = resources.enter_context(opened(settings.ledger))
    logs = LogWriter(sys.stderr, settings.log_format, level=settings.log_level)
    configure(logs)
    logs.start()
    resources.callback(logs.stop)
    return settings, database
