"""Messages of a few lives, each named so that the machine knows what it is about.

Names are unique on an account and network and shared across them. Names that collide are a matter
of test_matching and test_finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeVar

from ledger.commands import (
    Advise,
    Authorize,
    Fund,
    Origin,
    Purpose,
    Recall,
    Reference,
    SpendingLimits,
)
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.model import PLENTY, Message
from tests.ledger.model_by_hand import WholeModel

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_800_000_000 * SECOND
WITH_LIMITS = {7, 8}  # cards; what 9 spends is not counted
Item = TypeVar("Item")
Meaning = Callable[[], Message]  # when it is asked


class Life:
    """One transaction: the messages that share its id, if it has one, whether they came or not."""

    def __init__(self, wallet: int, network: str, card: int, transaction_id: str) -> None:
        self.wallet, self.network, self.card = wallet, network, card
        self.transaction_id = transaction_id
        self.requests: list[Message] = []
        self.came: list[Message] = []
        self.clearings: list[Message] = []
        self.tapped = False  # again, so that codes name no one message
        self.numbers = defaultdict[str, list[Message]](list)  # acquirer's references, what came
        self.as_a_whole = nobody()

    @property
    def first(self) -> Message | None:
        """The first that came and made or changed a hold; or else the first that came."""
        held = [each for each in self.came if each.hold.state != "none"]
        return next(iter(held + self.came), None)

    @property
    def increments(self) -> list[Message]:
        return [each for each in self.came if each.added < PLENTY]

    @property
    def state(self) -> str:
        return self.first.hold.state if self.first else "none"


def nobody() -> Message:
    """What nothing is about."""
    return Message("", Recall(account_id=0, origin=Origin("", "", "", "", ""), at=0))


def has_code(request: Message, amount: int | None = None) -> bool:
    """Whether its approval code leads to it, with its RRN or with that amount."""
    answer = request.answer
    return answer is not None and answer[0].approved and amount in {None, answer[1]}


class Messages:
    """What is drawn by the seed of a step."""

    random: Random

    def __init__(self, models: Mapping[int, WholeModel]) -> None:
        self.models = models
        self.now = NOW
        self.lives: list[Life] = []
        self.counts = Counter[tuple[int, str, str]]()
        self.meanings: dict[Message, Meaning] = {}
        self.matched: dict[Message, Message] = {}  # which clearing has found which request

    def pick(self, *choices: Item) -> Item:
        return self.random.choice(choices)

    def once_in(self, times: int) -> bool:
        return self.pick(*[False] * (times - 1), True)

    def new_life(self) -> Life:
        wallet, network = self.pick(*[1] * 10, *[2] * 5), self.pick(*["visanet"] * 3, "quicpay")
        life = Life(wallet, network, self.pick(7, 7, 8, 9), "")
        if not self.once_in(5):
            life.transaction_id = self.new("T", life)
        self.lives.append(life)
        return life

    def alive(self, *states: str) -> list[Life]:
        """Those whose hold is not at its end."""
        recent = self.lives[-6:]
        alive = [each for each in recent if each.state in states]
        return alive or [each for each in recent if each.state in {"pending", "expired"}]

    def some_life(self, *states: str) -> Life:
        """Mostly one with a hold that is not at its end, and one of which much has come."""
        if not self.lives:
            return self.new_life()
        alive = self.alive(*states)
        busy = [each for each in alive if len(each.came) + len(each.clearings) > 1]
        in_parts = [each for each in alive if each.first and each.first.hold.posted]
        return self.pick(*alive * 3, *busy * 3, *in_parts * 3, *self.lives[-3:])

    def life_with_clearings(self) -> Life:
        cleared = [each for each in self.lives if each.clearings][-4:]
        held = [each for each in cleared if each.state == "pending"]
        return self.pick(*cleared, *held * 2) if cleared else self.some_life()

    def some_request(self, life: Life) -> Message:
        """One that has come, mostly."""
        if not life.requests:
            return self.purchase(life)
        return self.pick(*life.came * 5, *life.requests)

    def purchase(self, life: Life) -> Message:
        return self.request(life, "authorize", self.amount(life), Reference(), nobody)

    def amount(self, life: Life, *near: int) -> Money:
        """Mostly one that means something to the hold."""
        if life.first is not None:
            hold = life.first.hold
            half = hold.left // 2
            near = (*near, hold.left, hold.left, half, half + hold.posted, hold.left + 30)
        said = [each for each in (*near, *near) if each > 0]
        wrong = [Money(0, "JPY"), Money(-1, "JPY"), Money(10, "USD")]
        if self.once_in(20):
            return self.pick(*wrong)
        return Money(self.pick(*said, 1, 30, 100, 100, 200, 200, 300, 400, 1000), "JPY")

    def posted(self, life: Life, *near: int) -> Money:
        """Or something to the wallet: it pays its debt, or comes to owe one yen."""
        has = self.models[life.wallet].has["wallet"]
        return self.amount(life, *near, *([-has, 1 - has] if has < 0 else [has + 1, 2000]))

    def name(
        self, life: Life, target: Message, amount: int, *, clears: bool = False
    ) -> tuple[Reference, Meaning]:
        """A reference made from `target`, and what it means."""
        origin, transaction = target.command.origin, life.transaction_id
        ways = ["trace", "trace"]
        ways += ["both", "both", "transaction", "transaction"] * bool(transaction)
        if not life.tapped:
            ways += ["code and RRN"] * (has_code(target) or self.once_in(6))
            ways += ["code and amount"] * (has_code(target, amount) or self.once_in(6))
        ways += ["number", "number"] * (clears and bool(life.numbers))
        way = self.pick(*ways)
        if way == "trace":
            return Reference(trace=origin.trace), lambda: target
        if way == "both":
            by = Reference(transaction_id=transaction, trace=origin.trace)
            return by, lambda: target if target.answer else life.first or target
        if way == "transaction":
            return Reference(transaction_id=transaction), lambda: life.first or life.as_a_whole
        if way == "number":
            number = self.pick(*life.numbers)
            return Reference(acquirer_reference=number), lambda: self.found_by(life, number)
        with_rrn = way == "code and RRN"
        by = Reference(
            approval_code=f"code {origin.rrn}",
            rrn=origin.rrn if with_rrn else "",
            days=self.pick((), ("0115",), ("0114", "0115")),
        )
        return by, lambda: target if has_code(target, None if with_rrn else amount) else nobody()

    def found_by(self, life: Life, number: str) -> Message:
        """What the first clearing of that number that found something has found."""
        found = [self.matched[each] for each in life.numbers[number] if each in self.matched]
        return found[0] if found else nobody()

    def new(self, kind: str, life: Life) -> str:
        """A name that is nothing else's of that kind on its account and network."""
        self.counts[life.wallet, life.network, kind] += 1
        return f"{kind}{self.counts[life.wallet, life.network, kind]}"

    def common(self, life: Life, kind: str, trace: str = "") -> dict[str, Any]:
        """Requests and reversals have the same keys: theirs do not meet."""
        number = self.new(kind, life)[1:]
        trace = trace or f"0115 {number}"
        return {
            "account_id": life.wallet,
            "origin": Origin(
                life.network, f"{trace}|{number}", life.transaction_id, f"r{number}", f"f{number}"
            ),
            "at": self.now,
            "instrument_id": life.card,
            "day": self.pick(20270115, 20270116),
        }

    def request(
        self, life: Life, verb: str, amount: Money, reference: Reference, meaning: Meaning
    ) -> Message:
        common = self.common(life, "q")
        common |= {
            "amount": amount,
            "approval_code": f"code {common['origin'].rrn}",
            "expires_at": self.now + self.pick(1, 2, 5) * DAY,
            "purpose": self.pick(*[Purpose.PURCHASE] * 10, Purpose.CASH, Purpose.CREDIT),
            "points": self.pick(0, 50),
        }
        command: Authorize | Advise
        if verb == "advise":
            command = Advise(
                **common,
                reference=reference,
                approved=not self.once_in(5),
                completes=self.pick(False, True),
                counted=life.card in WITH_LIMITS,
            )
        else:
            limits = SpendingLimits(
                day_amount=self.pick(None, None, 300, 700, 1500),
                day_count=self.pick(None, None, 1, 2, 4),
            )
            command = Authorize(
                **common,
                increment_of=reference if reference != Reference() else None,
                limits=limits if life.card in WITH_LIMITS else None,
                partial_allowed=self.pick(False, True),
                refusal=self.pick(*[None] * 15, Outcome.INSTRUMENT_LOST, Outcome.FORMAT_INVALID),
                repeats_within=self.pick(0, 3 * SECOND),
            )
        message = Message(verb, command)
        self.meanings[message] = meaning
        life.requests.append(message)
        return message

    def transfer(self, life: Life, amount: Money, *, value: bool) -> Message:
        origin = Origin(life.network, self.new("g", life), "", "", "same")
        fund = Fund(
            account_id=life.wallet, origin=origin, at=self.now, amount=amount, to_value=value
        )
        return Message("fund", fund)

    def stand_in(self, life: Life) -> Message:
        def meaning() -> Message:
            return (life.transaction_id and life.first) or nobody()

        return self.request(life, "advise", self.amount(life), Reference(), meaning)
