"""Whose transaction may be open on a connection that several use in turns, on one event loop."""

from __future__ import annotations

import asyncio
from collections import deque

from sqlalchemy.util.concurrency import await_


class Turns:
    """A turn ends when its transaction's commit is asked for, before that is done."""

    def __init__(self) -> None:
        self._turn: object | None = None
        self._wanted: deque[asyncio.Future[None]] = deque()

    @property
    def is_taken(self) -> bool:
        """Whether it is somebody's turn."""
        return self._turn is not None

    def take(self) -> object:
        """Wait until it is nobody's turn; then it is that of who has what is given back."""
        while self._turn is not None:
            free = asyncio.get_running_loop().create_future()
            self._wanted.append(free)
            await_(free)
        self._turn = object()
        return self._turn

    def is_of(self, turn: object) -> bool:
        """Whether that turn has not ended."""
        return turn is self._turn

    def end(self) -> None:
        """Let the next one have it."""
        self._turn = None
        if self._wanted:
            self._wanted.popleft().set_result(None)
