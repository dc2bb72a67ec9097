"""The shared engine of the simulated networks, without sockets and without a clock.

:class:`Simulator` says what to send and when, and is told what came back. Opening messages are
sent at their intended times whatever the issuer does (open loop); everything later is scheduled
after the answer before it. Once no authorization is left to begin, what is still to come is sent
at once, a window at a time, so that a run ends with everything settled.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from networks.agenda import Deed, Errand, following
from networks.beliefs import Belief
from networks.composing import compose
from networks.followups import repeat_of
from networks.life import Life
from networks.network import Network
from networks.numbering import Numbering
from networks.record import Record
from networks.schedule import Run, Schedule, arrivals
from networks.wire.messages import CardMessage, CardRequest

Key = tuple[str, str, str]

NOT_DECIDED = frozenset({"91", "96"})  # DE 39: the issuer could not say; ask again later
_AUTHORIZATION = "010"  # MTI
_RUNS_APART = 270  # between the first numbers of runs that begin a second apart


def match_key(message: CardMessage) -> Key:
    """What a request and its answer have in common: class of the MTI, STAN, DE 7."""
    return message.mti[1] + str(int(message.mti[2]) & ~1), message.stan, message.transmission


class Simulator:
    """One run of one network.

    `begin` is the monotonic second of the first slot and `epoch` the second since 1970 at that
    moment; `settled` receives every belief once nothing more will happen to it.
    """

    def __init__(
        self,
        network: Network,
        run: Run,
        settled: Callable[[Belief], None],
        *,
        begin: float,
        epoch: float,
    ) -> None:
        self.network = network
        self.run = run
        self._record = Record(network.name, settled)
        self.tally = self._record.tally
        self._begin = begin
        self._epoch = epoch
        self._random = Random(run.seed)  # noqa: S311  # traffic, not secrets
        self._numbering = Numbering(int(epoch) % 3600 * _RUNS_APART)
        times = arrivals(Random(run.seed + 1), run)  # noqa: S311  # traffic, not secrets
        self._schedule = Schedule(times, begin)
        self._in_flight: dict[Key, Life] = {}
        self._awaited: dict[Key, Life] = {}  # timed out, and may be answered yet

    # What to send.

    @property
    def in_flight(self) -> int:
        """Messages sent and neither answered nor given up."""
        return len(self._in_flight)

    @property
    def beginning(self) -> bool:
        """Whether authorizations are still to begin."""
        return self._schedule.beginning

    @property
    def finished(self) -> bool:
        """Whether nothing is left to send or to wait for."""
        return self._schedule.is_empty and not self._in_flight

    def next_due(self) -> float | None:
        """When `due` will next have something, monotonic; ``None`` when only an answer can tell."""
        due = self._schedule.next_due(may_hurry=self.in_flight < self.run.window)
        return None if due is None else due - self.run.ahead_seconds

    def due(self, now: float) -> CardRequest | None:
        """The next message that has to be sent by `now`."""
        while (life := self._take(now)) is not None:
            message = self._message(life, now)
            if message is not None:
                life.message = message
                life.attempts += 1
                self._in_flight[match_key(message)] = life
                self.tally.counts["sent"] += 1
                return message
            self._advance(life, now)
        return None

    def _take(self, now: float) -> Life | None:
        by = now + self.run.ahead_seconds
        intended = self._schedule.take_arrival(by)
        if intended is not None:
            return self._begin_life(intended, now)
        return self._schedule.take_life(by, may_hurry=self.in_flight < self.run.window)

    def _begin_life(self, intended: float, now: float) -> Life:
        names = self._numbering.take(self._second(now))
        plan = self.network.draw_plan(self._random, names, self.run.cards, self.run.pace)
        return Life.begin(plan, intended, self._record.begin(plan.request))

    def _message(self, life: Life, now: float) -> CardRequest | None:
        """The message of the present errand; the same one, marked as a repeat, from the second
        attempt on.
        """
        if life.attempts:
            return repeat_of(life.message)
        if life.errand.deed is Deed.OPEN:
            life.opened_at = now
            return life.plan.request
        names = self._numbering.take(self._second(now))
        message = compose(self.network, life, names)
        if message is not None and life.errand.deed is Deed.INCREMENT:
            self._record.begin_increment(life, message)
        return message

    def _second(self, now: float) -> int:
        return int(self._epoch + now - self._begin)

    # What came back.

    def answered(
        self, request: CardRequest, response: CardMessage, message_bytes: bytes, now: float
    ) -> None:
        """`request` was answered by `response`, whose bytes without header are `message_bytes`."""
        life = self._in_flight.pop(match_key(request))
        self.tally.counts["answered"] += 1
        deed, code = life.errand.deed, response.response_code
        must_arrive = deed is Deed.REPEAT or request.mti[:3] != _AUTHORIZATION
        if code in NOT_DECIDED and must_arrive:
            self._retry(life, now, code)
        elif deed is Deed.OPEN:
            self._opened(life, response, message_bytes, now)
        elif deed is Deed.REPEAT:
            self._record.note_repeat(life, message_bytes)
            self._advance(life, now)
        else:
            self._record.note_acknowledgement(life, response)
            self._advance(life, now)

    def timed_out(self, request: CardRequest, now: float) -> None:
        """The network's timer ran out: reverse what may have been approved, repeat the rest."""
        life = self._in_flight.pop(match_key(request))
        self.tally.counts["timeouts"] += 1
        if life.errand.deed is Deed.OPEN and life.plan.request.mti == "0100":
            self._awaited[match_key(request)] = life
            life.agenda.clear()
            if not life.belief.reversed:
                life.agenda.append(Errand(Deed.TIME_OUT))
            self._advance(life, now)
        else:
            self._retry(life, now, "unanswered")

    def lost(self, request: CardRequest, now: float) -> None:
        """The link broke before an answer came: ask again, as a repeat."""
        self._retry(self._in_flight.pop(match_key(request)), now, "unanswered")

    def rejected(self, request: CardRequest, code: str) -> None:
        """The issuer gave the message back unread: sending it again would change nothing."""
        self._give_up(self._in_flight.pop(match_key(request)), f"reject {code}")

    def late(self, response: CardMessage, now: float) -> None:
        """An answer came after its timer; the reversal that is on its way prevails."""
        life = self._awaited.pop(match_key(response), None)
        if life is None:
            return
        self.tally.counts["late"] += 1
        self._record.note_opening(life, response, now)
        if life.over:
            self._record.close(life)

    def stop(self) -> None:
        """Begin no more authorizations; what was begun is settled."""
        self._schedule.stop()

    def abandon(self) -> None:
        """Nothing can be sent any more: whatever is unfinished stays unanswered."""
        waiting, retried = self._schedule.clear()
        self.tally.counts["unanswered"] += len(self._in_flight) + len(retried)
        for life in (*waiting, *retried, *self._in_flight.values()):
            self._record.close(life)
        self._in_flight = {}
        self.close()

    def close(self) -> None:
        """The run is over: what never was answered is now known to be so."""
        self.tally.counts["unanswered"] += len(self._awaited)
        for life in self._awaited.values():
            self._record.close(life)
        self._awaited = {}

    @property
    def kept_its_promises(self) -> bool:
        """Every request was answered, every repeat got the first answer's bytes, and nothing
        reversed was approved afterwards.
        """
        counts = self.tally.counts
        failures = ("unanswered", "repeats_differing", "broken_promises")
        return not any(counts[name] for name in failures)

    def _opened(self, life: Life, response: CardMessage, message_bytes: bytes, now: float) -> None:
        life.first_answer = message_bytes
        approved = self._record.note_opening(life, response, now)
        if response.response_code not in NOT_DECIDED:
            life.follow(following(life.plan, approved=approved))
        self._advance(life, now)

    # What comes next.

    def _advance(self, life: Life, now: float) -> None:
        if not life.agenda:
            self._end(life)
            return
        life.errand = life.agenda.popleft()
        life.attempts = 0
        seconds = life.errand.seconds
        due = life.opened_at + self.network.response_seconds if seconds is None else now + seconds
        self._schedule.add(due, life)

    def _retry(self, life: Life, now: float, reason: str) -> None:
        if life.attempts < self.run.attempts:
            self._schedule.add_retry(now + self.run.retry_after(life.attempts), life)
        else:
            self._give_up(life, reason)

    def _give_up(self, life: Life, reason: str) -> None:
        self.tally.refused[f"{life.errand.deed} {reason}"] += 1
        self.tally.counts["unanswered"] += 1
        life.agenda.clear()
        self._end(life)

    def _end(self, life: Life) -> None:
        """The life is over, unless a late answer may still come."""
        life.over = True
        if life.belief.answered or match_key(life.plan.request) not in self._awaited:
            self._record.close(life)
