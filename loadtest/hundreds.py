"""The requests of a link that were sent a hundred at a time (`sheets`) and wait for answers.

Nothing is kept for each of them but whether it waits: what its answer has to have is put together
when one comes, which for most messages of an overloaded gateway is never.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.numbering import HUNDRED
from loadtest.remembered import Remembered, due
from loadtest.sheets import Names
from loadtest.templates import Values

_REMEMBERED = 655  # hundreds
_WAITS, _ANSWERED, _GIVEN_BACK = range(3)


class Hundred:
    """A hundred requests; times are monotonic seconds."""

    __slots__ = ("_states", "deadline", "intended", "names", "waiting_count")

    def __init__(self, names: Names, intended: Sequence[float], deadline: float) -> None:
        self.names = names
        self.intended = intended
        self.deadline = deadline
        self.waiting_count = HUNDRED
        self._states = bytearray(HUNDRED)

    def waits(self, place: int) -> bool:
        """Whether that one has no answer."""
        return self._states[place] == _WAITS

    def was_answered(self, place: int) -> bool:
        """Whether that one has one."""
        return self._states[place] == _ANSWERED

    def end(self, place: int, *, was_answered: bool) -> None:
        """That one waits no more."""
        self._states[place] = _ANSWERED if was_answered else _GIVEN_BACK
        self.waiting_count -= 1


class Hundreds:
    """Those of one link, by the first four digits of their STANs, the oldest first."""

    __slots__ = ("_ended", "_waiting", "_waiting_count")

    def __init__(self) -> None:
        self._waiting: dict[str, Hundred] = {}
        self._waiting_count = 0
        self._ended: Remembered[Hundred] = Remembered(_REMEMBERED)

    def __len__(self) -> int:
        return self._waiting_count

    def expect(self, hundred: Hundred) -> bool:
        """Wait for answers; False if such STANs are waiting already."""
        if hundred.names.stan in self._waiting:
            return False
        self._waiting[hundred.names.stan] = hundred
        self._waiting_count += hundred.waiting_count
        return True

    def find(self, stan: str) -> tuple[Hundred, int] | None:
        """Where a request that waits is."""
        hundred = self._waiting.get(stan[:-2])
        if hundred is None or not hundred.waits(place := int(stan[-2:])):
            return None
        return hundred, place

    def end(self, hundred: Hundred, place: int, *, was_answered: bool) -> None:
        """One that was found waits no more."""
        hundred.end(place, was_answered=was_answered)
        self._waiting_count -= 1
        if not hundred.waiting_count:
            self._ended.put(hundred.names.stan, self._waiting.pop(hundred.names.stan))

    def expire(self, now: float) -> int:
        """How many requests have just come to their deadline; they wait no more."""
        count = 0
        for stan in due(self._waiting, now):
            hundred = self._waiting.pop(stan)
            count += hundred.waiting_count
            self._ended.put(stan, hundred)
        self._waiting_count -= count
        return count

    def drain(self) -> int:
        """How many requests are waiting; none waits any more."""
        count, self._waiting_count = self._waiting_count, 0
        self._waiting.clear()
        return count

    def ended(self, stan: str) -> tuple[Values, bool] | None:
        """Of a request that waits no more what its answer has to have, and whether it has come."""
        head, digits = stan[:-2], stan[-2:]
        hundred = self._waiting.get(head) or self._ended.get(head)
        if hundred is None:
            return None
        return hundred.names.values(int(digits)), hundred.was_answered(int(digits))
