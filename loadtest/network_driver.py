"""What one process of the open-loop driver does with one network."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle
from time import monotonic

from loadtest.answers import NOT_DECIDED, ErrorKind, Waiting
from loadtest.figures import Counts
from loadtest.hundreds import Hundred
from loadtest.links import Link
from loadtest.numbering import HUNDRED
from loadtest.plan import Plan
from loadtest.sheets import Sheet, render_sheet, sheet_of
from loadtest.targets import TARGETS
from loadtest.templates import Press
from loadtest.traffic import KINDS


class NetworkDriver:
    """Links of one network, its messages, and the counts of the present interval.

    Times are monotonic seconds.
    """

    def __init__(self, plan: Plan, network: str) -> None:
        self._press = Press(TARGETS[network], KINDS[network])
        self.links: list[Link] = []
        self.last_answer = 0.0
        self._target = TARGETS[network]
        self._response_seconds = self._target.response_seconds
        self._address = plan.addresses[network]
        self._turn = 0
        self._sheets: Iterator[Sheet] = iter(())
        self._written: list[float] = []  # intended times of what the next flush writes
        self._clear()

    def encode_amount(self, amount: int) -> bytes:
        """Minor units, as `send` takes them."""
        return self._press.encode_amount(amount)

    def prepare_sheets(self, draws: Sequence[tuple[int, bytes]]) -> None:
        """For `send_hundred`: numbers of kinds and encoded amounts, sent over and over."""
        hundreds = [
            sheet_of(self._press, draws[begin : begin + HUNDRED])
            for begin in range(0, len(draws) - HUNDRED + 1, HUNDRED)
        ]
        self._sheets = cycle(hundreds)

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

    def turn_to(self, second: int) -> None:
        """What follows is sent in `second` (since the epoch)."""
        self._press.turn_to(second)

    def send(  # noqa: PLR0913, PLR0917 - called for every message, where names cost time
        self, kind: int, card: int, amount: bytes, serial: int, intended: float, now: float
    ) -> None:
        """Put message number `serial` on the next link, to be written by `flush`."""
        self.offered += 1
        if not self.links:
            self.errors[ErrorKind.UNSENT] += 1
            return
        link = self._next_link()
        frame, stan, values = self._press.render(kind, card, amount, serial)
        if link.book.expect(stan, Waiting(values, intended, now + self._response_seconds)):
            link.put(frame)
            self._written.append(intended)
        else:
            self.errors[ErrorKind.UNSENT] += 1

    def send_hundred(
        self, cards: Sequence[int], serial: int, intended: Sequence[float], now: float
    ) -> None:
        """Put the hundred messages from number `serial` on the next link.

        What they are late is told as of the first.
        """
        self.offered += HUNDRED
        if not self.links:
            self.errors[ErrorKind.UNSENT] += HUNDRED
            return
        link = self._next_link()
        frames, names = render_sheet(self._press, next(self._sheets), cards, serial)
        hundred = Hundred(names, intended, now + self._response_seconds)
        if link.book.hundreds.expect(hundred):
            link.put(frames)
            self._written += [intended[0]] * HUNDRED
        else:
            self.errors[ErrorKind.UNSENT] += HUNDRED

    def _next_link(self) -> Link:
        self._turn = (self._turn + 1) % len(self.links)
        return self.links[self._turn]

    def skip(self) -> None:
        """A message was intended, and as many are in flight as may be."""
        self.offered += 1
        self.errors[ErrorKind.UNSENT] += 1

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
        self._expire(link, now)
        for fields in answers:
            if isinstance(fields, ErrorKind):
                self.errors[fields] += 1
                continue
            found = link.book.answered(fields)
            if isinstance(found, ErrorKind):
                self.errors[found] += 1
                continue
            code = fields.get("39", "")
            if not code:
                self.errors[ErrorKind.UNREADABLE] += 1
                continue
            self.codes[code] += 1
            if code in NOT_DECIDED:
                self.errors[ErrorKind.UNDECIDED] += 1
            self.latencies.append(int((now - found.intended) * 1e6))
            self.last_answer = now
        if not link.is_open:
            self._lose(link)

    def expire(self, now: float) -> None:
        """Give up what the network's timer is over for."""
        for link in self.links:
            self._expire(link, now)

    def counts(self) -> Counts:
        """What was counted since the last call."""
        counts = Counts(
            offered=self.offered,
            sent=len(self.lags),
            codes=dict(self.codes),
            errors={kind.value: count for kind, count in self.errors.items()},
            latencies=self.latencies.tobytes(),
            lags=self.lags.tobytes(),
        )
        self._clear()
        return counts

    def _expire(self, link: Link, now: float) -> None:
        if expired := link.book.expire(now):
            self.errors[ErrorKind.TIMEOUT] += expired

    def _lose(self, link: Link) -> None:
        self.links.remove(link)
        if lost := link.book.drain():
            self.errors[ErrorKind.LOST] += lost
        link.close()

    def _clear(self) -> None:
        self.offered = 0
        self.codes: Counter[str] = Counter()
        self.errors: Counter[ErrorKind] = Counter()
        self.latencies = array("I")
        self.lags = array("I")
