"""Decides the requests of one network: finds the card, has the case decided, watches deadlines.

One timer serves all deadlines: exchanges wait in order of arrival and are taken off at the front
as they are answered.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.amounts import letters_or_blank
from gateway.approval_codes import ApprovalCodes
from gateway.business_day import BusinessCalendar
from gateway.card_registry import CardLookups, CardRegistry, TooManyLookups
from gateway.cards import Card
from gateway.case import Case
from gateway.checks import refuse_format
from gateway.exchange import Exchange, Replies
from gateway.feed import Feed
from gateway.handlers import HANDLERS
from gateway.late_decisions import LateDecisions
from gateway.late_journal import LateJournal
from gateway.metrics import NetworkMetrics
from gateway.policy import Policy
from gateway.records import DecisionRecord
from gateway.response_codes import APPROVED
from gateway.vault import PanVault
from ledger.commands import AnyCommand, Decision
from ledger.outcomes import NAMES
from ledger.writer import LedgerWriter, OnDecided
from networks.wire.masking import mask_pan
from networks.wire.messages import Advice, CardRequest, CardResponse
from networks.wire.respond import acknowledge
from networks.wire.session_events import RequestReceived


class Submit(Protocol):
    """As `LedgerWriter.submit`."""

    def __call__(
        self, command: AnyCommand, on_decided: OnDecided, decide_by: int | None = None
    ) -> None:
        """Raises what it raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """What the processors of all networks share.

    `tell` takes the record of every answer and must not block; `feed` takes what was received and
    sent besides, while somebody watches.
    """

    vault: PanVault
    registry: CardRegistry
    lookups: CardLookups
    writer: LedgerWriter
    policy: Policy
    codes: ApprovalCodes
    tell: Callable[[DecisionRecord], None]
    feed: Feed
    journal: LateJournal


class Processor:
    """The requests of one network. Belongs to the running event loop."""

    def __init__(self, network: str, issuer: Issuer) -> None:
        self._network = network
        self._issuer = issuer
        self._loop = asyncio.get_running_loop()
        self._calendar = BusinessCalendar(issuer.policy.business_day_offset_minutes)
        self._waiting: deque[Exchange] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._idle: asyncio.Future[None] | None = None
        self._tell_log = issuer.tell
        self._feed = issuer.feed
        self.metrics = NetworkMetrics()
        self.policy = issuer.policy
        self.submit: Submit = issuer.writer.submit
        self.is_crowded: Callable[[], bool] = issuer.writer.is_crowded
        self.late_decisions = LateDecisions(self.submit, self._loop.call_later, issuer.journal)

    @property
    def waiting_count(self) -> int:
        """How many requests wait for their answer."""
        return len(self._waiting)

    def receive(self, link: Replies, event: RequestReceived) -> None:
        """Take a request off a link; its answer is sent now or by a callback."""
        request = event.message
        handler = HANDLERS.get(request.mti[1:3])
        if handler is None or not isinstance(request, CardRequest):
            self._take_note(link, event)
            return
        exchange = Exchange(self, link, event, handler)
        if self._idle is not None:
            exchange.unavailable("the gateway is stopping")
            return
        refusal = refuse_format(request)
        if refusal is not None:
            exchange.refuse(refusal)
            return
        self._wait(exchange)
        index = self._issuer.vault.index(request.pan)
        card = self._issuer.registry.find(index)
        if card is not None or self._issuer.registry.is_absent(index, exchange.started):
            exchange.with_card(card)
        else:
            self._look_up(exchange, index)

    def case(self, card: Card, at: int) -> Case:
        """What handlers know of a request besides the message."""
        codes = self._issuer.codes
        return Case(self._network, self.policy, codes, card, self._calendar.day(at), at)

    def answered(self) -> None:
        """Some exchange has been answered."""
        waiting = self._waiting
        while waiting and waiting[0].answered:
            waiting.popleft()
        if self._idle is not None and not waiting and not self._idle.done():
            self._idle.set_result(None)

    async def drain(self, seconds: float) -> None:
        """Answer new requests 91 from now on; wait for what is under way, so long at most."""
        self._idle = self._loop.create_future()
        if self._waiting:
            await asyncio.wait([self._idle], timeout=seconds)
        if self._timer is not None:
            self._timer.cancel()

    def report(self, error: Exception) -> None:
        """Tell of a mistake of ours; the request it struck is answered 91 or 96."""
        self.metrics.failures_count += 1
        self._loop.call_exception_handler({"message": "a request failed", "exception": error})

    def tell_decided(self, exchange: Exchange, answer: CardResponse, decision: Decision) -> None:
        """Record an answer that the ledger gave."""
        request, card = exchange.request, exchange.card
        assert card is not None
        if type(request) is Advice and not decision.replayed:
            self.metrics.advised(request)
        self._tell(
            DecisionRecord(
                at=exchange.at,
                network=self._network,
                mti=request.mti,
                transmission=request.transmission,
                stan=request.stan,
                rrn=request.rrn,
                transaction_id=request.transaction_id,
                pan=card.masked_pan,
                amount=decision.amount,
                currency=decision.currency,
                response_code=answer.response_code,
                outcome=NAMES[decision.outcome],
                explanation=decision.explanation,
                approval_code=decision.approval_code,
                replayed=decision.replayed,
                account_id=card.account_id,
                authorization_id=decision.authorization_id,
                elapsed_ms=_elapsed_ms(exchange),
            ),
            exchange.event,
            exchange.sent,
        )

    def tell_undecided(self, exchange: Exchange, code: str, outcome: str, reason: str) -> None:
        """Record an answer given without the ledger."""
        request, card = exchange.request, exchange.card
        self._tell(
            DecisionRecord(
                at=exchange.at,
                network=self._network,
                mti=request.mti,
                transmission=request.transmission,
                stan=request.stan,
                rrn=request.rrn,
                transaction_id=request.transaction_id,
                pan=mask_pan(request.pan) if card is None else card.masked_pan,
                amount=request.amount,
                currency=letters_or_blank(request.currency),
                response_code=code,
                outcome=outcome,
                explanation=reason,
                account_id=0 if card is None else card.account_id,
                elapsed_ms=_elapsed_ms(exchange),
            ),
            exchange.event,
            exchange.sent,
        )

    def _take_note(self, link: Replies, event: RequestReceived) -> None:
        """File updates and administrative messages: acknowledged, and told in the log."""
        message = event.message
        sent = link.respond(event, acknowledge(message))
        self._tell(
            DecisionRecord(
                at=int(event.at * 1_000_000),
                network=self._network,
                mti=message.mti,
                transmission=message.transmission,
                stan=message.stan,
                rrn=message.rrn,
                response_code=APPROVED,
                outcome="NOTED",
            ),
            event,
            sent,
        )

    def _tell(self, record: DecisionRecord, event: RequestReceived, sent: bytes) -> None:
        self.metrics.answered(record)
        self._tell_log(record)
        if self._feed.is_read:
            self._feed.put(record, event.payload, sent)

    def _look_up(self, exchange: Exchange, index: bytes) -> None:
        """The card is not in memory: it may have been issued since."""

        def found(card: Card | None) -> None:
            if card is None:
                self._issuer.registry.put_absent(index, time.monotonic())
            else:
                self._issuer.registry.put((card,))
            exchange.with_card(card)

        def failed() -> None:
            exchange.unavailable("the card could not be looked up")

        try:
            self._issuer.lookups.find(index, found, failed)
        except TooManyLookups:
            exchange.unavailable("too many unknown cards at once")

    def _wait(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)
        if self._timer is None:
            self._timer = self._loop.call_at(exchange.deadline, self._on_deadline)

    def _on_deadline(self) -> None:
        now = time.monotonic()
        self._timer = None
        while self._waiting and self._waiting[0].deadline <= now:
            self._waiting[0].overdue()
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0].deadline, self._on_deadline)


def _elapsed_ms(exchange: Exchange) -> float:
    """To the microsecond; `round` would cost as much as the whole record."""
    return int((time.monotonic() - exchange.started) * 1e6) / 1000
