"""PostgreSQL for tests: one server for each test process, a fresh database for each test."""

from __future__ import annotations

from functools import cache
from itertools import count

import psycopg
from sqlalchemy import create_engine

from cardrail.embedded_postgresql import EmbeddedPostgresql
from gateway.kept_answers import METADATA
from ledger.tables import metadata

_TEMPLATE = "cardrail_template"
_NUMBERS = count(1)


class Server(EmbeddedPostgresql):
    """A running server. Nothing survives a power failure here, everything a killed process."""

    def __init__(self) -> None:
        super().__init__()
        # Tests kill processes, not machines: nothing has to wait for the disk.
        self._execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        self._make_tables()

    def new_database(self, *, empty: bool = False) -> str:
        """The URL of a database of its own, with every table in it unless it is to be `empty`."""
        name = f"ledger_{next(_NUMBERS)}"
        template = "template1" if empty else _TEMPLATE
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Throw a database away, with whoever is still connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute_in(self, url: str, *statements: str) -> None:
        """Statements on one of its databases."""
        _execute(url, *statements)

    def _execute(self, *statements: str) -> None:
        _execute(self.url(), *statements)

    def _make_tables(self) -> None:
        engine = create_engine(self.url(_TEMPLATE).replace("postgresql:", "postgresql+psycopg:"))
        metadata.create_all(engine)
        METADATA.create_all(engine)
        engine.dispose()


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@cache
def server() -> Server:
    """The server of this process, started when it is first asked for."""
    return Server()


def stop() -> None:
    """End the server of this process, if there is one."""
    if server.cache_info().currsize:
        server().stop()
        server.cache_clear()
