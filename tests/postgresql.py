"""PostgreSQL for tests: one server for each test process, an empty database for each test.

To make a database takes ten times as long as to empty one, so that they are used again.
"""

from __future__ import annotations

from functools import cache
from itertools import count

import psycopg
from sqlalchemy import create_engine

from cardrail.embedded_postgresql import EmbeddedPostgresql
from gateway.kept_answers import METADATA
from ledger.tables import metadata

_TEMPLATE = "cardrail_template"
_NAMES = sorted([*metadata.tables, *METADATA.tables])
_TABLES = ",".join(_NAMES)
_EMPTY = ";".join(f"DELETE FROM {name}" for name in _NAMES).encode()  # noqa: S608 - ours
# Every table, by schema where it is not ours, and every trigger.
_FOUND = b"""
    SELECT string_agg(name, ',' ORDER BY name COLLATE "C") FROM (
        SELECT CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname END
        FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
        WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg%'
        UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
    ) AS found (name)
"""
_NUMBERS = count(1)


class Server(EmbeddedPostgresql):
    """A running server. Nothing survives a power failure here, everything a killed process."""

    def __init__(self) -> None:
        super().__init__()
        # Tests kill processes, not machines: nothing has to wait for the disk.
        self._execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        self._make_tables()
        self._emptied: list[str] = []

    def take_database(self, *, empty: bool = False) -> str:
        """The URL of a database of its own: every table with nothing in it, or `empty` no table."""
        if self._emptied and not empty:
            return self._emptied.pop()
        name = f"ledger_{next(_NUMBERS)}"
        template = "template1" if empty else _TEMPLATE
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def give_back(self, url: str) -> None:
        """End whoever is still connected; empty the database, or drop it if it is not as made."""
        name = url.partition("?")[0].rpartition("/")[2]
        self._execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 - ours
        )
        with psycopg.connect(url, autocommit=True) as connection:
            as_made = connection.execute(_FOUND).fetchone() == (_TABLES,)
            if as_made:
                connection.execute(_EMPTY)
        if as_made:
            self._emptied.append(url)
        else:
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
