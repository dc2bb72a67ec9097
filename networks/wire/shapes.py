"""Generated functions by message shape: compiled when worth it, and never without bound.

A peer chooses the shapes (bitmaps) of its messages, and there are 2^192 of them; compiling one
costs as much as some forty messages through the reference codec. So a shape is compiled only after
`sightings` valid messages: whatever is sent, compiling at most doubles what the reference would
have cost. Two generations bound the memory: when `capacity` functions are there, they become the
older generation and the previous older one is forgotten; what is still used comes back on its next
use. A flood of shapes can therefore slow other links down to the reference, never stop them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Shape = TypeVar("Shape", bound=Hashable)
Function = TypeVar("Function")

_COUNTED_SHAPES = 4096


class ShapeCache(Generic[Shape, Function]):
    """Functions that `make` compiled; for one thread."""

    def __init__(
        self, make: Callable[[Shape], Function], *, sightings: int, capacity: int = 512
    ) -> None:
        self.recent: dict[Shape, Function] = {}
        self._older: dict[Shape, Function] = {}
        self._seen: dict[Shape, int] = {}
        self._make = make
        self._sightings = sightings
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self.recent) + len(self._older)

    def find(self, shape: Shape) -> Function | None:
        """The function of `shape`, if it has one."""
        function = self.recent.get(shape)
        if function is None and shape in self._older:
            function = self._older.pop(shape)
            self._keep(shape, function)
        return function

    def saw_valid(self, shape: Shape) -> None:
        """Count a valid message of `shape`, which has no function yet; compile it when due."""
        count = self._seen.get(shape, 0) + 1
        if count >= self._sightings:
            self._seen.pop(shape, None)
            self._keep(shape, self._make(shape))
            return
        if len(self._seen) >= _COUNTED_SHAPES:
            self._seen.clear()
        self._seen[shape] = count

    def _keep(self, shape: Shape, function: Function) -> None:
        if len(self.recent) >= self._capacity:
            self._older = dict(self.recent)
            self.recent.clear()
        self.recent[shape] = function
