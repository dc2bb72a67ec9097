"""First third of the model: what was asked about one wallet, and which of it a command means.

A command is known by its key for ever. What it was about has names, and a `Reference` is tried
from the surest name down: transaction and trace, transaction, trace, the acquirer's reference
number of an earlier clearing, approval code with RRN, approval code with amount.
"""

from __future__ import annotations

from typing import TypeAlias

from ledger.commands import Advise, AnyCommand, Authorize, Clear, Recall, Reference, Reverse
from ledger.money import Money
from ledger.outcomes import Outcome

Answer: TypeAlias = tuple[Outcome, int]  # and an amount
UNKNOWN: Answer = (Outcome.ORIGINAL_UNKNOWN, 0)
LARGEST = 10**15
WEEK = 7 * 86_400_000_000  # microseconds: so long a reversal waits for its original
KINDS = {Authorize: "request", Advise: "request", Recall: "request", Reverse: "reversal"}


class Promise:
    """A hold. `amount` is what it is for, and what its instrument has spent on its day."""

    def __init__(self, state: str = "none", counter: tuple[int, int] | None = None) -> None:
        self.state, self.counter = state, counter
        self.amount = self.left = self.ends = self.posted = self.parts = 0
        self.money = 0  # of what is posted: paid from Money, and not refunded


class Request:
    """A request or an advice. One that nobody has heard of is not `known`, and promises nothing."""

    def __init__(self, command: Authorize | Advise | None = None) -> None:
        self.known = command is not None
        self.increments = isinstance(command, Authorize) and command.increment_of is not None
        self.answer: Answer = (Outcome.APPROVED, 0)
        self.approval_code = command.approval_code if command else ""
        self.promise = Promise()
        self.reversed = self.withdrawn = False  # by its network, by ourselves

    @property
    def taken_back(self) -> bool:
        return self.reversed or self.withdrawn

    @property
    def stands(self) -> bool:
        """What has been given back, held or posted, is promised to nobody any more."""
        promise = self.promise
        given_back = promise.state in {"voided", "expired"} or not (promise.left or promise.posted)
        return not (self.taken_back or (promise.state != "none" and given_back))


class Posting:
    """A clearing: what is `left` of it where it went, for the rest has come back."""

    def __init__(self, command: Clear, about: Request, source: str = "", target: str = "") -> None:
        self.command, self.about, self.source, self.target = command, about, source, target
        self.left = command.amount.amount if target else 0
        self.value = self.money = self.fee_value = 0

    def value_in(self, amount: int) -> int:
        """A debit takes Value first, a refund gives it last."""
        return max(0, amount - self.money) if self.command.credit else min(amount, self.value)


class Names:
    """Everything that was asked about one wallet, in the order in which it came."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, str], tuple[str, Answer]] = {}
        self.requests: list[tuple[Authorize | Advise, Request]] = []  # each under all its keys
        self.postings: list[Posting] = []
        self.early: list[Reverse] = []

    def apply(self, command: AnyCommand) -> Answer:
        """The same command is given the same answer, another of the same key a conflict."""
        key = key_of(command)
        if key not in self.answers:
            if isinstance(command, Recall):
                return UNKNOWN
            verb = getattr(self, type(command).__name__.lower())
            self.answers[key] = command.origin.fingerprint, verb(command)
        fingerprint, answer = self.answers[key]
        return answer if fingerprint == command.origin.fingerprint else (Outcome.CONFLICT, 0)

    def withdraw(self, withdrawn: Request) -> None:
        """An approval that never reached its network is not given again."""
        withdrawn.withdrawn = True
        for command, request in self.requests:
            if request is withdrawn:
                self.answers[key_of(command)] = command.origin.fingerprint, (Outcome.WITHDRAWN, 0)

    def find(self, network: str, by: Reference | None, amount: int) -> Request:
        """Of several with that name, the first that made or changed a hold; or else the first."""
        by = by or Reference()
        said = [(on, each) for on, each in self.requests if on.origin.network == network]
        life = [each for on, each in said if on.origin.transaction_id == by.transaction_id != ""]
        trace = [each for on, each in said if on.origin.trace == by.trace != ""]
        parts = [each.about for each in self.clearings(network, by.acquirer_reference)]
        parts = [each for each in parts if each.known][:1]
        coded = [
            (on.origin.rrn, each)
            for on, each in said
            if each.answer[0].approved and each.approval_code == by.approval_code != ""
            if on.origin.request_key.startswith(by.days or "")
        ]
        rrn = [each for rrn, each in coded if rrn == by.rrn != ""]
        exact = [each for _, each in coded if each.answer[1] == amount and not by.rrn]
        for found in ([each for each in life if each in trace], life, trace, parts, rrn, exact):
            if found:
                return next((each for each in found if each.promise.state != "none"), found[0])
        return Request()

    def clearings(self, network: str, acquirer_reference: str, key: str = "") -> list[Posting]:
        """The records of that number; or the one of that key."""
        there = [each for each in self.postings if each.command.origin.network == network]
        if key:
            return [each for each in there if each.command.origin.request_key == key]
        return [each for each in there if each.command.origin.trace == acquirer_reference != ""]

    def came_early(self, command: Authorize | Advise) -> bool:
        """Whether its reversal came first. A trace names one message, a transaction all of them."""
        origin = command.origin
        return any(
            early.reference.trace == origin.trace
            if early.reference.trace and origin.trace
            else early.reference.transaction_id == origin.transaction_id != ""
            for early in self.early
            if early.origin.network == origin.network and command.at - early.at <= WEEK
        )

    def tapped(self, command: Authorize) -> Request | None:
        """The same sale, a moment ago under another key, that still stands."""
        for said, request in self.requests:
            near = abs(command.at - said.at) <= command.repeats_within > 0
            if (
                near
                and request.stands
                and isinstance(said, Authorize)
                and sale(said) == sale(command)
            ):
                return request
        return None


def misread(amount: Money, least: int) -> Outcome | None:
    """Why no wallet could take it."""
    if amount.currency != "JPY":
        return Outcome.CURRENCY_UNSUPPORTED
    return None if least <= amount.amount <= LARGEST else Outcome.FORMAT_INVALID


def key_of(command: AnyCommand) -> tuple[str, str, str]:
    """What repeats have in common. Requests, reversals and clearings do not meet."""
    origin = command.origin
    return KINDS.get(type(command), "clearing"), origin.network, origin.request_key


def sale(command: Authorize) -> tuple[str, str, str, int]:
    """What a request and its repeat have in common; nothing where there is no transaction."""
    origin = command.origin
    named = origin.transaction_id or origin.request_key
    return origin.network, named, origin.fingerprint, command.instrument_id
