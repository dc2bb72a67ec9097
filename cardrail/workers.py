"""Several gateway processes on the same ports: `cardrail serve --workers N`.

The kernel spreads new links over them (SO_REUSEPORT). They share nothing but the ledger: a repeat
finds its answer there, whichever of them it arrives at. This process keeps the ports, starts the
workers, starts one again that ends by itself, and passes on what tells them to stop.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import structlog

NUMBER = "CARDRAIL_WORKER"  # which of them a process is, from 1; not set for one that is alone
_RESTART_SECONDS = 1.0

_log = structlog.get_logger()


def when_alone(end: Callable[[], None]) -> None:
    """In a worker: call `end` on the running event loop when the process that started it is gone.

    However it ended: nobody would start the worker again, and it would keep the ports.
    """
    loop, told = asyncio.get_running_loop(), sys.stdin.fileno()

    def gone() -> None:
        loop.remove_reader(told)
        end()

    loop.add_reader(told, gone)


class WorkersFailed(Exception):
    """The workers cannot be started; the message is for the person who started them."""


def run_workers(count: int, command: Sequence[str], addresses: Mapping[str, str]) -> None:
    """Run `count` of `command` until a signal comes; `addresses` are HOST:PORT by setting.

    Prints one line of JSON when all of them take links, as a gateway that is alone does.

    Raises
    ------
    WorkersFailed
        If an address cannot be taken, or a worker ends before it is ready.
    """
    with ExitStack() as ports:
        taken = {name: _keep_port(address, ports) for name, address in addresses.items()}
        asyncio.run(_Workers(count, command, taken).run())


def _keep_port(address: str, ports: ExitStack) -> str:
    """Bind, so that the port is ours while no worker has it; links go to who listens."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kept = ports.enter_context(socket.socket(family, socket.SOCK_STREAM))
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        kept.bind((host, int(port)))
    except OSError as error:
        raise WorkersFailed(f"cannot listen on {address}: {error.strerror or error}") from None
    return f"{host}:{kept.getsockname()[1]}"


class _Workers:
    """The processes and what becomes of them."""

    def __init__(self, count: int, command: Sequence[str], addresses: Mapping[str, str]) -> None:
        self._count = count
        self._command = command
        self._addresses = addresses
        self._stopping = asyncio.Event()
        self._running: dict[int, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        try:
            await asyncio.gather(*(self._start(number) for number in self._numbers()))
            if not self._stopping.is_set():
                told = {"ready": True, **_names(self._addresses), "workers": self._count}
                print(json.dumps(told), flush=True)  # noqa: T201 - data
            await asyncio.gather(*(self._keep(number) for number in self._numbers()))
        finally:
            await self._end_all()

    def _numbers(self) -> range:
        return range(1, self._count + 1)

    def _stop(self) -> None:
        self._stopping.set()
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)

    async def _start(self, number: int) -> None:
        """Start one and wait until it takes links."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, **self._addresses, NUMBER: str(number)},
            stdin=asyncio.subprocess.PIPE,  # its end tells a worker that this process is gone
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # what the terminal sends to this process it passes on itself
        )
        self._running[number] = process
        assert process.stdout is not None
        ready = await process.stdout.readline()
        if not ready and not self._stopping.is_set():
            raise WorkersFailed(f"worker {number} ended before it was ready")

    async def _keep(self, number: int) -> None:
        """Wait for the end of one; start it again unless all are to end."""
        while True:
            status = await self._running[number].wait()
            if self._stopping.is_set():
                return
            _log.error("worker ended", worker=number, status=status)
            try:
                await asyncio.wait_for(self._stopping.wait(), _RESTART_SECONDS)
            except TimeoutError:
                await self._start(number)
            else:
                return

    async def _end_all(self) -> None:
        self._stop()
        await asyncio.gather(*(process.wait() for process in self._running.values()))


def _names(addresses: Mapping[str, str]) -> dict[str, str]:
    """By network, as in the ready line."""
    return {name.removeprefix("CARDRAIL_").lower(): at for name, at in addresses.items()}


def worker_command(arguments: Sequence[str]) -> list[str]:
    """A gateway of this program with the same options."""
    return [sys.executable, "-m", "cardrail", "serve", *arguments]
