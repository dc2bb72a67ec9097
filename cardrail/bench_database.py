"""A fresh database for a benchmark, gone at its end, with its durability left on.

A PostgreSQL server is set up as deploy/postgresql.conf tells, for the memory of this machine, and
has the segments of its log already, as one that has run for a while: to make one takes 50 ms, for
which every commit waits.
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
def fresh_database(engine: Engine, url: str | None = None, *, log_bytes: int = 0) -> Iterator[str]:
    """The URL of an empty database: `url` if it is given, else one that is thrown away.

    `log_bytes` is about what will be written to its log.

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
            _make_log_segments(server.url(), log_bytes)
            yield server.url()
        finally:
            server.stop()


def _make_log_segments(url: str, log_bytes: int) -> None:
    """No more than it keeps; a checkpoint then has them used again."""
    import psycopg

    sizes = "SELECT pg_size_bytes(current_setting(n)) FROM unnest(%s::text[]) AS n"
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(sizes, (["min_wal_size", "wal_segment_size"],)).fetchall()
        (kept,), (segment,) = rows
        for _ in range(min(log_bytes, kept) // segment):
            connection.execute(
                "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()"
            )
        connection.execute("CHECKPOINT")


def _quarter_of_memory() -> str:
    quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    return f"{max(quarter // 2**20, 128)}MB"
