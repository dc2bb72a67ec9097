"""The other end of the control sockets: asks every gateway process of a runtime folder.

For processes beside the gateway (`cardrail ops`). Each question is a connection of its own and has
a time limit, so a gateway that hangs costs its own figures and not those of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.control_messages import (
    LONGEST_REPLY,
    SOME_EXCHANGES,
    CommandLink,
    Declines,
    Exchanges,
    LinkAction,
    Problem,
    Refused,
    Reply,
    Request,
    Subscribe,
    TakeSnapshot,
    TooLong,
    WatchDeclines,
    framed,
    receive,
    replies,
    short_path,
    socket_path,
    workers_in,
)
from gateway.open_links import UnknownLink, worker_of
from gateway.snapshot import LinkSnapshot, Snapshot

_TIMEOUT_SECONDS = 2.0
_LOOK_SECONDS = 1.0  # how often the feed looks for workers that have come
_WAITING_BATCHES = 16  # of the feed, not read yet

Batch = TypeVar("Batch", Exchanges, Declines)


class WorkerUnreachable(Exception):
    """A gateway process does not answer, or not in a way that is understood."""


class CommandRefused(Exception):
    """The link's state forbids what was asked for; the message says which."""


class Survey(msgspec.Struct, frozen=True):
    """Every gateway process: what those that answer tell, and the numbers of those that do not.

    A gateway that was stopped is in neither; one that was killed is unreachable until it is back.
    """

    snapshots: tuple[Snapshot, ...]
    unreachable: tuple[int, ...]

    @property
    def links(self) -> tuple[LinkSnapshot, ...]:
        """The links of all of them."""
        return tuple(link for snapshot in self.snapshots for link in snapshot.links)


class GatewayControl:
    """The gateway processes of one runtime folder."""

    def __init__(self, runtime: Path, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._runtime = runtime
        self._timeout_seconds = timeout_seconds

    async def survey(self) -> Survey:
        """Ask all of them at once."""
        workers = workers_in(self._runtime)
        found = await asyncio.gather(*map(self._snapshot, workers))
        return Survey(
            tuple(each for each in found if each is not None),
            tuple(worker for worker, each in zip(workers, found, strict=True) if each is None),
        )

    async def command(self, link_id: str, action: LinkAction) -> None:
        """Begin `action` on a link; the next survey shows what came of it.

        Raises
        ------
        UnknownLink
            If no open link has that id.
        CommandRefused
            If the link's state forbids it.
        WorkerUnreachable
            If the link's gateway process does not answer.
        """
        worker = worker_of(link_id)
        if worker not in workers_in(self._runtime):
            raise UnknownLink(f"there is no link {link_id}")
        reply = await self._ask(worker, CommandLink(link_id, action))
        if isinstance(reply, Refused):
            if reply.problem is Problem.UNKNOWN_LINK:
                raise UnknownLink(reply.explanation)
            raise CommandRefused(reply.explanation)

    def feed(
        self, most: int = SOME_EXCHANGES
    ) -> AbstractAsyncContextManager[AsyncIterator[Exchanges]]:
        """The exchanges of all workers from now on, whichever come and go, in a block of its own.

        At most `most` of each batch of each worker; what is not read in time is dropped, and
        counted in the next batch.
        """
        return self._watching(Subscribe(most), Exchanges)

    def declines(self) -> AbstractAsyncContextManager[AsyncIterator[Declines]]:
        """What all workers decline from now on, in the manner of `feed`."""
        return self._watching(WatchDeclines(), Declines)

    @asynccontextmanager
    async def _watching(
        self, request: Request, kind: type[Batch]
    ) -> AsyncIterator[AsyncIterator[Batch]]:
        batches: asyncio.Queue[Batch] = asyncio.Queue(_WAITING_BATCHES)
        watching = asyncio.create_task(self._watch_all(batches, request, kind))
        try:
            yield _taken_from(batches)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _snapshot(self, worker: int) -> Snapshot | None:
        try:
            reply = await self._ask(worker, TakeSnapshot())
        except WorkerUnreachable:
            return None
        return reply if isinstance(reply, Snapshot) else None

    async def _ask(self, worker: int, request: Request) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await self._connect(worker)
                try:
                    writer.write(framed(request))
                    return await receive(reader, replies, LONGEST_REPLY)
                finally:
                    writer.close()
        except (OSError, asyncio.IncompleteReadError, TooLong, msgspec.MsgspecError) as error:
            reason = str(error) or f"nothing came within {self._timeout_seconds:g} s"
            raise WorkerUnreachable(f"gateway {worker} does not answer: {reason}") from None

    async def _connect(self, worker: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with short_path(socket_path(self._runtime, worker)) as path:
            return await asyncio.open_unix_connection(path)

    async def _watch_all(
        self, batches: asyncio.Queue[Batch], request: Request, kind: type[Batch]
    ) -> None:
        watched: dict[int, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                for worker in workers_in(self._runtime):
                    if worker not in watched or watched[worker].done():
                        watched[worker] = tasks.create_task(
                            self._watch(worker, batches, request, kind)
                        )
                await asyncio.sleep(_LOOK_SECONDS)

    async def _watch(
        self, worker: int, batches: asyncio.Queue[Batch], request: Request, kind: type[Batch]
    ) -> None:
        """Until the worker ends, or cannot be understood."""
        with suppress(OSError, asyncio.IncompleteReadError, TooLong, msgspec.MsgspecError):
            reader, writer = await self._connect(worker)
            try:
                writer.write(framed(request))
                while isinstance(batch := await receive(reader, replies, LONGEST_REPLY), kind):
                    await batches.put(batch)
            finally:
                writer.close()


async def _taken_from(batches: asyncio.Queue[Batch]) -> AsyncIterator[Batch]:
    while True:
        yield await batches.get()
