"""Identifiers: 63 bits, made by the program, ordered by time, unique without asking a database.

From the top: 41 bits of milliseconds since 2024, 10 bits of node (which writer made it), 12 bits
of sequence. Two writers need different nodes and nothing else.
"""

from __future__ import annotations

EPOCH_MILLISECONDS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
NODE_BITS = 10
SEQUENCE_BITS = 12
NODES = 1 << NODE_BITS
_LAST_SEQUENCE = (1 << SEQUENCE_BITS) - 1
_NODE_MASK = (NODES - 1) << SEQUENCE_BITS


def first_id_at(at: int) -> int:
    """No id for something that happened `at` (microseconds since 1970), or later, is less."""
    return max(0, at // 1000 - EPOCH_MILLISECONDS) << (NODE_BITS + SEQUENCE_BITS)


def made_at(made: int) -> int:
    """When the id `made` was made, to a millisecond: microseconds since 1970."""
    return ((made >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MILLISECONDS) * 1000


def _in_place(node: int) -> int:
    if not 0 <= node < NODES:
        raise ValueError(f"node is {node}, expected 0..{NODES - 1}")
    return node << SEQUENCE_BITS


class Ids:
    """Makes ids that only ever grow, whatever the clock does; not shared between threads.

    `floor` is the greatest id in use: after a restart nothing at or below it is made again.
    """

    __slots__ = ("_milliseconds", "_node", "_sequence")

    def __init__(self, *, node: int = 0, floor: int = 0) -> None:
        self._node = _in_place(node)
        self._milliseconds, self._sequence = 0, -1
        self.rise_above(floor)

    def rise_above(self, floor: int) -> None:
        """Make nothing at or below `floor` from now on, which may be another node's."""
        milliseconds = floor >> (NODE_BITS + SEQUENCE_BITS)
        if milliseconds < self._milliseconds:
            return
        if milliseconds > self._milliseconds:
            self._milliseconds, self._sequence = milliseconds, -1
        node = floor & _NODE_MASK
        if node == self._node:
            self._sequence = max(self._sequence, floor & _LAST_SEQUENCE)
        elif node > self._node:
            self._sequence = _LAST_SEQUENCE  # the rest of its millisecond is given up

    def move(self, node: int) -> None:
        """Be another node, from the next millisecond on."""
        self._node = _in_place(node)
        self._sequence = _LAST_SEQUENCE

    @property
    def latest(self) -> int:
        """The greatest that was made, or that this has risen above."""
        return self._milliseconds << (NODE_BITS + SEQUENCE_BITS) | self._node | self._sequence

    def next(self, at: int) -> int:
        """The next id, for something that happened `at` (microseconds since 1970)."""
        milliseconds = at // 1000 - EPOCH_MILLISECONDS
        if milliseconds > self._milliseconds:
            self._milliseconds, self._sequence = milliseconds, 0
        elif self._sequence < _LAST_SEQUENCE:
            self._sequence += 1
        else:
            self._milliseconds, self._sequence = self._milliseconds + 1, 0
        return self.latest
