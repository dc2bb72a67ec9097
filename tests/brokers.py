"""Real message brokers for tests: NATS from its wheel, and mosquitto where it is installed."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from cardrail.broker import EmbeddedBroker

WAIT = 30
_MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MOSQUITTO = pytest.param(
    "mosquitto",
    marks=pytest.mark.skipif(
        _MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)"
    ),
)
BROKERS = ["nats", MOSQUITTO]


class Broker(Protocol):
    """One that may be ended in the middle of its work, and started again where it was."""

    @property
    def url(self) -> str: ...

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Mosquitto:
    """It keeps what it has when it is told to end; a SIGKILL would cost it what came last."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            f"listener {self._port} 127.0.0.1\n"
            "allow_anonymous true\n"
            "persistence true\n"
            f"persistence_location {folder}/\n"
            "max_queued_messages 0\n"  # no bound
        )
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self._port}"

    def start(self) -> None:
        assert _MOSQUITTO is not None
        self._process = subprocess.Popen(
            [_MOSQUITTO, "-c", str(self._configuration)], stderr=subprocess.DEVNULL
        )
        give_up = time.monotonic() + WAIT
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return
            assert self._process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.01)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(WAIT)


@contextmanager
def running(name: str) -> Iterator[Broker]:
    """One of `BROKERS`."""
    if name == "nats":
        with EmbeddedBroker() as broker:
            yield broker
    else:
        with tempfile.TemporaryDirectory(prefix="cardrail-mosquitto-") as folder:
            Path(folder).chmod(0o777)  # it gives up root's rights
            mosquitto = Mosquitto(Path(folder))
            try:
                yield mosquitto
            finally:
                mosquitto.kill()
