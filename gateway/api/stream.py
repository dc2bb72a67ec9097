"""The live stream: decisions as they are made, as Server-Sent Events.

It is a sample where there are more than a reader takes; what was left out is counted. A record has
a masked PAN and no secret; the frames that the gateways send with it stay here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from gateway.api.context import OpsContext
from gateway.api.problems import Problem
from gateway.control_messages import Exchanges

_READERS_MOST = 32
_BATCHES_A_SECOND = 20


def stream_router(context: OpsContext) -> APIRouter:
    """`/stream`."""
    router = APIRouter(tags=["stream"], prefix="/stream")
    readers = _Readers()

    @router.get(
        "/decisions",
        summary="Decisions as they are made",
        response_class=EventSourceResponse,
        dependencies=[Depends(readers.require_room)],
    )
    async def decisions(
        network: Annotated[str, Query(pattern=r"^[a-z0-9_-]{1,20}$")] = "",
        most: Annotated[
            int, Query(ge=20, le=20_000, description="So many a second of each gateway at most.")
        ] = 200,
    ) -> AsyncIterator[ServerSentEvent]:
        """Events `decision`, each a decision record; and `dropped`, a count of those left out."""
        with readers:
            async with context.control.feed(most // _BATCHES_A_SECOND) as batches:
                async for batch in _until(batches, context.stopping):
                    for event in _events(batch, network):
                        yield event

    return router


class _Readers:
    """How many read; each costs the gateways a copy of what it reads."""

    def __init__(self) -> None:
        self._count = 0

    async def require_room(self) -> None:
        if self._count >= _READERS_MOST:
            told = f"{_READERS_MOST} read the stream already"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "too-many", told)

    def __enter__(self) -> None:
        self._count += 1

    def __exit__(self, *_error: object) -> None:
        self._count -= 1


def _events(batch: Exchanges, network: str) -> list[ServerSentEvent]:
    events = [
        ServerSentEvent(event="decision", raw_data=msgspec.json.encode(exchanged.record).decode())
        for exchanged in batch.exchanges
        if network in {"", exchanged.record.network}
    ]
    if batch.dropped_count:
        events.append(ServerSentEvent(event="dropped", data={"count": batch.dropped_count}))
    return events


async def _until(
    batches: AsyncIterator[Exchanges], stopping: asyncio.Event
) -> AsyncIterator[Exchanges]:
    """The batches until the process is told to stop, or nobody reads any more."""
    end = asyncio.ensure_future(stopping.wait())
    batch = asyncio.ensure_future(anext(batches))
    try:
        while True:
            await asyncio.wait({batch, end}, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                return
            yield batch.result()
            batch = asyncio.ensure_future(anext(batches))
    finally:
        for each in (batch, end):
            each.cancel()
        await asyncio.gather(batch, end, return_exceptions=True)
