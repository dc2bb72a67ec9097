"""What the ledger promises, said again as simply as possible: lists, and sums over them."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.commands import (
    Advise,
    AnyCommand,
    Authorize,
    Clear,
    Command,
    Purpose,
    Reference,
    Reverse,
)
from ledger.outcomes import Outcome

SPENDING = (Purpose.PURCHASE, Purpose.CASH)
Answer = tuple[Outcome, int]


@dataclass
class Promise:
    amount: int
    left: int
    counted: int
    day: int
    ends: int
    posted: int = 0
    parts: int = 0
    state: str = "pending"

    def give_back(self, amount: int) -> int:
        self.left -= amount
        self.counted = max(0, self.counted - amount)
        return amount


@dataclass
class Message:
    tid: str
    trace: str
    amount: int
    promise: Promise | None
    increment: bool
    undone: bool = False


class Model:
    def __init__(self, balance: int) -> None:
        self.posted = balance
        self.house = {"settlement": 0, "fee": 0, "points": 0, "suspense": 0, "funding": -balance}
        self.promises: list[Promise] = []
        self.messages: list[Message] = []
        self.early: list[Reference] = []
        self.answers: dict[tuple[str, str], tuple[str, Answer]] = {}

    @property
    def held(self) -> int:
        return sum(each.left for each in self.promises)

    def apply(self, c: AnyCommand) -> Answer:
        verb = {Reverse: "reverse", Clear: "clear"}.get(type(c), "authorize")
        key = (verb, c.origin.request_key)
        if key not in self.answers:
            handlers = {
                Authorize: self.authorize,
                Advise: self.advise,
                Reverse: self.reverse,
                Clear: self.clear,
            }
            self.answers[key] = (c.origin.fingerprint, handlers[type(c)](c))  # type: ignore[operator]
        fingerprint, answer = self.answers[key]
        return answer if fingerprint == c.origin.fingerprint else (Outcome.CONFLICT, 0)

    def find(self, ref: Reference) -> Message | None:
        same = [m for m in self.messages if ref.transaction_id and m.tid == ref.transaction_id]
        by_trace = [m for m in self.messages if ref.trace and m.trace == ref.trace]
        found = [m for m in same if m in by_trace] or same or by_trace
        return next((m for m in found if m.promise), found[0] if found else None)

    def came_early(self, c: Command) -> bool:
        tid, trace = c.origin.transaction_id, c.origin.trace
        return any(
            ref.trace == trace if ref.trace else bool(tid) and ref.transaction_id == tid
            for ref in self.early
        )

    def authorize(self, c: Authorize) -> Answer:
        amount, spends, limits = c.amount.amount, c.purpose in SPENDING, c.limits
        original = self.find(c.increment_of) if c.increment_of else None
        promise = original.promise if original else None
        promise = promise if promise and promise.state == "pending" else None
        day = promise.day if promise else c.day
        spent = [each.counted for each in self.promises if each.day == day and each.counted]
        available = self.posted - self.held
        over_amount = (
            limits
            and limits.day_amount is not None
            and c.amount.currency == "JPY"
            and sum(spent) + amount > limits.day_amount
        )
        over_count = (
            limits
            and limits.day_count is not None
            and not c.increment_of
            and len(spent) >= limits.day_count
        )
        reasons = [
            (c.refusal, c.refusal is not None),
            (Outcome.AMOUNT_LIMIT, spends and over_amount),
            (Outcome.COUNT_LIMIT, spends and over_count),
            (Outcome.CURRENCY_UNSUPPORTED, c.amount.currency != "JPY"),
            (Outcome.REVERSED_BEFORE, self.came_early(c)),
            (Outcome.ORIGINAL_UNKNOWN, c.increment_of and not promise),
            (Outcome.INSUFFICIENT_FUNDS, spends and amount > available),
            (Outcome.FORMAT_INVALID, amount < 0 or (spends and amount == 0)),
        ]
        outcome = min((r for r, holds in reasons if r and holds), default=Outcome.APPROVED)
        if (
            outcome is Outcome.INSUFFICIENT_FUNDS
            and c.partial_allowed
            and available > 0
            and not c.refusal
        ):
            outcome, amount = Outcome.APPROVED_PARTIALLY, available
        if not outcome.approved or c.purpose in (Purpose.INQUIRY, Purpose.VERIFICATION):
            amount = 0
        if outcome.approved and spends:
            if promise:
                promise.amount += amount
                promise.left += amount
                promise.counted += amount
                promise.ends = max(promise.ends, c.expires_at)
            else:
                promise = self.promise(c, amount)
        else:
            promise = None
        return self.note(c, (outcome, amount), promise)

    def promise(self, c: Authorize | Advise, amount: int) -> Promise:
        self.promises.append(Promise(amount, amount, amount, c.day, c.expires_at))
        return self.promises[-1]

    def note(self, c: Authorize | Advise, answer: Answer, promise: Promise | None) -> Answer:
        increment = isinstance(c, Authorize) and c.increment_of is not None
        origin = c.origin
        self.messages.append(
            Message(origin.transaction_id, origin.trace, answer[1], promise, increment)
        )
        return answer

    def advise(self, c: Advise) -> Answer:
        amount = c.amount.amount
        if c.amount.currency != "JPY":
            return self.note(c, (Outcome.CURRENCY_UNSUPPORTED, 0), None)
        if amount < 0:
            return self.note(c, (Outcome.FORMAT_INVALID, 0), None)
        found = self.find(c.reference) or self.find(Reference(c.origin.transaction_id))
        old = found.promise if found else None
        nothing = (Outcome.APPROVED, 0)
        if self.came_early(c):
            return self.note(c, nothing, None)
        if not c.approved:
            if old and old.state == "pending":
                self.void(old)
                return self.note(c, nothing, old)
            return self.note(c, nothing, None)
        if c.purpose not in SPENDING:
            return self.note(c, (Outcome.APPROVED, amount), None)
        if not old or old.state == "expired":
            return self.note(
                c, (Outcome.APPROVED, amount), self.promise(c, amount) if amount else None
            )
        if old.state != "pending":
            return self.note(c, nothing, old)
        if not amount:
            self.void(old)
            return self.note(c, nothing, old)
        old.counted = max(0, old.counted + amount - old.amount)
        old.amount, old.left, old.ends = amount, max(0, amount - old.posted), c.expires_at
        return self.note(c, (Outcome.APPROVED, amount), old)

    def void(self, promise: Promise) -> int:
        promise.state, promise.amount = "voided", promise.posted
        return promise.give_back(promise.left)

    def reverse(self, c: Reverse) -> Answer:
        new = c.replacement
        if new and new.currency != "JPY":
            return Outcome.CURRENCY_UNSUPPORTED, 0
        if new and new.amount < 0:
            return Outcome.FORMAT_INVALID, 0
        message = self.find(c.reference)
        if message is None:
            self.early.append(c.reference)
            return Outcome.APPROVED, 0
        promise = message.promise
        if not promise or promise.state != "pending" or message.undone:
            return Outcome.APPROVED, 0
        increment = message.increment
        kept = max(0, promise.amount - message.amount) if increment else 0
        kept = new.amount if new else kept
        if kept == 0:
            message.undone = True
            return Outcome.APPROVED, self.void(promise)
        if kept >= promise.amount:
            return Outcome.APPROVED, 0
        message.undone = new is None
        promise.amount = kept
        return Outcome.APPROVED, promise.give_back(
            promise.left - min(promise.left, max(0, kept - promise.posted))
        )

    def clear(self, c: Clear) -> Answer:
        amount = c.amount.amount
        if c.amount.currency != "JPY":
            return Outcome.CURRENCY_UNSUPPORTED, 0
        if amount <= 0 or c.fee < 0 or c.points < 0:
            return Outcome.FORMAT_INVALID, 0
        message = self.find(c.reference)
        promise = message.promise if message else None
        if c.credit:
            self.house["settlement"] -= amount
            if message:
                self.posted += amount
            else:
                self.house["suspense"] += amount
        else:
            self.house["settlement"] += amount
            self.posted -= amount
        if promise and not c.credit:
            promise.posted += amount
            promise.parts += 1
            last = promise.state != "pending" or promise.parts >= c.count
            promise.left = 0 if last else max(0, promise.left - amount)
            promise.state = "posted" if last else "pending"
        self.posted -= c.fee
        self.house["fee"] += c.fee
        self.house["points"] += c.points
        self.house["funding"] -= c.points
        return Outcome.APPROVED, amount

    def expire(self, now: int) -> int:
        due = [each for each in self.promises if each.state == "pending" and each.ends <= now]
        for each in due:
            each.state, each.left = "expired", 0
        return len(due)
