"""The control socket of a gateway process: what it is doing, and orders to its links.

A Unix socket in the runtime folder, which its owner alone may enter: unmasked frames go over it.
A lock beside the socket tells a gateway that runs from what a dead one has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec
import structlog

from gateway.control_messages import (
    LONGEST_REQUEST,
    MOST_DECLINES,
    CommandLink,
    Done,
    Problem,
    Refused,
    Reply,
    Subscribe,
    TakeSnapshot,
    TooLong,
    WatchDeclines,
    framed,
    receive,
    requests,
    short_path,
    socket_path,
    workers_in,
)
from gateway.feed import Feed, reader_of
from gateway.open_links import OpenLinks, UnknownLink
from gateway.runtime_folder import make_private, take_lock
from gateway.snapshot import Snapshot
from networks.wire.errors import SessionError

_CONNECTIONS_MOST = 32

_log = structlog.get_logger()


class ControlUnavailable(Exception):
    """The control socket cannot be opened; the message is for the person who starts the gateway."""


class ControlServer:
    """Answers on the control socket. Belongs to the running event loop."""

    def __init__(self, snapshot: Callable[[], Snapshot], links: OpenLinks, feed: Feed) -> None:
        self._snapshot = snapshot
        self._links = links
        self._feed = feed
        self._path: Path | None = None
        self._lock: IO[bytes] | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self, runtime: Path, worker: int) -> Path:
        """Listen; gives the socket's path.

        Raises
        ------
        ControlUnavailable
            If the folder cannot be used, or a gateway of that number runs there already.
        """
        try:
            path = socket_path(runtime, worker)
            make_private(runtime)
            self._lock = take_lock(path.with_suffix(".lock"))
            path.unlink(missing_ok=True)  # what a dead process has left
            with short_path(path) as short:
                self._server = await asyncio.start_unix_server(self._serve, short)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ControlUnavailable(f"the runtime folder {runtime}: {reason}") from None
        except ValueError as error:
            raise ControlUnavailable(str(error)) from None
        self._path = path
        return path

    async def close(self) -> None:
        """End every connection and remove the socket."""
        if self._server is not None and self._path is not None:
            self._path.unlink(missing_ok=True)
            self._server.close()
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections)
        if self._lock is not None:
            self._lock.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            if len(self._connections) <= _CONNECTIONS_MOST:
                await self._answer_all(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the other side has gone
        finally:
            del self._connections[task]
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await receive(reader, requests, LONGEST_REQUEST)
            except (TooLong, msgspec.MsgspecError) as error:
                writer.write(framed(Refused(Problem.BAD_REQUEST, str(error))))
                return
            if isinstance(request, Subscribe | WatchDeclines):
                await self._feed_until_gone(reader, writer, request)
                return
            writer.write(framed(self._reply(request)))
            await writer.drain()

    def _reply(self, request: TakeSnapshot | CommandLink) -> Reply:
        if isinstance(request, TakeSnapshot):
            return self._snapshot()
        try:
            self._links.command(request.link_id, request.action)
        except UnknownLink as error:
            return Refused(Problem.UNKNOWN_LINK, str(error))
        except SessionError as error:
            return Refused(Problem.NOT_POSSIBLE, str(error))
        _log.warning("link command", link=request.link_id, action=request.action.value)
        return Done()

    async def _feed_until_gone(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: Subscribe | WatchDeclines,
    ) -> None:
        if isinstance(request, Subscribe):
            watching = reader_of(writer, request.most)
            self._feed.add(watching)
        else:
            watching = reader_of(writer, MOST_DECLINES)
            self._feed.add_for_declines(watching)
        try:
            await reader.read(1)
        finally:
            self._feed.remove(watching)


def remove_dead_sockets(runtime: Path) -> None:
    """Forget the gateways that were killed here: for one that starts, and is all there is to be.

    What is not removed shows a gateway that has to come back.
    """
    for worker in workers_in(runtime):
        with suppress(OSError, ValueError):  # one that runs keeps its lock
            path = socket_path(runtime, worker)
            with take_lock(path.with_suffix(".lock")):
                path.unlink()
