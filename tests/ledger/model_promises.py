"""Second third of the model: what is promised and what is given back. Lists, and sums of them."""

from __future__ import annotations

from ledger.commands import Advise, Authorize, Purpose, Reference, Reverse, SpendingLimits
from ledger.outcomes import Outcome
from tests.ledger.model_names import Answer, Names, Promise, Request, misread

SPENDING = (Purpose.PURCHASE, Purpose.CASH)


class Promises(Names):
    """Requests, advices, reversals, and the end of what nobody clears."""

    def __init__(self) -> None:
        super().__init__()
        self.promises: list[Promise] = []

    @property
    def held(self) -> int:
        return sum(each.left for each in self.promises)

    @property
    def available(self) -> int:
        raise NotImplementedError

    def authorize(self, command: Authorize) -> Answer:
        network, early = command.origin.network, self.came_early(command)
        request = None if early else self.tapped(command)
        if request is None:
            request = Request(command)
            original = self.find(network, command.increment_of, command.amount.amount)
            request.answer = self.decide(command, request, original.promise, early=early)
        self.requests.append((command, request))
        return request.answer

    def decide(
        self, command: Authorize, request: Request, original: Promise, *, early: bool
    ) -> Answer:
        amount, limits = command.amount.amount, command.limits or SpendingLimits()
        adds = request.increments and original.state == "pending"
        counter = (adds and original.counter) or (command.instrument_id, command.day)
        spent = [each.amount for each in self.promises if each.amount and each.counter == counter]
        spends, yen = command.purpose in SPENDING, command.amount.currency == "JPY"
        over_amount = limits.day_amount is not None and sum(spent) + amount > limits.day_amount
        over_count = limits.day_count is not None and len(spent) >= limits.day_count
        reasons = {
            Outcome.AMOUNT_LIMIT: spends and over_amount and yen,
            Outcome.COUNT_LIMIT: spends and over_count and not request.increments,
            Outcome.REVERSED_BEFORE: early,
            Outcome.ORIGINAL_UNKNOWN: request.increments and not adds,
            Outcome.INSUFFICIENT_FUNDS: spends and amount > self.available,
            misread(command.amount, int(spends)) or Outcome.APPROVED: True,
        }
        outcome = min(reason for reason, holds in reasons.items() if holds)
        outcome = min(outcome, command.refusal or outcome)
        part = command.partial_allowed and not command.refusal and self.available > 0
        if outcome is Outcome.INSUFFICIENT_FUNDS and part:
            outcome, amount = Outcome.APPROVED_PARTIALLY, self.available
        if not (outcome.approved and spends):
            return outcome, amount if outcome.approved else 0
        if request.increments:
            request.promise = original
        else:
            request.promise = self.promise(command, counted=command.limits is not None)
        request.promise.amount += amount
        request.promise.left += amount
        request.promise.ends = max(request.promise.ends, command.expires_at)
        return outcome, amount

    def promise(self, command: Authorize | Advise, *, counted: bool) -> Promise:
        counter = (command.instrument_id, command.day) if counted else None
        self.promises.append(Promise("pending", counter))
        return self.promises[-1]

    def advise(self, command: Advise) -> Answer:
        request, network, amount = Request(command), command.origin.network, command.amount.amount
        names = (command.reference, Reference(command.origin.transaction_id))
        found = [each for by in names if (each := self.find(network, by, amount)).known]
        original, wrong = found[0] if found else Request(), misread(command.amount, 0)
        if wrong or self.came_early(command):
            amount = 0
        elif command.purpose in SPENDING or not command.approved:
            amount = self.replace(command, request, original, amount if command.approved else 0)
        request.answer = wrong or Outcome.APPROVED, amount
        self.requests.append((command, request))
        return request.answer

    def replace(self, command: Advise, request: Request, original: Request, amount: int) -> int:
        """Of a hold, `amount` is all of the promise; what is cleared already counts towards it."""
        promise = original.promise
        unreversed = (promise.state, original.reversed, original.withdrawn) in {
            ("expired", False, False),
            ("voided", False, True),
        }
        if amount and promise.state == "none":
            promise = self.promise(command, counted=command.counted)
        if promise.state == "pending" and not amount:
            self.release(promise, 0)
        elif amount and (promise.state == "pending" or unreversed):
            promise.state, promise.ends = "pending", command.expires_at
            promise.amount, promise.left = amount, max(0, amount - promise.posted)
        else:
            amount = 0
        request.promise = promise
        return amount

    def release(self, promise: Promise, kept: int) -> int:
        """Give back what is held above `kept`; what is posted is not given back."""
        released = max(0, promise.left - max(0, kept - promise.posted))
        promise.amount, promise.left = promise.amount - released, promise.left - released
        promise.state = promise.state if kept else "voided"
        return released

    def reverse(self, command: Reverse) -> Answer:
        new, amount = command.replacement, command.amount.amount
        if new is not None and (wrong := misread(new, 0)):
            return wrong, 0
        original = self.find(command.origin.network, command.reference, amount)
        promise, kept, released = original.promise, new.amount if new else 0, 0
        if not original.known:
            self.early.append(command)
        once = original.increments and original.taken_back
        if promise.state == "pending" and not once:
            if original.increments and new is None:
                kept = max(0, promise.amount - original.answer[1])
            released = self.release(promise, kept)
            whole = new is None or not kept
        else:
            whole = promise.state not in {"pending", "posted"}
        if command.withdraws:
            self.withdraw(original)
        elif whole:
            original.reversed = True
        return Outcome.APPROVED, released

    def expire(self, now: int) -> int:
        due = [each for each in self.promises if each.state == "pending" and each.ends <= now]
        for promise in due:
            promise.state, promise.left = "expired", 0
        return len(due)
