"""One network's side of the crash test, without sockets: what it asked, and what it was told.

It keeps every request and the first answer that decided it, and never forgets any of them. What
was not answered, or only with 91 or 96, is asked again, as a repeat with the same key, until it is
decided, or reversed as a network does that gave up. What the network believes of the money follows
from the answers alone (:mod:`networks.beliefs`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from cardrail.crashtest.traffic import draw_plan
from networks.agenda import Deed, Errand, following
from networks.beliefs import APPROVALS, Belief
from networks.composing import compose
from networks.followups import repeat_of
from networks.life import Life
from networks.network import Network
from networks.numbering import Numbering
from networks.record import ACKNOWLEDGED, Record
from networks.simulator import NOT_DECIDED, Key, match_key
from networks.wire.messages import CardMessage, CardRequest, Reversal

_EPOCH = 1_795_311_045  # 2026-11-22 01:30:45 GMT: what messages say does not depend on the clock
_MESSAGES_A_SECOND = 1000  # of that time
_FOLLOWING_SHARE = 0.55  # of the messages that are about an earlier sale, where one has any left
_DECLINED_SHARE = 0.5
_ATTEMPTS = 5  # at an authorization that is answered 91, before it is given up
_LATEST_AGAIN, _EARLIER_AGAIN = 64, 32  # answered requests that are repeated after a restart


@dataclass(slots=True, eq=False)
class Asked:
    """One request, and the first answer that decided it; repeats are counted in `attempts`."""

    life: Life
    deed: Deed
    request: CardRequest
    attempts: int = 0
    response: CardMessage | None = None
    response_bytes: bytes = b""

    @property
    def acknowledged(self) -> bool:
        """Whether an answer was read whole, and said yes."""
        if self.response is None:
            return False
        accepted = ACKNOWLEDGED if isinstance(self.request, Reversal) else APPROVALS
        return self.response.response_code in accepted

    @property
    def is_approval(self) -> bool:
        """Whether the issuer has promised something by itself (0110 with yes)."""
        return self.acknowledged and self.request.mti == "0100"


@dataclass(frozen=True, slots=True)
class Differing:
    """A repeat that was not answered as the first time."""

    asked: Asked
    response: CardMessage


class Client:
    """One network. `requests` is the record, in the order of asking."""

    def __init__(self, network: Network, random: Random, cards: int) -> None:
        self.network = network
        self.requests: list[Asked] = []
        self.differing: list[Differing] = []
        self.sent_count = 0
        self.repeated_count = 0
        self._random = random
        self._cards = cards
        self._numbering = Numbering()
        self._numbered = 0
        self._record = Record(network.name, _keep)
        self._lives: list[Life] = []
        self._ready: list[Life] = []  # with an errand to come
        self._in_flight: dict[Key, Asked] = {}
        self._to_ask: deque[Asked] = deque()
        self._unanswered: list[Asked] = []
        self._undecided: list[Asked] = []
        self._decided: list[Asked] = []  # in the order of their answers

    @property
    def in_flight(self) -> int:
        """How many requests wait for an answer."""
        return len(self._in_flight)

    @property
    def open_count(self) -> int:
        """How many requests have come to no decision yet."""
        return sum(map(len, (self._in_flight, self._unanswered, self._undecided, self._to_ask)))

    @property
    def approvals_count(self) -> int:
        """How many approvals were read whole."""
        return sum(asked.is_approval for asked in self.requests)

    def beliefs(self) -> Iterator[Belief]:
        """What is believed of every sale now."""
        for life in self._lives:
            yield life.belief

    # What to send.

    def next_request(self) -> CardRequest:
        """More load: the next message of a sale under way, or a new sale."""
        while True:
            if self._ready and self._random.random() < _FOLLOWING_SHARE:
                asked = self._go_on(self._take_ready())
            else:
                asked = self._begin()
            if asked is not None:
                return self._send(asked)

    def prepare_repeats(self) -> None:
        """Have `next_repeat` ask again what was not decided, and some of what was.

        A gateway that answers 91 to an authorization has to see to it, or whoever comes after it,
        that nothing stays held: many of those are not asked about again, or not reversed.
        """
        again = self._decided[-_LATEST_AGAIN:]
        earlier = self._decided[:-_LATEST_AGAIN]
        again += self._random.sample(earlier, min(_EARLIER_AGAIN, len(earlier)))
        self._to_ask.extend((*self._unanswered, *again))
        self._unanswered.clear()
        self._undecided = [each for each in self._undecided if not self._takes_as_decline(each)]
        self.ask_undecided_again()

    def ask_undecided_again(self) -> None:
        """Have `next_repeat` ask again what was answered 91; give up what never comes of it."""
        undecided, self._undecided = self._undecided, []
        for asked in undecided:
            if not _may_be_given_up(asked) or asked.attempts < _ATTEMPTS:
                self._to_ask.append(asked)
            elif not self._takes_as_decline(asked):
                self._reverse(asked)

    def next_repeat(self) -> CardRequest | None:
        """The next message of those, ``None`` if all are sent."""
        return self._send(self._to_ask.popleft()) if self._to_ask else None

    def _begin(self) -> Asked | None:
        names = self._numbering.take(self._second())
        plan = draw_plan(self.network, self._random, names, self._cards)
        life = Life.begin(plan, 0.0, self._record.begin(plan.request))
        self._lives.append(life)
        return self._go_on(life)

    def _go_on(self, life: Life) -> Asked | None:
        """The request of the present errand, if there is something to ask for."""
        if life.errand.deed is Deed.OPEN:
            message: CardRequest | None = life.plan.request
        else:
            message = compose(self.network, life, self._numbering.take(self._second()))
        if message is None:
            self._advance(life)
            return None
        life.message = message
        asked = Asked(life, life.errand.deed, message)
        self.requests.append(asked)
        return asked

    def _takes_as_decline(self, asked: Asked) -> bool:
        return _may_be_given_up(asked) and self._random.random() < _DECLINED_SHARE

    def _reverse(self, asked: Asked) -> None:
        """The authorization stays undecided: it is taken back, and nothing else follows."""
        life = asked.life
        if life.belief.reversed:
            return
        life.errand = Errand(Deed.TIME_OUT)
        reversal = self._go_on(life)
        assert reversal is not None
        self._to_ask.append(reversal)

    def _send(self, asked: Asked) -> CardRequest:
        message = repeat_of(asked.request) if asked.attempts else asked.request
        self.sent_count += 1
        self.repeated_count += bool(asked.attempts)
        asked.attempts += 1
        self._in_flight[match_key(message)] = asked
        return message

    def _take_ready(self) -> Life:
        place = self._random.randrange(len(self._ready))
        self._ready[place], self._ready[-1] = self._ready[-1], self._ready[place]
        return self._ready.pop()

    def _second(self) -> int:
        self._numbered += 1
        return _EPOCH + self._numbered // _MESSAGES_A_SECOND

    # What came back.

    def answered(self, request: CardRequest, response: CardMessage, message_bytes: bytes) -> bool:
        """`request` was answered by `response`, whose bytes without header are `message_bytes`;
        whether that decides it.
        """
        asked = self._in_flight.pop(match_key(request))
        if response.response_code in NOT_DECIDED:
            self._undecided.append(asked)
            return False
        if asked.response is not None:
            if message_bytes != asked.response_bytes:
                self.differing.append(Differing(asked, response))
        else:
            asked.response, asked.response_bytes = response, message_bytes
            self._decided.append(asked)
            self._note(asked, response)
        return True

    def unanswered(self, request: CardRequest) -> None:
        """The link or the timer ended before the answer came."""
        asked = self._in_flight.pop(match_key(request))
        (self._unanswered if asked.response is None else self._to_ask).append(asked)

    def _note(self, asked: Asked, response: CardMessage) -> None:
        life = asked.life
        if asked.deed is Deed.OPEN:
            approved = self._record.note_opening(life, response, now=0.0)
            life.follow(following(life.plan, approved=approved))
        else:
            self._record.note_acknowledgement(life, response)
        self._advance(life)

    def _advance(self, life: Life) -> None:
        if life.agenda:
            life.errand = life.agenda.popleft()
            self._ready.append(life)


def _may_be_given_up(asked: Asked) -> bool:
    """Only what asks for a decision, and has none; an advice or a clearing must arrive."""
    return asked.request.mti == "0100" and asked.response is None


def _keep(_belief: Belief) -> None:
    """Beliefs are read from the lives; no life ends here."""
