"""One request from its arrival to its answer, with a deadline in between.

A plain object moved on by callbacks: no task is made for a request. It is answered exactly once;
what the ledger decides after the answer is dealt with in `decided`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from gateway.cards import Card
from gateway.case import Case
from gateway.checks import Refusal
from gateway.handlers import Handler
from gateway.response_codes import ISSUER_UNAVAILABLE, RESPONSE_CODES
from ledger.commands import AnyCommand, Authorize, Decision
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, LedgerLate, Undecided, WriterStopped
from networks.wire.errors import EncodeError
from networks.wire.messages import CardRequest, CardResponse, Message
from networks.wire.respond import respond
from networks.wire.session_events import RequestReceived

if TYPE_CHECKING:
    from gateway.processor import Processor

_WHY_UNDECIDED = {
    Undecided.NOT_DONE: "the ledger failed",
    Undecided.UNKNOWN: "the ledger failed",
    Undecided.LATE: "not decided before the deadline",
}
_NO_SUCH_CARD = Refusal(Outcome.INSTRUMENT_UNKNOWN, "no such card")


class Replies(Protocol):
    """Where answers go: a link."""

    def respond(self, event: RequestReceived, response: Message) -> bytes:
        """Send `response` to the request of `event`; EncodeError if it cannot be sent.

        Gives the frame; an empty one if the link has ended.
        """


class Exchange:
    """The life of one request about a card.

    `at` is its arrival in microseconds since the epoch; `started` and `deadline` are seconds of
    the monotonic clock, which the event loop's timers follow. (The loop's own reading of it stands
    still for a whole turn.) `sent` is the frame of the answer.
    """

    __slots__ = (
        "_case",
        "_command",
        "_first",
        "_handler",
        "_link",
        "_processor",
        "answered",
        "at",
        "card",
        "deadline",
        "event",
        "request",
        "sent",
        "started",
    )

    def __init__(
        self, processor: Processor, link: Replies, event: RequestReceived, handler: Handler
    ) -> None:
        request = event.message
        assert isinstance(request, CardRequest)
        self._processor = processor
        self._link = link
        self._handler = handler
        self.event = event
        self.request = request
        self.at = int(event.at * 1_000_000)
        self.started = time.monotonic()
        self.deadline = self.started + processor.policy.deadline_seconds
        self.answered = False
        self.sent = b""
        self.card: Card | None = None
        self._case: Case | None = None
        self._command: AnyCommand | None = None
        self._first: tuple[AnyCommand, Decision] | None = None

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

    def decided(self, decision: Decision | Undecided) -> None:
        """The ledger has answered, or tells why it has not.

        A mistake of ours must not keep the other decisions of the commit from their requests:
        it is reported, and this one request is answered at its deadline.
        """
        try:
            self._on_decision(decision)
        except Exception as error:  # noqa: BLE001 - see above
            self._processor.report(error)

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

    def overdue(self) -> None:
        """Its time is over: 91, and what the ledger may still approve is not to stay."""
        asked = self._command if self._first is None else self._first[0]
        if asked is not None:
            self._processor.late_decisions.expect(asked)
        self.unavailable("not decided before the deadline")

    def _on_decision(self, decision: Decision | Undecided) -> None:
        command, case = self._command, self._case
        assert command is not None
        assert case is not None
        if self.answered:
            self._settle(command, decision)
        elif isinstance(decision, Undecided):
            self._give_up(_WHY_UNDECIDED[decision], decision)
        elif self._processor.late_decisions.has_taken_back(command):
            self._give_up("a repeat of what was decided too late and is taken back", decision)
        else:
            self._go_on(command, decision, case)

    def _go_on(self, command: AnyCommand, decision: Decision, case: Case) -> None:
        follow = self._handler.follow
        if follow is not None and self._first is None:
            following = follow(self.request, command, decision, case)
            if following is not None:
                self._first = command, decision
                self._submit(following)
                return
        if self._first is not None:
            command, decision = self._first
        answer = self._reply(self._handler.answer(self.request, command, decision))
        self._processor.tell_decided(self, answer, decision)

    def _submit(self, command: AnyCommand) -> None:
        """Only what is new has to be decided in time: all else tells what has happened already."""
        self._command = command
        decide_by = int(self.deadline * 1e9) if isinstance(command, Authorize) else None
        try:
            self._processor.submit(command, self.decided, decide_by)
        except (LedgerBusy, LedgerLate, WriterStopped) as reason:
            self._give_up(str(reason) or "the gateway is stopping")

    def _give_up(self, reason: str, decision: Decision | Undecided = Undecided.NOT_DONE) -> None:
        assert self._command is not None
        self._settle(self._command, decision)
        self.unavailable(reason)

    def _settle(self, command: AnyCommand, decision: Decision | Undecided) -> None:
        """The request is answered 91: what was approved for it must not stay."""
        if self._first is not None:
            command, decision = self._first
        self._processor.late_decisions.settle(command, decision)

    def _reply(self, answer: CardResponse) -> CardResponse:
        """Send `answer`, or 96 if it cannot be written; gives what was sent."""
        self.answered = True
        try:
            self.sent = self._link.respond(self.event, answer)
        except EncodeError as error:
            self._processor.report(error)
            answer = respond(self.request, response_code=error.response_code)
            self.sent = self._link.respond(self.event, answer)
        self._processor.answered()
        return answer
