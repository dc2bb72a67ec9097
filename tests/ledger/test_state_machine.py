# ruff: noqa: ANN401 - fields of a command are given by name
"""Every verb in any order, with duplicates, on two writers, against a model of lists and sums."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from ledger import tables
from ledger.audit import audit
from ledger.commands import (
    Advise,
    AnyCommand,
    Authorize,
    Clear,
    Decision,
    Fund,
    Origin,
    Purpose,
    Recall,
    Reference,
    Resolve,
    Reverse,
    SpendingLimits,
)
from ledger.database import Database
from ledger.house import AccountKind
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.rows import Account, Hold, Spending
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.model import Model

SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = 1_800_000_000 * SECOND
WALLETS = {1: (1000, 0), 2: (300, 200)}  # balance, credit line
UNKNOWN_WALLET = 3

# Few names, so that they meet. A trace names one message in the networks; here some are shared.
wallets = st.sampled_from([*[1] * 10, *[2] * 5, UNKNOWN_WALLET])
networks = st.sampled_from(["visanet", "visanet", "visanet", "quicpay"])
transaction_ids = st.sampled_from(["", "A", "B", "C"])
traces = st.sampled_from(["0115a", "0115b", "0115c", "0116d", "0116e", "0116f"])
rrns = st.sampled_from(["r1", "r2", "r3"])
approval_codes = st.sampled_from(["c1", "c2", "c3"])
acquirer_references = st.sampled_from(["R1", "R2"])
fingerprints = st.sampled_from(["same"] * 9 + ["other"])
digits = st.integers(0, 3).map(str)
message_keys = st.builds("{}|{}".format, traces, digits)
clearing_keys = st.one_of(
    st.builds("{}|{}".format, acquirer_references, digits), st.builds("post:{}".format, digits)
)


def origins_with(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Origin]:
    return st.builds(
        Origin,
        network=networks,
        request_key=keys,
        transaction_id=transaction_ids,
        rrn=rrns,
        fingerprint=fingerprints,
    )


messages = origins_with(message_keys)
clearings = origins_with(clearing_keys)
yen = st.integers(1, 400) | st.sampled_from([0, 100, 100, 200, 1000, 5000])
amounts = st.one_of(
    *[yen.map(lambda amount: Money(amount, "JPY"))] * 12,
    st.sampled_from([Money(-1, "JPY"), Money(10, "USD")]),
)
days = st.sampled_from([(), ("0115",), ("0115", "0116")])
by_name = st.builds(Reference, transaction_id=transaction_ids, trace=st.just("") | traces)
by_code = st.builds(Reference, approval_code=approval_codes, rrn=st.just("") | rrns, days=days)
references = by_name | by_name | by_code
of_clearings = references | st.builds(
    Reference,
    transaction_id=st.just("") | transaction_ids,
    acquirer_reference=acquirer_references,
    approval_code=st.just("") | approval_codes,
)
limits = st.none() | st.builds(
    SpendingLimits,
    day_amount=st.none() | st.integers(0, 1500),
    day_count=st.none() | st.integers(0, 4),
)
purposes = st.sampled_from([Purpose.PURCHASE] * 6 + [Purpose.CASH, Purpose.CREDIT])
common: Any = {
    "wallet": wallets,
    "earlier": st.sampled_from([0, 0, 0, SECOND]),
    "card": st.sampled_from([7, 7, 8]),
    "day": st.sampled_from([20270115, 20270116]),
    "waits": st.sampled_from([False, False, True]),
}
parts = st.sampled_from([(0, 0), (0, 0), (1, 2), (2, 2), (1, 3)])


class LedgerAndModel(RuleBasedStateMachine):
    """Commands are queued, and decided as one batch by the first that does not wait."""

    engine: ClassVar[Engine]

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        url = self.resources.enter_context(fresh_ledger(self.engine))
        self.databases = [Database.open(url), Database.open(url)]
        for database in self.databases:
            self.resources.callback(database.close)
        self.writers = [Ledger(each, node=node) for node, each in enumerate(self.databases)]
        self.writers[0].create_schema()
        for number, (balance, credit_line) in WALLETS.items():
            self.writers[0].open_wallet(
                Wallet(
                    account_id=number,
                    currency="JPY",
                    at=NOW,
                    opening_balance=balance,
                    credit_line=credit_line,
                )
            )
        self.models = {number: Model(*how) for number, how in WALLETS.items()}
        self.now = NOW
        self.asked: list[AnyCommand] = []
        self.waiting: list[tuple[AnyCommand, tuple[Outcome, int], int]] = []
        self.answers: set[Decision] = set()
        for number in WALLETS:
            self.queue(
                Fund(
                    account_id=number,
                    origin=Origin("visanet", "gift", "", "", "same"),
                    at=NOW,
                    amount=Money(300, "JPY"),
                    to_value=True,
                ),
                waits=False,
            )

    def teardown(self) -> None:
        self.resources.close()

    def ask(
        self,
        kind: type[AnyCommand],
        origin: Origin,
        wallet: int,
        earlier: int,
        card: int,
        day: int,
        waits: bool,
        **what: Any,
    ) -> None:
        command = kind(
            account_id=wallet,
            origin=origin,
            at=self.now - earlier,
            instrument_id=card,
            day=day,
            **what,
        )
        self.queue(command, waits=waits)

    def queue(self, command: AnyCommand, *, waits: bool) -> None:
        """The model decides one at a time."""
        model = self.models.get(command.account_id)
        expected = model.apply(command) if model else (Outcome.ACCOUNT_UNKNOWN, 0)
        self.asked.append(command)
        self.waiting.append((command, expected, model.available if model else 0))
        if not waits:
            self.decide()

    def decide(self) -> None:
        """The writers take turns."""
        self.writers.reverse()
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

    @rule(
        **common,
        origin=messages,
        amount=amounts,
        purpose=purposes,
        approval_code=approval_codes,
        partial_allowed=st.booleans(),
        limits=limits,
        refusal=st.sampled_from([None] * 8 + [Outcome.INSTRUMENT_LOST, Outcome.FORMAT_INVALID]),
        increment_of=st.none() | st.none() | references,
        ends=st.integers(1, 5),
        points=st.integers(0, 50),
        repeats_within=st.sampled_from([0, 3 * SECOND]),
    )
    def authorize(self, origin: Origin, ends: int, **what: Any) -> None:
        self.ask(Authorize, origin, expires_at=self.now + ends * DAY, **what)

    @rule(
        **common,
        origin=messages,
        amount=amounts,
        purpose=purposes,
        approved=st.sampled_from([True, True, False]),
        reference=references,
        approval_code=approval_codes,
        ends=st.integers(1, 5),
        completes=st.booleans(),
        counted=st.booleans(),
        points=st.integers(0, 50),
    )
    def advise(self, origin: Origin, ends: int, **what: Any) -> None:
        self.ask(Advise, origin, expires_at=self.now + ends * DAY, **what)

    @rule(
        **common,
        origin=messages,
        reference=references,
        amount=amounts,
        replacement=st.none() | st.none() | amounts,
    )
    def reverse(self, origin: Origin, **what: Any) -> None:
        self.ask(Reverse, origin, **what)

    @rule(**common, origin=messages, reference=references, amount=amounts)
    def withdraw(self, origin: Origin, **what: Any) -> None:
        self.ask(Reverse, origin, withdraws=True, **what)

    @rule(
        **common,
        origin=clearings,
        reference=of_clearings,
        amount=amounts,
        credit=st.sampled_from([False, False, True]),
        part=parts,
        fee=st.sampled_from([0, 0, 5]),
        points=st.sampled_from([0, 3]),
    )
    def clear(self, origin: Origin, part: tuple[int, int], **what: Any) -> None:
        self.ask(Clear, origin, sequence=part[0], count=part[1], **what)

    @rule(
        **common,
        origin=clearings,
        reference=references,
        amount=amounts,
        credit=st.sampled_from([False, False, True]),
    )
    def clear_unless_reversed(self, origin: Origin, **what: Any) -> None:
        self.ask(Clear, origin, unless_reversed=True, **what)

    @rule(
        **common,
        origin=clearings,
        stays=st.sampled_from([0, 0, 0, 30, 100]),
        undone=st.fixed_dictionaries({"undoes": clearing_keys})
        | st.fixed_dictionaries({"undoes_reference": acquirer_references}),
    )
    def undo(self, origin: Origin, stays: int, undone: Any, **what: Any) -> None:
        amount = Money(stays, "JPY")
        self.ask(Clear, origin, reference=Reference(), amount=amount, **undone, **what)

    @rule(**common, origin=clearings, amount=amounts, to_value=st.booleans())
    def fund(self, origin: Origin, **what: Any) -> None:
        self.ask(Fund, origin, **what)

    @rule(
        **common,
        origin=origins_with(st.builds("by hand:{}".format, digits)),
        clearing_key=clearing_keys,
        reference=st.none() | of_clearings,
    )
    def resolve(self, origin: Origin, **what: Any) -> None:
        self.ask(Resolve, origin, **what)

    @rule(**common, origin=messages)
    def recall(self, origin: Origin, **what: Any) -> None:
        self.ask(Recall, origin, **what)

    @rule(which=st.integers(0, 10_000), changed=fingerprints, waits=st.booleans())
    def repeat(self, which: int, changed: str, waits: bool) -> None:
        if not self.asked:
            return
        command = self.asked[which % len(self.asked)]
        origin = msgspec.structs.replace(command.origin, fingerprint=changed)
        self.queue(msgspec.structs.replace(command, origin=origin, at=self.now), waits=waits)

    @rule(by=st.sampled_from([SECOND, 3 * SECOND, DAY, 3 * DAY, 7 * DAY]))
    def time_passes(self, by: int) -> None:
        self.now += by

    @rule()
    def expire(self) -> None:
        self.decide()
        expected = sum(model.expire(self.now) for model in self.models.values())
        assert self.writers[0].expire(self.now) == expected

    @invariant()
    def the_books_are_those_of_the_model(self) -> None:
        if self.waiting:
            return
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
            owed = max(0, -model.above_line)
            assert wallet.posted == model.has["wallet"] + owed
            assert (wallet.held, wallet.value, wallet.owed) == (model.held, model.value, owed)
            assert 0 <= wallet.value <= wallet.posted + wallet.credit_line
            assert not (wallet.owed and wallet.posted > -wallet.credit_line)
            mine = [each for each in holds if each.account_id == number]
            assert [told(each) for each in mine] == [
                (
                    each.state,
                    each.left,
                    each.posted,
                    each.money,
                    (each.amount, each.ends) if each.state == "pending" else None,
                )
                for each in model.promises
            ]
            counted = Counter[tuple[int, int]]()
            counts = Counter[tuple[int, int]]()
            for each in model.promises:
                if each.counter and each.amount:
                    counted[each.counter] += each.amount
                    counts[each.counter] += 1
            assert counted == {
                (each.instrument_id, each.day): each.amount
                for each in spending
                if each.account_id == number and each.amount
            }
            assert counts == {
                (each.instrument_id, each.day): each.count
                for each in spending
                if each.account_id == number and each.count
            }
        house = Counter[str]()
        expected = Counter[str]()
        for account in found.values():
            house[account.kind] += account.posted
        for model in self.models.values():
            expected.update({k: v for k, v in model.has.items() if k != "wallet"})
            expected[AccountKind.RECEIVABLE] -= max(0, -model.above_line)
        assert {k: v for k, v in house.items() if v} == {k: v for k, v in expected.items() if v}


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
