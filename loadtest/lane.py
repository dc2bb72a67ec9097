"""One network as one process of the open-loop driver sees it."""

from __future__ import annotations

from array import array
from collections import Counter
from time import monotonic

from loadtest.answers import NOT_DECIDED, Trouble, Waiting
from loadtest.figures import Counts
from loadtest.links import Link
from loadtest.plan import Plan
from loadtest.targets import TARGETS
from loadtest.templates import Press
from loadtest.traffic import KINDS


class Lane:
    """Links of one network, its messages, and the counts of the present interval.

    Times are monotonic seconds.
    """

    def __init__(self, plan: Plan, network: str) -> None:
        self.press = Press(TARGETS[network], KINDS[network])
        self.links: list[Link] = []
        self.last_answer = 0.0
        self._target = TARGETS[network]
        self._address = plan.addresses[network]
        self._turn = 0
        self._written: list[float] = []  # intended times of what the next flush writes
        self._clear()

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return sum(len(link.book) for link in self.links)

    def dial(self, count: int, patience_seconds: float) -> None:
        """Open `count` links.

        Raises
        ------
        LinkRefused
            If one does not come about.
        """
        for _ in range(count):
            self.links.append(Link(self._target, self._address, patience_seconds))

    def send(self, message: tuple[int, int, bytes, int], second: int, intended: float) -> None:
        """Put a message on the next link, to be written by `flush`.

        `message` is kind, card, encoded amount and number; `second` is since the epoch.
        """
        self.offered += 1
        if not self.links:
            self.troubles[Trouble.UNSENT] += 1
            return
        self._turn = (self._turn + 1) % len(self.links)
        link = self.links[self._turn]
        kind, card, amount, serial = message
        frame, stan, values = self.press.render(kind, card, amount, second, serial)
        deadline = monotonic() + self._target.response_seconds
        if link.book.expect(stan, Waiting(values, intended, deadline)):
            link.put(frame)
            self._written.append(intended)
        else:
            self.troubles[Trouble.UNSENT] += 1

    def skip(self) -> None:
        """A message was intended, and as many are in flight as may be."""
        self.offered += 1
        self.troubles[Trouble.UNSENT] += 1

    def flush(self) -> None:
        """Write what was put."""
        if not self._written:
            return
        for link in self.links:
            link.flush()
        now = monotonic()
        self.lags.extend([int((now - intended) * 1e6) for intended in self._written])
        self._written.clear()

    def receive(self, link: Link) -> None:
        """Count the answers that have come; a chunk of them came when it was read."""
        answers = link.read()
        now = monotonic()
        for fields in answers:
            if isinstance(fields, Trouble):
                self.troubles[fields] += 1
                continue
            found = link.book.answered(fields)
            if isinstance(found, Trouble):
                self.troubles[found] += 1
                continue
            code = fields.get("39", "")
            self.codes[code] += 1
            if code in NOT_DECIDED:
                self.troubles[Trouble.UNDECIDED] += 1
            self.latencies.append(int((now - found.intended) * 1e6))
            self.last_answer = now
        if not link.is_open:
            self._lose(link)

    def expire(self, now: float) -> None:
        """Give up what the network's timer is over for."""
        for link in self.links:
            expired = link.book.expire(now)
            if expired:
                self.troubles[Trouble.TIMEOUT] += expired

    def counts(self) -> Counts:
        """What was counted since the last call."""
        counts = Counts(
            offered=self.offered,
            sent=len(self.lags),
            codes=dict(self.codes),
            troubles={trouble.value: count for trouble, count in self.troubles.items()},
            latencies=self.latencies.tobytes(),
            lags=self.lags.tobytes(),
        )
        self._clear()
        return counts

    def _lose(self, link: Link) -> None:
        self.links.remove(link)
        if lost := link.book.drain():
            self.troubles[Trouble.LOST] += lost
        link.close()

    def _clear(self) -> None:
        self.offered = 0
        self.codes: Counter[str] = Counter()
        self.troubles: Counter[Trouble] = Counter()
        self.latencies = array("I")
        self.lags = array("I")
