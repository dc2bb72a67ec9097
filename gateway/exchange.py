"""One request from its arrival to its answer, with a deadline in between.

A plain object moved on by callbacks: no task is made for a request. It is answered exactly once;
what the ledger decides after the answer is dealt with in `decided`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from networks.wire.session import RequestReceived

from gateway.cards import Card
from gateway.case import Case
from gateway.checks import Refusal
from gateway.handlers import Handler
from gateway.response_codes import ISSUER_UNAVAILABLE, RESPONSE_CODES
from ledger.commands import AnyCommand, Decision
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, WriterStopped
from networks.wire.messages import CardRequest, CardResponse, Message
from networks.wire.respond import respond

if TYPE_CHECKING:
    from gateway.processor import Processor

_NO_SUCH_CARD = Refusal(Outcome.INSTRUMENT_UNKNOWN, "no such card")


class Replies(Protocol):
    """Where answers go: a link."""

    def respond(self, event: RequestReceived, response: Message) -> None:
        """Send `response` to the request of `event`."""


class Exchange:
    """The life of one request about a card.

    `at` is its arrival in microseconds since the epoch; `started` and `deadline` are seconds of
    the event loop's clock.
    """

    __slots__ = (
        "_case",
        "_command",
        "_event",
        "_handler",
        "_held",
        "_link",
        "_processor",
        "answered",
        "at",
        "card",
        "deadline",
        "request",
        "started",
    )

    def __init__(
        self, processor: Processor, link: Replies, event: RequestReceived, handler: Handler
    ) -> None:
        request = event.message
        assert isinstance(request, CardRequest)
        self._processor = processor
        self._link = link
        self._event = event
        self._handler = handler
        self.request = request
        self.at = processor.clock()
        self.started = processor.loop_time()
        self.deadline = self.started + processor.policy.deadline_seconds
        self.answered = False
        self.card: Card | None = None
        self._case: Case | None = None
        self._command: AnyCommand | None = None
        self._held: AnyCommand | None = None

    def with_card(self, card: Card | None) -> None:
        """The card has been looked for: decide, or say that there is none."""
        if self.answered:
            return
        if card is None:
            self.refuse(_NO_SUCH_CARD)
            return
        self.card = card
        self._case = self._processor.case(card, self.at)
        prepared = self._handler.prepare(self.request, self._case)
        if isinstance(prepared, Refusal):
            self.refuse(prepared)
        else:
            self._submit(prepared)

    def decided(self, decision: Decision | None) -> None:
        """The ledger has answered; ``None`` if it could not."""
        command, case = self._command, self._case
        assert command is not None
        assert case is not None
        if self.answered:
            self._processor.late_decisions.settle(self._held or command, decision)
        elif decision is None:
            self.unavailable("the ledger failed")
        elif self._processor.late_decisions.has_taken_back(command):
            self.unavailable("a repeat of what was decided too late and is taken back")
        else:
            self._go_on(command, decision, case)

    def refuse(self, refusal: Refusal) -> None:
        """Decline without the ledger."""
        code = RESPONSE_CODES[refusal.outcome]
        self._reply(respond(self.request, response_code=code))
        self._processor.tell_undecided(self, code, refusal.outcome.name, refusal.explanation)

    def unavailable(self, reason: str) -> None:
        """91: no decision is to be had, or not in time. What is under way goes on."""
        if self.answered:
            return
        self._reply(respond(self.request, response_code=ISSUER_UNAVAILABLE))
        self._processor.tell_undecided(self, ISSUER_UNAVAILABLE, "UNAVAILABLE", reason)

    def _go_on(self, command: AnyCommand, decision: Decision, case: Case) -> None:
        follow = self._handler.follow
        following = follow(command, decision, case) if follow and self._held is None else None
        if following is not None:
            self._held = command
            self._submit(following)
            return
        answer = self._handler.answer(self.request, self._held or command, decision)
        self._reply(answer)
        self._processor.tell_decided(self, answer, decision)

    def _submit(self, command: AnyCommand) -> None:
        self._command = command
        try:
            self._processor.submit(command, self.decided)
        except (LedgerBusy, WriterStopped) as reason:
            self.unavailable(str(reason) or "the gateway is stopping")
            if self._held is not None:
                self._processor.late_decisions.take_back(self._held)

    def _reply(self, answer: CardResponse) -> None:
        self.answered = True
        self._link.respond(self._event, answer)
        self._processor.answered()
