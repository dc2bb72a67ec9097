"""Waiting for a server, with an event loop and without one.

A lane on the event loop (`lane`) runs the ledger's own code, which knows of no loop, as a
greenlet: where that would wait, the loop goes on with other things. Everybody else just waits.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.util.concurrency import await_, in_greenlet

Result = TypeVar("Result")


def wait_for(descriptor: int, *, writable: bool) -> None:
    """Until something can be read; with `writable`, or written. No loop goes on meanwhile."""
    _poll(descriptor, select.POLLIN | (select.POLLOUT if writable else 0)).poll()


def is_readable(descriptor: int) -> bool:
    """Whether something can be read now."""
    return bool(_poll(descriptor, select.POLLIN).poll(0))


def _poll(descriptor: int, events: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, events)
    return poll


def call(blocking: Callable[[], Result]) -> Result:
    """What `blocking` gives; on another thread, where this one has an event loop to run."""
    if in_greenlet():
        return await_(asyncio.to_thread(blocking))
    return blocking()


def give_way() -> None:
    """Let an event loop do what else there is to do; where there is none, nothing happens."""
    if in_greenlet():
        await_(asyncio.sleep(0))
