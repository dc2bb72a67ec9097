"""PostgreSQL for tests: one server for each test process, an empty database for each test.

To make a database takes ten times as long as to empty one, so that they are used again.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import count

import psycopg
from sqlalchemy import create_engine

from cardrail.embedded_postgresql import EmbeddedPostgresql
from gateway.kept_answers import METADATA
from ledger.tables import metadata

_TEMPLATE = "cardrail_template"
_NUMBERS = count(1)
_USES = 40  # then what was deleted makes every reading of whole tables slow
_NAMES = sorted([*metadata.tables, *METADATA.tables])
_EMPTY = ";".join(f"DELETE FROM {name}" for name in _NAMES).encode()  # noqa: S608 - ours
# Every schema, table, index, constraint, column and trigger: a test may have changed any of them.
_SHAPE = b"""
    SELECT string_agg(line, chr(10) ORDER BY line) FROM (
        SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg%'
        UNION ALL SELECT relname || ' ' || relkind::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT attrelid::regclass || ' ' || attname FROM pg_attribute
        WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
    ) AS found (line)
"""


class Server(EmbeddedPostgresql):
    """A running server. Nothing survives a power failure here, everything a killed process."""

    def __init__(self) -> None:
        super().__init__()
        # Tests kill processes, not machines: nothing has to wait for the disk.
        self._execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        self._make_tables()
        with psycopg.connect(self.url(_TEMPLATE)) as connection:
            self._shape = connection.execute(_SHAPE).fetchone()
        self._emptied: list[str] = []
        self._uses: Counter[str] = Counter()

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
            as_made = connection.execute(_SHAPE).fetchone() == self._shape
            if as_made:
                connection.execute(_EMPTY)
        self._uses[url] += 1
        if as_made and self._uses[url] < _USES:
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
