"""A fresh database for a benchmark, gone at its end, with its durability left on.

A PostgreSQL server is set up as deploy/postgresql.conf tells, for the memory of this machine.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from cardrail.embedded_postgresql import EmbeddedPostgresql
from cardrail.engine import Engine
from cardrail.postgresql_settings import TUNED


@contextmanager
def fresh_database(engine: Engine, url: str | None = None) -> Iterator[str]:
    """The URL of an empty database: `url` if it is given, else one that is thrown away.

    Raises
    ------
    NoServer
        If a server is needed and none is installed.
    """
    if url is not None:
        yield url
    elif engine is Engine.SQLITE:
        with tempfile.TemporaryDirectory(prefix="cardrail-bench-") as folder:
            yield f"sqlite:///{folder}/ledger.db"
    else:
        server = EmbeddedPostgresql()
        try:
            server.configure({**TUNED, "shared_buffers": _quarter_of_memory()})
            yield server.url()
        finally:
            server.stop()


def _quarter_of_memory() -> str:
    quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return f"{max(quarter // 2**20, 128)}MB"
