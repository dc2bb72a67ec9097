"""Every verb in any order, with duplicates, on two writers, against a model of lists and sums.

The machine knows what each message is about, by whatever name: `messages` makes them.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from contextlib import ExitStack
from random import Random
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from ledger import tables
from ledger.audit import audit
from ledger.commands import (
    AnyCommand,
    Clear,
    Decision,
    Fund,
    Origin,
    Recall,
    Reference,
    Resolve,
    Reverse,
)
from ledger.database import Database
from ledger.house import AccountKind
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.rows import Account, Hold, Spending
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.messages import DAY, NOW, SECOND, WITH_LIMITS, Life, Messages, nobody
from tests.ledger.model import WEEK, Answer, Message
from tests.ledger.model_by_hand import WholeModel

WALLETS = {1: (1000, 0), 2: (300, 200)}  # balance, credit line
UNKNOWN_WALLET = 3
# How often each is drawn. One rule for all: Hypothesis would switch whole rules off.
VERBS = [
    verb
    for verb, weight in {
        "authorize": 5,
        "increment": 5,
        "advise": 6,
        "stand_in": 2,
        "tap_again": 3,
        "reverse": 6,
        "withdraw": 2,
        "clear": 8,
        "refund": 4,
        "undo": 5,
        "fund": 2,
        "resolve": 2,
        "recall": 1,
        "repeat": 3,
        "late": 5,
        "stranger": 1,
        "wait": 1,
        "expire": 3,
    }.items()
    for _ in range(weight)
]


class LedgerAndModel(Messages, RuleBasedStateMachine):
    """Commands are queued, and decided as one batch by the first that does not wait."""

    engine: ClassVar[Engine]

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Messages.__init__(self, {number: WholeModel(*how) for number, how in WALLETS.items()})
        self.resources = ExitStack()
        url = self.resources.enter_context(fresh_ledger(self.engine))
        self.databases = [Database.open(url), Database.open(url)]
        for database in self.databases:
            self.resources.callback(database.close)
        self.writers = [Ledger(each, node=node) for node, each in enumerate(self.databases)]
        self.writers[0].create_schema()
        self.seeds = Counter[int]()
        self.asked: list[Message] = []
        self.waiting: list[tuple[AnyCommand, Answer, int]] = []
        self.answers: set[Decision] = set()
        self.decided = False  # since the books were last compared
        for number, (balance, credit_line) in WALLETS.items():
            wallet = Wallet(
                account_id=number,
                currency="JPY",
                at=NOW,
                opening_balance=balance,
                credit_line=credit_line,
            )
            self.writers[0].open_wallet(wallet)
            self.send(self.transfer(Life(number, "visanet", 0, ""), Money(300, "JPY"), value=True))

    def teardown(self) -> None:
        self.resources.close()

    # --- asking ---

    def send(self, message: Message, life: Life | None = None, *, waits: bool = False) -> None:
        """Ask it for the first time."""
        earlier = 0
        if life is not None and message in life.requests:
            earlier = self.pick(0, 0, 0, SECOND)
            early = life.as_a_whole.reversed_early
            message.reversed_early = max(message.reversed_early, early)
        message.command = msgspec.structs.replace(message.command, at=self.now - earlier)
        if message in self.meanings:
            message.about = self.meanings[message](), *message.about
        model = self.models[message.command.account_id]
        expected = model.apply(message)
        if life is not None and message in life.requests:
            life.came.append(message)
        self.asked.append(message)
        self.queue(message.command, expected, waits=waits)

    def queue(self, command: AnyCommand, expected: Answer, *, waits: bool) -> None:
        """The model has decided already, one at a time."""
        note(repr(command))
        model = self.models.get(command.account_id)
        self.waiting.append((command, expected, model.available if model else 0))
        if not waits:
            self.decide()

    def decide(self) -> None:
        """The writers take turns."""
        self.writers.reverse()
        self.decided = True
        batch, self.waiting = self.waiting, []
        decisions = self.writers[0].apply([command for command, _, _ in batch])
        for (command, expected, available), decision in zip(batch, decisions, strict=True):
            assert (decision.outcome, decision.amount) == expected, (command, decision)
            assert decision.account_id == command.account_id
            told = msgspec.structs.replace(decision, replayed=False)
            if isinstance(command, Clear | Fund | Resolve):  # of which a person may tell later
                told = msgspec.structs.replace(told, authorization_id=0)
            if decision.replayed:
                assert told in self.answers or decision.outcome is Outcome.WITHDRAWN, decision
            elif decision.outcome is not Outcome.CONFLICT:
                assert decision.available == available
                self.answers.add(told)

    # --- verbs ---

    @rule(seed=st.integers(0, 2**32 - 1))
    def say(self, seed: int) -> None:
        """The seed draws all of a step. One that Hypothesis has copied draws something else."""
        self.seeds[seed] += 1
        self.random = Random(f"{seed}, {self.seeds[seed]}")
        begins = not self.alive() and self.once_in(2)
        verb, waits = "authorize" if begins else self.pick(*VERBS), self.once_in(3)
        getattr(self, f"_{verb}")(waits)

    def _authorize(self, waits: bool) -> None:
        life = self.new_life()
        message = self.purchase(life)
        if not self.once_in(4):
            self.send(message, life, waits=waits)
        elif self.once_in(2):  # and what else may come of a life of which nothing has
            self.stand_in(life)

    def _increment(self, waits: bool) -> None:
        life = self.some_life("pending")
        amount = self.amount(life)
        named = self.name(life, self.some_request(life), amount.amount)
        message = self.request(life, "authorize", amount, *named)
        if not self.once_in(5):
            self.send(message, life, waits=waits)

    def _advise(self, waits: bool) -> None:
        life = self.some_life(*["expired"] * self.once_in(2))
        amount = Money(0, "JPY") if self.once_in(6) else self.amount(life)
        reference, named = self.name(life, self.some_request(life), amount.amount)

        def meaning() -> Message:
            meant = named()
            return (not meant.answer and life.transaction_id and life.first) or meant

        self.send(self.request(life, "advise", amount, reference, meaning), life, waits=waits)

    def _stand_in(self, waits: bool) -> None:
        """The network tells its own decision, of a transaction of which we may have heard."""
        life = self.new_life() if self.once_in(2) else self.some_life()
        message = self.stand_in(life)
        if not self.once_in(4):
            self.send(message, life, waits=waits)

    def _tap_again(self, waits: bool) -> None:
        """The same sale under another key."""
        taps = [
            (each, life)
            for life in self.lives[-2:]
            for each in life.came
            if each.verb == "authorize" and life.transaction_id
            for _ in range(4 if each.hold.state == "posted" else 1)
        ]
        if not taps:
            return
        tap, life = self.pick(*taps)
        same = tap.command.origin.fingerprint
        again = self.request(life, "authorize", Money(1, "JPY"), Reference(), self.meanings[tap])
        life.tapped = True
        origin = msgspec.structs.replace(again.command.origin, fingerprint=same)
        within = self.pick(*[3 * SECOND] * 5, 0)
        if self.once_in(3):
            self.now = max(self.now, tap.command.at + within)  # the last moment
        again.command = msgspec.structs.replace(tap.command, origin=origin, repeats_within=within)
        again.counter = tap.counter
        again.about = tuple(each for each in life.came if each.command.origin.fingerprint == same)
        self.send(again, life, waits=waits)

    def _late(self, waits: bool) -> None:
        """What has been prepared comes, perhaps after its reversal."""
        prepared = [
            (each, life)
            for life in self.lives
            for each in (*life.requests, *life.clearings)
            if each.answer is None
        ]
        if prepared:
            reversed_early = [
                (message, life)
                for message, life in prepared
                if life.as_a_whole.reversed_early
                or any(each.reversed_early for each in life.requests)
            ]
            message, life = self.pick(*prepared[-3:], *reversed_early[-4:])
            if message.reversed_early and self.once_in(3):
                self.now = max(self.now, message.reversed_early + WEEK)  # the last moment
            deliver = self.send if message in life.requests else self.present
            deliver(message, life, waits=waits)

    def _reverse(self, waits: bool, *, withdraws: bool = False) -> None:
        added = [each for each in self.lives[-8:] if each.increments and each.state == "pending"]
        life = self.pick(self.some_life(), *added * 3)
        if self.once_in(8):
            life = self.new_life()  # of which nothing has come
            self.purchase(life)
            self.stand_in(life)
        again = [each for each in life.increments if each.reversed_by]
        target = self.pick(*life.increments * 2, *again * 4, self.some_request(life))
        amount = self.amount(life, *([target.answer[1]] if target.answer else []))
        reference, meaning = self.name(life, target, amount.amount)
        partly = not withdraws and self.once_in(2)
        command = Reverse(
            **self.common(life, "v"),
            reference=reference,
            amount=amount,
            replacement=self.amount(life) if partly else None,
            withdraws=withdraws,
        )
        message = Message("reverse", command)
        self.meanings[message] = meaning
        self.send(message, waits=waits)

    def _withdraw(self, waits: bool) -> None:
        self._reverse(waits, withdraws=True)

    def _clear(self, waits: bool, *, credit: bool = False) -> None:
        life = self.some_life(*["posted"] * (credit and not self.once_in(3)))
        if self.once_in(8):
            life = self.pick(*self.lives[-6:], life)
        target = self.some_request(life)
        amount = self.posted(life, *([target.answer[1]] if target.answer else []))
        reference, meaning = self.name(life, target, amount.amount, clears=True)
        if self.once_in(4 if credit else 10):
            reference, meaning = Reference(), nobody
        number = reference.acquirer_reference or self.pick(self.new("R", life), *life.numbers)
        unless = 2 if life.state == "voided" else 6
        sequence, count = self.pick((0, 0), (0, 0), (1, 2), (2, 2), (1, 3), (1, 3))
        command = Clear(
            **self.common(life, "c", number),
            reference=reference,
            amount=amount,
            credit=credit,
            sequence=sequence,
            count=count,
            fee=self.pick(0, 5),
            points=self.pick(0, 3),
            unless_reversed=not reference.acquirer_reference and self.once_in(unless),
        )
        message = Message("clear", command)
        self.meanings[message] = meaning
        life.clearings.append(message)
        if not self.once_in(10):
            self.present(message, life, waits=waits)

    def _refund(self, waits: bool) -> None:
        self._clear(waits, credit=True)

    def present(self, clearing: Message, life: Life, *, waits: bool) -> None:
        """What it finds is then found by its number."""
        self.send(clearing, life, waits=waits)
        life.numbers[clearing.command.origin.trace].append(clearing)
        if clearing.posted and clearing.about[0].answer:
            self.matched[clearing] = clearing.about[0]

    def _undo(self, waits: bool) -> None:
        life = self.pick(self.life_with_clearings(), *filter(self.has_spent_a_refund, self.lives))
        if not life.clearings:
            return
        posted = [each for each in life.clearings if each.posted]
        refunds = [each for each in posted if each.path[0] == "settlement"]
        done = self.pick(*life.clearings[-4:], *posted, *refunds * 2)
        number, key = done.command.origin.trace, done.command.origin.request_key
        stays = self.pick(0, 0, 0, 0, 30, done.posted // 2, done.posted)
        reference, meaning = Reference(), nobody
        if self.once_in(3):
            named = self.some_life() if self.once_in(2) else life
            if (named.wallet, named.network) == (life.wallet, life.network) and named.came:
                reference, meaning = self.name(named, self.some_request(named), stays)
        meant, model = meaning(), self.models[life.wallet]
        by_key = self.pick(True, False)

        def held(message: Message) -> Message | None:
            return message if message.state != "none" and message in model.messages else None

        found = [
            each
            for each in ([done] if by_key else life.numbers.get(number, []))
            if held(each.hold) is held(meant.hold) or None in {held(each.hold), held(meant.hold)}
        ]
        command = Clear(
            **self.common(life, "c", number),
            reference=reference,
            amount=Money(stays, "JPY"),
            undoes=key if by_key else "",
            undoes_reference="" if by_key else number,
        )
        self.send(Message("undo", command, *found), waits=waits)

    def has_spent_a_refund(self, life: Life) -> bool:
        """Some that went to Money, where there is only Value now."""
        model = self.models[life.wallet]
        money = model.has["wallet"] - model.value
        refunds = [each for each in life.clearings if each.path == ("settlement", "wallet")]
        return model.value > 0 and any(each.posted > money for each in refunds)

    def _fund(self, waits: bool) -> None:
        life = self.some_life()
        transfer = self.transfer(life, self.posted(life), value=self.pick(False, True))
        self.send(transfer, waits=waits)

    def _resolve(self, waits: bool) -> None:
        life = self.life_with_clearings()
        if not life.clearings:
            return
        open_ = [each for each in life.clearings if each.path[1] == "suspense"]
        open_ += [each for each in life.clearings if each.posted and each not in self.matched]
        done = self.pick(*life.clearings, *open_ * 3)
        amount = done.answer[1] if done.answer else 0
        reference, meaning = self.name(life, self.some_request(life), amount)
        write_off = self.once_in(5)
        origin = Origin(life.network, self.new("by hand ", life), "", "", "same")
        command = Resolve(
            account_id=life.wallet,
            origin=origin,
            at=self.now,
            clearing_key=done.command.origin.request_key,
            reference=None if write_off else reference,
        )
        meant = nobody() if write_off else meaning()
        message = Message("resolve", command, done, meant)
        self.send(message, waits=waits)
        if message.answer and message.answer[0].approved and meant.answer:
            self.matched[done] = meant

    def _recall(self, waits: bool) -> None:
        life = self.some_life()
        message, same = self.some_request(life), not self.once_in(8)
        command = Recall(account_id=life.wallet, origin=marked(message, same=same), at=self.now)
        self.queue(command, self.models[life.wallet].recall(message, same=same), waits=waits)

    def _repeat(self, waits: bool) -> None:
        withdrawn = [each for each in self.asked if "issuer" in each.reversed_by]
        message, same = self.pick(*self.asked[-20:], *withdrawn * 4), not self.once_in(8)
        origin, model = marked(message, same=same), self.models[message.command.account_id]
        command = msgspec.structs.replace(message.command, origin=origin, at=self.now)
        self.queue(command, model.apply(message, same=same), waits=waits)

    def _stranger(self, waits: bool) -> None:
        command = self.pick(*self.asked[-4:]).command
        command = msgspec.structs.replace(command, account_id=UNKNOWN_WALLET)
        self.queue(command, (Outcome.ACCOUNT_UNKNOWN, 0), waits=waits)

    def _wait(self, _: bool) -> None:
        self.now += self.pick(SECOND, 3 * SECOND, DAY, 3 * DAY, 7 * DAY)

    def _expire(self, _: bool) -> None:
        ends = [
            life.first.hold.ends for life in self.lives if life.first and life.state == "pending"
        ]
        self.now = max(self.now, self.pick(self.now, self.now + DAY, *ends))
        self.decide()
        before = self.expired
        for model in self.models.values():
            model.expire(self.now)
        assert self.writers[0].expire(self.now) == self.expired - before

    @property
    def expired(self) -> int:
        messages = [each for model in self.models.values() for each in model.messages]
        return sum(each.state == "expired" for each in messages)

    @invariant()
    def the_books_are_those_of_the_model(self) -> None:
        if self.waiting or not self.decided:
            return
        self.decided = False
        with self.databases[0].reading() as connection:
            report = audit(connection)
            assert report.clean, report.disagreements
            accounts = [Account(*row) for row in connection.execute(select(tables.accounts))]
            entries = connection.execute(select(tables.entries)).all()
            order = tables.holds.c.authorization_id
            holds = [Hold(*row) for row in connection.execute(select(tables.holds).order_by(order))]
            spending = [Spending(*row) for row in connection.execute(select(tables.spending))]
        replay = Counter[int]()
        postings = Counter[tuple[int, str]]()
        for entry in entries:
            replay[entry.account_id] += entry.amount
            postings[entry.posting_id, entry.currency] += entry.amount
        assert not any(postings.values())
        assert all(replay[each.account_id] == each.posted for each in accounts)
        found = {each.account_id: each for each in accounts}
        for number, model in self.models.items():
            wallet = found.pop(number)
            owed = max(0, -model.has["wallet"])
            assert wallet.posted + wallet.credit_line == model.has["wallet"] + owed
            assert wallet.available == model.available
            assert (wallet.value, wallet.owed) == (model.value, owed)
            assert 0 <= wallet.value <= wallet.posted + wallet.credit_line
            assert not (wallet.owed and wallet.posted > -wallet.credit_line)
            mine = [each for each in holds if each.account_id == number]
            held = [each for each in model.messages if each.state != "none"]
            assert [told(each) for each in mine] == [
                (
                    each.state,
                    each.left,
                    each.posted,
                    each.money,
                    (each.amount, each.ends) if each.state == "pending" else None,
                )
                for each in held
            ]
            counted = defaultdict[tuple[int, int], list[int]](list)
            for each in held:
                if each.amount and each.counter[0] in WITH_LIMITS:
                    counted[each.counter].append(each.amount)
            assert {day: (sum(them), len(them)) for day, them in counted.items()} == {
                (each.instrument_id, each.day): (each.amount, each.count)
                for each in spending
                if each.account_id == number and (each.amount or each.count)
            }
        house = Counter[str]()
        expected = Counter[str]()
        for account in found.values():
            house[account.kind] += account.posted
        for model in self.models.values():
            expected.update({k: v for k, v in model.has.items() if k != "wallet"})
            expected[AccountKind.RECEIVABLE] -= max(0, -model.has["wallet"])
        assert {k: v for k, v in house.items() if v} == {k: v for k, v in expected.items() if v}


def marked(message: Message, *, same: bool) -> Origin:
    """Its origin, or that of another request under its key."""
    origin = message.command.origin
    return origin if same else msgspec.structs.replace(origin, fingerprint="other")


def told(hold: Hold) -> tuple[Any, ...]:
    live = (hold.amount, hold.expires_at) if hold.state == "pending" else None
    return hold.state, hold.remaining, hold.posted, hold.money, live


class OnSqlite(LedgerAndModel):
    engine = Engine.SQLITE


class OnPostgresql(LedgerAndModel):
    engine = Engine.POSTGRESQL


# Coverage takes as long again, and the examples have their tests. Each step audits all books.
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(300)]
TIMES = int(os.environ.get("CARDRAIL_STATE_MACHINE", "1"))
for machine, examples in ((OnSqlite, 40), (OnPostgresql, 10)):
    machine.TestCase.settings = settings(
        max_examples=examples * TIMES,
        stateful_step_count=40,
        suppress_health_check=[HealthCheck.too_slow],
    )
TestOnSqlite = OnSqlite.TestCase
TestOnPostgresql = OnPostgresql.TestCase
