"""Locust users: each pays with cards over the one link of its network, and waits for answers.

Tasks are the kinds of `loadtest.traffic` with their weights. What is approved goes on as on a real
network: most of it is cleared, some is reversed, some repeated because the answer is not believed
to have come. Every answer that does not approve is a failure, named by its response code.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, ClassVar

from locust import TaskSet, User, constant_throughput

from loadtest.figures import approves
from loadtest.followups import clearing_of, repeat_of, reversal_of
from loadtest.gevent_link import GeventLink, NoAnswer
from loadtest.numbering import Numbering, Particulars, particulars
from loadtest.targets import TARGETS, Target
from loadtest.traffic import KINDS, Kind, draw_amount
from networks.wire.dialects import QUICPAY, VISANET
from networks.wire.messages import AuthorizationRequest, CardRequest, CardResponse
from networks.wire.response_codes import RESPONSE_CODES
from networks.wire.session_events import AnswerReceived

_A_SECOND = 10  # authorizations of one user
_REPEATED, _REVERSED, _CLEARED = 0.025, 0.03, 0.80
_ENDS_WITH_ITSELF = frozenset({"account verification", "balance inquiry", "fuel", "refund"})


class Declined(Exception):
    """An answer that does not approve."""

    def __init__(self, code: str) -> None:
        known = RESPONSE_CODES.get(code)
        super().__init__(f"{code} {known.meaning if known else 'unknown response code'}")


class RepeatDiffers(Exception):
    """A repeat was not answered like the first time, byte for byte."""


class Iso8583User(User):
    """Pays again and again. `link` and `numbering` are set when a test starts."""

    abstract = True
    wait_time = constant_throughput(_A_SECOND)

    target: ClassVar[Target]
    link: ClassVar[GeventLink]
    numbering: ClassVar[Numbering]
    accounts: ClassVar[int] = 1000
    chance: ClassVar[random.Random] = random.Random()  # noqa: S311 - traffic, not secrets

    def pay(self, kind: Kind) -> None:
        """One authorization of this kind, and what comes after it."""
        request = kind.build(self._particulars())
        first = self._ask(request, kind.name)
        if first is None or not isinstance(request, AuthorizationRequest):
            return
        answer = first.response
        assert isinstance(answer, CardResponse)
        die = self.chance.random()
        if die < _REPEATED:
            self._ask(repeat_of(request), kind.name, first.response_bytes)
        elif kind.name in _ENDS_WITH_ITSELF:
            return
        elif die < _REPEATED + _REVERSED:
            reversal = reversal_of(self.target.dialect, request, self._particulars())
            self._ask(reversal, "reversal")
        elif die < _REPEATED + _REVERSED + _CLEARED:
            dialect, given = self.target.dialect, self._particulars()
            self._ask(clearing_of(dialect, request, answer, given), "clearing")

    def _ask(
        self, request: CardRequest, name: str, expected: bytes | None = None
    ) -> AnswerReceived | None:
        """The answer if it approves; locust is told in any case.

        `expected` are the bytes of an answer that was given before.
        """
        started = time.perf_counter()
        received, failure = None, None
        try:
            received = self.link.ask(request)
            failure = _failure(received, expected)
        except NoAnswer as error:
            failure = error
        self.environment.events.request.fire(
            request_type=self.target.name,
            name=f"{request.mti} {name}",
            response_time=(time.perf_counter() - started) * 1000,
            response_length=0 if received is None else len(received.response_bytes),
            exception=failure,
            context={},
        )
        return received if failure is None else None

    def _particulars(self) -> Particulars:
        card, amount = self.chance.randrange(self.accounts) + 1, draw_amount(self.chance)
        return particulars(card, amount, int(time.time()), self.numbering.take())


def _failure(received: AnswerReceived, expected: bytes | None) -> Exception | None:
    answer = received.response
    code = answer.response_code if isinstance(answer, CardResponse) else ""
    if expected is not None and received.response_bytes != expected:
        return RepeatDiffers("a repeat was answered otherwise than the first time")
    return None if approves(code) else Declined(code)


def _tasks(network: str) -> list[TaskSet | Callable[..., Any]]:
    """A task for each kind, as often as its weight says: locust draws one of the list."""

    def task_of(kind: Kind) -> Callable[[Iso8583User], None]:
        return lambda user: user.pay(kind)

    return [each for kind in KINDS[network] for each in [task_of(kind)] * round(kind.weight * 1000)]


class VisanetUser(Iso8583User):
    """A card on the VisaNet-like network."""

    target = TARGETS[VISANET.name]
    tasks = _tasks(VISANET.name)


class QuicpayUser(Iso8583User):
    """A phone or card that taps (QPX-1)."""

    target = TARGETS[QUICPAY.name]
    tasks = _tasks(QUICPAY.name)
