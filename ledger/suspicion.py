"""What is rare is not looked for; once it has come, it is for a while."""

from __future__ import annotations

_CAREFUL_BATCHES = 64


class Suspicion:
    """That what has just surprised a batch will come again: so many batches are careful.

    What is rare is not looked for, but found by the database when the batch is written: a repeat
    that is not marked as one by its key, another writer on the same accounts by their last ids.
    """

    def __init__(self) -> None:
        self._batches_left = 0

    def rise(self) -> None:
        """It has come."""
        self._batches_left = _CAREFUL_BATCHES

    @property
    def is_up(self) -> bool:
        """Whether the next batch has to be careful."""
        return self._batches_left > 0

    def lasts(self) -> bool:
        """Whether one more batch has to be careful, which this one is."""
        if not self.is_up:
            return False
        self._batches_left -= 1
        return True
