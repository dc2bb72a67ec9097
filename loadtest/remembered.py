"""What both kinds of waiting requests do alike: forget what has ended, find what is due."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Generic, Protocol, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The latest values by key, `most` of them or more.

    There are two generations, so that forgetting the oldest costs nothing.
    """

    __slots__ = ("_before", "_most", "_now")

    def __init__(self, most: int) -> None:
        self._most = most
        self._now: dict[str, Value] = {}
        self._before: dict[str, Value] = {}

    def put(self, key: str, value: Value) -> None:
        """One more, the latest of its key."""
        if len(self._now) >= self._most:
            self._before, self._now = self._now, {}
        self._now[key] = value

    def get(self, key: str) -> Value | None:
        """The latest of that key, if it is not forgotten."""
        found = self._now.get(key)
        return self._before.get(key) if found is None else found


class _WithDeadline(Protocol):
    @property
    def deadline(self) -> float: ...


def due(waiting: Mapping[str, _WithDeadline], now: float) -> list[str]:
    """The keys of those whose deadline has come; `waiting` has the oldest first."""
    return [key for key, _ in takewhile(lambda each: each[1].deadline <= now, waiting.items())]
