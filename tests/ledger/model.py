"""Last third of the model: what is posted, and what comes back of it. Money only moves."""

from __future__ import annotations

from collections import Counter

from ledger.commands import Clear, Fund, Resolve
from ledger.outcomes import Outcome
from tests.ledger.model_names import UNKNOWN, Answer, Posting, Promise, misread
from tests.ledger.model_promises import Promises


class Model(Promises):
    """What the ledger promises about one wallet, said as simply as it can be."""

    def __init__(self, balance: int, credit_line: int) -> None:
        super().__init__()
        self.has = Counter(wallet=balance, funding=-balance)  # the wallet without what it owes
        self.credit_line, self.value = credit_line, 0

    @property
    def above_line(self) -> int:
        return self.has["wallet"] + self.credit_line

    @property
    def available(self) -> int:
        """The house lends a wallet what it lacks to be at its credit line."""
        return max(0, self.above_line) - self.held

    def move(self, source: str, target: str, amount: int, value: int = 0) -> int:
        """Value goes first where it may, and last where something is owed. How much has moved."""
        self.has.update({source: -amount, target: amount})
        before, change = self.value, value if target == "wallet" else -value
        self.value = max(0, min(self.value + change, self.above_line))
        return abs(self.value - before)

    def fund(self, command: Fund) -> Answer:
        amount = command.amount.amount
        if wrong := misread(command.amount, 1):
            return wrong, 0
        self.move("funding", "wallet", amount, amount if command.to_value else 0)
        return Outcome.APPROVED, amount

    def clear(self, command: Clear) -> Answer:
        amount, undoes = command.amount.amount, bool(command.undoes or command.undoes_reference)
        if wrong := misread(command.amount, int(not undoes)):
            return wrong, 0
        about = self.find(command.origin.network, command.reference, amount)
        if command.unless_reversed and (about.taken_back or about.promise.state == "voided"):
            return Outcome.REVERSED_BEFORE, 0
        if undoes:
            return self.undo(command, about.promise)
        if command.credit:
            posting = Posting(command, about, "settlement", "wallet" if about.known else "suspense")
            posting.money = refund(about.promise, amount)
            self.move("settlement", posting.target, amount, amount - posting.money)
        else:
            posting = Posting(command, about, "wallet", "settlement")
            posting.value = self.move("wallet", "settlement", amount, amount)
            use(about.promise, amount, amount - posting.value, command.count)
        posting.fee_value = self.move("wallet", "fee", command.fee, command.fee)
        self.postings.append(posting)
        return Outcome.APPROVED, amount

    def undo(self, command: Clear, meant: Promise) -> Answer:
        """Take back what is left of a clearing but for `amount`: as if only that had come."""
        network, stays = command.origin.network, command.amount.amount
        for posting in self.clearings(network, command.undoes_reference, command.undoes):
            promise = posting.about.promise
            another = promise is not meant and "none" not in {promise.state, meant.state}
            if posting.left <= stays or another:
                continue
            back = posting.left - stays
            value = posting.value_in(posting.left) - posting.value_in(stays)
            if not stays:
                self.move("fee", "wallet", posting.command.fee, posting.fee_value)
            self.move(posting.target, posting.source, back, value)
            come_back(promise, posting, back, back - value)
            posting.left = stays
            self.postings.append(Posting(command, posting.about))
            return Outcome.APPROVED, back
        return UNKNOWN

    def resolve(self, command: Resolve) -> Answer:
        """A debit without a hold waits for a person, and a credit in suspense."""
        network = command.origin.network
        for posting in self.clearings(network, "", command.clearing_key):
            about = self.find(network, command.reference, posting.command.amount.amount)
            left, credit = posting.left, posting.command.credit
            holds = posting.about.promise.state != "none"
            if not left or (posting.target != "suspense" if credit else holds):
                continue
            if command.reference is None and credit:
                self.move("suspense", "fee", left)
                posting.target = "fee"
            elif not about.known:
                continue
            elif credit:
                posting.about, posting.target = about, "wallet"
                posting.money = refund(about.promise, left)
                self.move("suspense", "wallet", left, left - posting.money)
            else:
                posting.about = about
                use(about.promise, left, left - posting.value_in(left))
            return Outcome.APPROVED, left
        return UNKNOWN


def use(promise: Promise, amount: int, money: int, count: int = 0) -> None:
    """The last of `count` parts ends it; what comes after the end is posted too."""
    if promise.state == "none":
        return
    promise.posted, promise.money = promise.posted + amount, promise.money + money
    promise.parts, promise.left = promise.parts + 1, max(0, promise.left - amount)
    if promise.state != "pending" or promise.parts >= count:
        promise.state, promise.left = "posted", 0


def refund(promise: Promise, amount: int) -> int:
    """What goes to Money: up to what was paid from it, or all if nothing is known to be paid."""
    if not promise.posted:
        return amount
    money = min(amount, promise.money)
    promise.money -= money
    return money


def come_back(promise: Promise, posting: Posting, amount: int, money: int) -> None:
    """A refund that comes back was never given, a debit that does was never paid."""
    if posting.command.credit:
        promise.money = min(promise.posted, promise.money + money)
    elif promise.state != "none":
        promise.posted -= amount
        promise.money = min(promise.posted, max(0, promise.money - money))
        promise.amount = max(0, promise.amount - amount)
