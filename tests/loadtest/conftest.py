"""Peers that load tests are pointed at."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from loadtest.targets import TARGETS, Address


@pytest.fixture(scope="session")
def responder() -> Iterator[Mapping[str, Address]]:
    """A process that answers everything at once, by network."""
    command = [sys.executable, "-m", "tests.loadtest.responder"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ports = process.stdout.readline().split()
        yield {
            name: Address("127.0.0.1", int(port)) for name, port in zip(TARGETS, ports, strict=True)
        }
        process.terminate()
        assert process.wait(10) == 0
