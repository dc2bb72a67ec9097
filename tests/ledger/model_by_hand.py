"""What the model has beside the verbs of networks: what a person says, and what we do ourselves."""

from __future__ import annotations

import msgspec

from ledger.commands import Advise, Authorize, Clear, Fund, Purpose, Resolve, Reverse
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.model import WEEK, Answer, Message, Model

UNKNOWN: Answer = (Outcome.ORIGINAL_UNKNOWN, 0)


class WholeModel(Model):
    """Also: transfers, fees, resolutions, withdrawals, repeated taps, and what cannot be read."""

    def __init__(self, balance: int, credit_line: int) -> None:
        super().__init__(balance, credit_line)
        self.fee_values: dict[Message, int] = {}

    def apply(self, message: Message, *, same: bool = True) -> Answer:
        """An approval that never reached its network is not given again."""
        answer = super().apply(message, same=same)
        withdrawn = same and "issuer" in message.reversed_by
        return (Outcome.WITHDRAWN, 0) if withdrawn else answer

    def recall(self, message: Message, *, same: bool) -> Answer:
        return self.apply(message, same=same) if message.answer else UNKNOWN

    def authorize(
        self, command: Authorize, message: Message, original: Message, *taps: Message
    ) -> Answer:
        """The same sale under another key, a moment ago, is this one if it still stands."""
        early, window = command.at - message.reversed_early <= WEEK, command.repeats_within
        for tap in taps:
            near = abs(command.at - tap.command.at) <= window > 0
            if tap.answer and near and stands(tap) and not early:
                message.hold, message.added = tap.hold, tap.added
                message.reversed_by = tap.reversed_by
                return tap.answer
        wrong = misread(command.amount, int(command.purpose is not Purpose.CREDIT))
        refusal = min((each for each in (command.refusal, wrong) if each), default=None)
        part = command.partial_allowed and not command.refusal and self.available > 0
        if wrong is Outcome.CURRENCY_UNSUPPORTED and command.limits:
            limits = msgspec.structs.replace(command.limits, day_amount=None)
            command = msgspec.structs.replace(command, limits=limits)
        command = msgspec.structs.replace(command, refusal=refusal, partial_allowed=part)
        return super().authorize(command, message, original)

    def advise(self, command: Advise, message: Message, original: Message) -> Answer:
        """A hold that we have withdrawn holds again, as one that has expired."""
        if wrong := misread(command.amount, 0):
            return wrong, 0
        early = command.at - message.reversed_early <= WEEK
        if command.approved and command.purpose is Purpose.CREDIT and not early:
            return Outcome.APPROVED, command.amount.amount
        ours = original.hold.state == "voided" and original.reversed_by == {"issuer"}
        if ours and command.approved and command.amount.amount and not early:
            original.hold.state = "pending"
        return super().advise(command, message, original)

    def reverse(self, command: Reverse, message: Message, original: Message) -> Answer:
        if command.replacement and (wrong := misread(command.replacement, 0)):
            return wrong, 0
        before = set(original.reversed_by)
        answer = super().reverse(command, message, original)
        if command.withdraws and original.answer:
            original.reversed_by -= {"network"} - before
            original.reversed_by.add("issuer")
        return answer

    def clear(self, command: Clear, message: Message, original: Message) -> Answer:
        if wrong := misread(command.amount, 1):
            return wrong, 0
        taken_back = original.reversed_by or original.hold.state == "voided"
        if command.unless_reversed and taken_back:
            return Outcome.REVERSED_BEFORE, 0
        answer = super().clear(command, message, original)
        self.fee_values[message] = min(command.fee, self.value)
        self.move("wallet", "fee", command.fee, self.fee_values[message])
        return answer

    def undo(self, command: Clear, message: Message, *clearings: Message) -> Answer:
        """A fee comes back with the last of its clearing."""
        if wrong := misread(command.amount, 0):
            return wrong, 0
        stays = command.amount.amount
        done = next((each.command for each in clearings if each.posted > stays), None)
        if isinstance(done, Clear) and not stays:
            paid = next(self.fee_values[each] for each in clearings if each.command is done)
            self.move("fee", "wallet", done.fee, paid)
        return super().undo(command, message, *clearings)

    def fund(self, command: Fund, _: Message) -> Answer:
        amount = command.amount.amount
        if wrong := misread(command.amount, 1):
            return wrong, 0
        self.move("funding", "wallet", amount, amount if command.to_value else 0)
        return Outcome.APPROVED, amount

    def resolve(self, command: Resolve, _: Message, done: Message, original: Message) -> Answer:
        """A debit without a hold waits for a person, and a credit in suspense."""
        left, hold, forced = done.posted, original.hold, done.hold not in self.messages
        credit = done.path[0] == "settlement"
        if not left or not (done.path[1] == "suspense" if credit else forced):
            return UNKNOWN
        if command.reference is None and credit:
            self.move("suspense", "fee", left, 0)
            done.path = "settlement", "fee"
            return Outcome.APPROVED, left
        if command.reference is None or original.answer is None:
            return UNKNOWN
        if credit:
            money = min(left, hold.money) if hold.posted else left
            self.move("suspense", "wallet", left, left - money)
            done.hold, done.path, done.value = hold, ("settlement", "wallet"), range(money, left)
            hold.money = max(0, hold.money - money)
        elif hold.state != "none":
            done.hold, hold.state, hold.left = hold, "posted", 0
            hold.posted, hold.parts = hold.posted + left, hold.parts + 1
            hold.money += left - len(done.value)
        return Outcome.APPROVED, left


def stands(request: Message) -> bool:
    """What has been given back, held or posted, is promised to nobody any more."""
    hold = request.hold
    kept = hold.state in {"pending", "posted"} and (hold.left or hold.posted)
    return not request.reversed_by and bool(hold.state == "none" or kept)


def misread(amount: Money, least: int) -> Outcome | None:
    """Why no wallet could take it."""
    if amount.currency != "JPY":
        return Outcome.CURRENCY_UNSUPPORTED
    return None if amount.amount >= least else Outcome.FORMAT_INVALID
