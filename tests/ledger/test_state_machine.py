"""Every verb in any order, with duplicates, against a model that is too simple to be wrong."""

from __future__ import annotations

from contextlib import ExitStack
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.commands import AnyCommand, Origin, Purpose, Reference, SpendingLimits
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.reports import list_accounts
from tests.ledger.books import DAY, NETWORK, NOW, Books
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.model import Model

BALANCE = 1000

amounts = st.one_of(
    st.integers(1, 400),
    st.sampled_from([-1, 0, 1000, 5000]),
).map(lambda amount: Money(amount, "JPY")) | st.just(Money(10, "USD"))
transaction_ids = st.sampled_from(["", "A", "B", "C"])
traces = st.sampled_from(["s1", "s2", "s3", "s4", "s5", "s6"])
# A trace names one message in the networks; here a few are shared, to meet every rung.
references = st.builds(
    Reference, transaction_id=transaction_ids, trace=st.one_of(st.just(""), traces)
)
purposes = st.sampled_from([Purpose.PURCHASE] * 4 + list(Purpose))
ends = st.integers(1, 5).map(lambda days: NOW + days * DAY)
origins = st.builds(
    Origin,
    network=st.just(NETWORK),
    request_key=st.integers(1, 60).map(str),
    trace=traces,
    transaction_id=transaction_ids,
    rrn=st.just(""),
    fingerprint=st.sampled_from(["same"] * 9 + ["other"]),
)
limits = st.none() | st.builds(
    SpendingLimits,
    day_amount=st.none() | st.integers(0, 1500),
    day_count=st.none() | st.integers(0, 4),
)


class LedgerAndModel(RuleBasedStateMachine):
    engine: ClassVar[Engine]

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.books = Books(self.resources.enter_context(fresh_ledger(self.engine)), BALANCE)
        self.resources.callback(self.books.close)
        self.model = Model(BALANCE)
        self.asked: list[AnyCommand] = []

    def teardown(self) -> None:
        self.resources.close()

    def both(self, command: AnyCommand) -> None:
        known = (type(command).__name__ in {"Reverse", "Clear"}, command.origin.request_key)
        decision = self.books.ledger.apply([command])[0]
        expected = self.model.apply(command)
        assert (decision.outcome, decision.amount) == expected, (known, decision)
        self.asked.append(command)
        if not decision.replayed and decision.outcome is not Outcome.CONFLICT:
            assert decision.available == self.model.posted - self.model.held
            assert decision.posted == self.model.posted

    @rule(
        origin=origins,
        amount=amounts,
        purpose=purposes,
        partial=st.booleans(),
        limits=limits,
        refusal=st.sampled_from([None] * 8 + [Outcome.INSTRUMENT_LOST, Outcome.FORMAT_INVALID]),
        increment_of=st.none() | references,
        expires_at=ends,
        day=st.sampled_from([20270101, 20270102]),
    )
    def authorize(self, origin: Origin, amount: Money, **how: object) -> None:
        self.both(self.books.authorize(amount, origin, **how))  # type: ignore[arg-type] # by name

    @rule(
        origin=origins,
        amount=amounts,
        purpose=purposes,
        reference=references,
        approved=st.booleans(),
        completes=st.booleans(),
    )
    def advise(self, origin: Origin, amount: Money, reference: Reference, **how: object) -> None:
        self.both(self.books.advise(amount, reference, origin, **how))  # type: ignore[arg-type] # by name

    @rule(origin=origins, reference=references, replacement=st.none() | amounts)
    def reverse(self, origin: Origin, reference: Reference, replacement: Money | None) -> None:
        self.both(self.books.reverse(reference, 0, origin, replacement=replacement))

    @rule(
        origin=origins,
        amount=amounts,
        reference=references,
        credit=st.sampled_from([False, False, True]),
        part=st.sampled_from([(0, 0), (0, 0), (1, 2), (2, 2), (1, 3)]),
        fee=st.sampled_from([0, 0, 5, -1]),
        points=st.sampled_from([0, 3]),
    )
    def clear(self, origin: Origin, amount: Money, reference: Reference, **how: object) -> None:
        self.both(self.books.clear(amount, reference, origin, **how))  # type: ignore[arg-type] # by name

    @rule(which=st.integers(0, 1000))
    def repeat(self, which: int) -> None:
        if self.asked:
            self.both(self.asked[which % len(self.asked)])

    @rule(days=st.integers(0, 6))
    def expire(self, days: int) -> None:
        now = NOW + days * DAY
        assert self.books.ledger.expire(now) == self.model.expire(now)

    @invariant()
    def the_books_balance(self) -> None:
        self.books.must_balance()

    @invariant()
    def the_accounts_are_those_of_the_model(self) -> None:
        with self.books.database.reading() as connection:
            found = {each.kind: each for each in list_accounts(connection)}
        wallet = found.pop("wallet")
        assert (wallet.posted, wallet.held) == (self.model.posted, self.model.held)
        assert {kind: each.posted for kind, each in found.items() if each.posted} == {
            kind: posted for kind, posted in self.model.house.items() if posted
        }


class OnSqlite(LedgerAndModel):
    engine = Engine.SQLITE


class OnPostgresql(LedgerAndModel):
    engine = Engine.POSTGRESQL


for machine, examples in ((OnSqlite, 20), (OnPostgresql, 12)):
    machine.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=25,
        suppress_health_check=[HealthCheck.too_slow],
    )
TestOnSqlite = OnSqlite.TestCase
TestOnPostgresql = OnPostgresql.TestCase
