"""What the ledger promises about one wallet: lists, and sums over them."""

from __future__ import annotations

from collections import Counter

from ledger.commands import Advise, AnyCommand, Authorize, Clear, Purpose, Reverse, SpendingLimits
from ledger.outcomes import Outcome

Answer = tuple[Outcome, int]  # and an amount
PLENTY = 10**18  # more than there is of anything
WEEK = 7 * 86_400_000_000  # microseconds: so long a reversal waits for its original


class Message:
    """A command, what it is about under whatever name, what became of it, and the hold it made."""

    answer: Answer | None = None
    state, amount, left, ends = "none", 0, 0, 0  # `amount` is promised, and counts as spent
    posted = parts = money = 0  # cleared, in so many parts; of that from Money, and not refunded
    reversed_early = 0  # when, if before it came
    added = PLENTY  # to its hold: all of it, if it is no increment
    path, value = ("", ""), range(0)  # of a clearing: from where to where; its units that are Value

    def __init__(self, verb: str, command: AnyCommand, *about: Message) -> None:
        self.verb, self.command, self.about, self.hold = verb, command, about, self
        self.counter = command.instrument_id, command.day
        self.reversed_by = set[str]()

    def release(self, kept: int) -> int:
        """Give back what is held above `kept`; what is posted is not given back."""
        released = max(0, self.left - max(0, kept - self.posted))
        self.amount, self.left = self.amount - released, self.left - released
        self.state = self.state if kept else "voided"
        return released


class Model:
    """`has` tells where the money is; what the wallet has counts from its credit line."""

    def __init__(self, balance: int, credit_line: int) -> None:
        self.has, self.value = Counter(wallet=balance + credit_line, funding=-balance), 0
        self.messages: list[Message] = []

    @property
    def available(self) -> int:
        """The house lends a wallet what it lacks to be at its credit line."""
        return max(0, self.has["wallet"]) - sum(each.left for each in self.messages)

    def apply(self, message: Message, *, same: bool = True) -> Answer:
        """The same message is given the same answer, another of its key a conflict."""
        if message.answer is None:
            self.messages.append(message)
            message.answer = getattr(self, message.verb)(message.command, message, *message.about)
        return message.answer if same else (Outcome.CONFLICT, 0)

    def authorize(self, command: Authorize, message: Message, original: Message) -> Answer:
        hold = original.hold if original.hold.state == "pending" else message
        spends, adds = command.purpose is not Purpose.CREDIT, command.increment_of is not None
        spent = [one.amount for one in self.messages if one.counter == hold.counter and one.amount]
        amount, limits = command.amount.amount, command.limits or SpendingLimits()
        lacks = spends and amount > self.available
        reasons = {
            Outcome.AMOUNT_LIMIT: spends and sum(spent) + amount > (limits.day_amount or PLENTY),
            Outcome.COUNT_LIMIT: spends and not adds and len(spent) >= (limits.day_count or PLENTY),
            Outcome.REVERSED_BEFORE: command.at - message.reversed_early <= WEEK,
            Outcome.ORIGINAL_UNKNOWN: adds and hold is message,
            Outcome.INSUFFICIENT_FUNDS: lacks and not command.partial_allowed,
            Outcome.APPROVED_PARTIALLY: lacks,
            command.refusal or Outcome.APPROVED: True,
        }
        outcome = min(reason for reason, holds in reasons.items() if holds)
        amount = (self.available if lacks else amount) if outcome.approved else 0
        if outcome.approved and spends:
            message.hold, message.added = hold, amount if adds else PLENTY
            hold.state, hold.ends = "pending", max(hold.ends, command.expires_at)
            hold.amount, hold.left = hold.amount + amount, hold.left + amount
        return outcome, amount

    def advise(self, command: Advise, message: Message, original: Message) -> Answer:
        """Not refused. Its amount is all of the promise: what is cleared counts towards it."""
        if command.at - message.reversed_early <= WEEK:
            return Outcome.APPROVED, 0
        message.hold = hold = original.hold if original.hold.state != "none" else message
        again = hold.state == "expired" and not original.reversed_by
        amount = command.amount.amount if command.approved else 0
        if amount and (again or hold.state in {"none", "pending"}):
            hold.state, hold.ends = "pending", command.expires_at
            hold.amount, hold.left = amount, max(0, amount - hold.posted)
            return Outcome.APPROVED, amount
        if hold.state == "pending":
            hold.release(0)
        return Outcome.APPROVED, 0

    def reverse(self, command: Reverse, _: Message, original: Message) -> Answer:
        """What names an increment takes back that one alone, and once."""
        hold, new, released = original.hold, command.replacement, 0
        if hold.state == "pending" and not (original.added < PLENTY and original.reversed_by):
            released = hold.release(new.amount if new else max(0, hold.amount - original.added))
        if original.answer is None:
            original.reversed_early = command.at
        elif hold.state != "posted" and (new is None or hold.state != "pending"):
            original.reversed_by.add("network")
        return Outcome.APPROVED, released

    def expire(self, now: int) -> None:
        for hold in self.messages:
            if hold.state == "pending" and hold.ends <= now:
                hold.state, hold.left = "expired", 0

    def clear(self, command: Clear, message: Message, original: Message) -> Answer:
        hold = original.hold if original.hold.state != "none" else Message("", command)
        amount = command.amount.amount
        if command.credit:
            message.path = "settlement", "wallet" if original.answer else "suspense"
            money = min(amount, hold.money) if hold.posted else amount
            message.value, hold.money = range(money, amount), max(0, hold.money - money)
        else:
            message.path, message.value = ("wallet", "settlement"), range(min(amount, self.value))
            hold.posted, hold.parts = hold.posted + amount, hold.parts + 1
            hold.money += amount - len(message.value)
            hold.left = max(0, hold.left - amount)
            if hold.state != "pending" or hold.parts >= command.count:
                hold.state, hold.left = "posted", 0
        message.hold, message.posted = hold, amount
        self.move(*message.path, amount, len(message.value))
        return Outcome.APPROVED, amount

    def undo(self, command: Clear, _: Message, *clearings: Message) -> Answer:
        """Take back what is left of the first but for what stays: as if only that had come."""
        stays = command.amount.amount
        done = next((each for each in clearings if each.posted > stays), None)
        if done is None:
            return Outcome.ORIGINAL_UNKNOWN, 0
        back, hold, value = done.posted - stays, done.hold, done.value
        done.posted, done.value = stays, range(value.start, min(value.stop, stays))
        returned = len(value) - len(done.value)
        self.move(*done.path[::-1], back, returned)
        if done.path[0] == "wallet":
            hold.posted, hold.amount = hold.posted - back, max(hold.left, hold.amount - back)
            hold.money = min(hold.posted, max(0, hold.money - back + returned))
        else:
            hold.money = min(hold.posted, hold.money + back - returned)
        return Outcome.APPROVED, back

    def move(self, source: str, target: str, amount: int, value: int) -> None:
        self.has.update({source: -amount, target: amount})
        self.value += value * ((target == "wallet") - (source == "wallet"))
        self.value = max(0, min(self.value, self.has["wallet"]))  # Money pays first what is owed
