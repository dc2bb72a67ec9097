"""Short ways to say commands, so that a table of cases reads as a story."""

from __future__ import annotations

from collections import Counter
from itertools import count

from sqlalchemy import select

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
from ledger.events import Event, decode_events
from ledger.house import AccountKind
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.rows import Account, Clearing, Hold
from ledger.tables import accounts, clearings, events, holds

NOW = 1_800_000_000_000_000  # microseconds
DAY = 86_400_000_000
CARD = 7
TODAY = 20270115
NETWORK = "visanet"


def yen(amount: int) -> Money:
    return Money(amount, "JPY")


def named(
    transaction_id: str = "", trace: str = "", approval_code: str = "", rrn: str = ""
) -> Reference:
    return Reference(transaction_id, trace, rrn, approval_code)


class Books:
    """A ledger with one wallet (1), and commands about it; each new one has its own key."""

    def __init__(self, url: str, balance: int = 1000) -> None:
        self.url = url
        self.database = Database.open(url)
        self.ledger = Ledger(self.database)
        self.ledger.create_schema()
        self.open(1, balance)
        self.numbers = count(1)
        self.now = NOW

    def open(self, account_id: int, balance: int = 0, credit_line: int = 0) -> None:
        wallet = Wallet(
            account_id=account_id,
            currency="JPY",
            at=NOW,
            opening_balance=balance,
            credit_line=credit_line,
        )
        assert self.ledger.open_wallet(wallet)

    def close(self) -> None:
        self.database.close()

    def ask(self, command: AnyCommand) -> Decision:
        """Decide one command, then audit."""
        decision = self.ledger.apply([command])[0]
        self.must_balance()
        return decision

    def must_balance(self) -> None:
        with self.database.reading() as connection:
            report = audit(connection)
        assert report.clean, report.disagreements
        assert not any(report.totals.values())

    # --- what the books say ---

    def wallet(self, account_id: int = 1) -> Account:
        chosen = select(accounts).where(accounts.c.account_id == account_id)
        with self.database.reading() as connection:
            return Account(*connection.execute(chosen).one())

    def purse(self, account_id: int = 1) -> tuple[int, int, int]:
        """*Money*, *Value*, and what is owed."""
        wallet = self.wallet(account_id)
        return wallet.posted - wallet.value, wallet.value, wallet.owed

    def house(self) -> dict[str, int]:
        """What the house's accounts have, by kind; those that have nothing are left out."""
        posted: Counter[str] = Counter()
        chosen = select(accounts).where(accounts.c.kind != AccountKind.WALLET.value)
        with self.database.reading() as connection:
            for row in connection.execute(chosen):
                posted[row.kind] += row.posted
        return {kind: amount for kind, amount in posted.items() if amount}

    def hold(self, authorization_id: int) -> Hold:
        chosen = select(holds).where(holds.c.authorization_id == authorization_id)
        with self.database.reading() as connection:
            return Hold(*connection.execute(chosen).one())

    def clearing(self, request_key: str) -> Clearing:
        chosen = select(clearings).where(clearings.c.request_key == request_key)
        with self.database.reading() as connection:
            return Clearing(*connection.execute(chosen).one())

    def told(self) -> list[Event]:
        """Every event, in the order of the outbox."""
        chosen = select(events.c.data).order_by(events.c.account_id, events.c.event_id)
        with self.database.reading() as connection:
            return [event for data in connection.scalars(chosen) for event in decode_events(data)]

    # --- commands ---

    def origin(
        self, transaction_id: str = "", trace: str = "", key: str = "", fingerprint: str = "same"
    ) -> Origin:
        number = next(self.numbers)
        trace = trace or f"trace-{number}"
        return Origin(
            network=NETWORK,
            request_key=key or f"{trace}|key-{number}",
            transaction_id=transaction_id,
            rrn=f"rrn-{number}",
            fingerprint=fingerprint,
        )

    def authorize(
        self,
        amount: int | Money,
        origin: Origin | None = None,
        *,
        purpose: Purpose = Purpose.PURCHASE,
        account_id: int = 1,
        approval_code: str = "123456",
        partial: bool = False,
        estimated: bool = False,
        refusal: Outcome | None = None,
        limits: SpendingLimits | None = None,
        increment_of: Reference | None = None,
        expires_at: int | None = None,
        day: int = TODAY,
        points: int = 0,
        repeats_within: int = 0,
    ) -> Authorize:
        return Authorize(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            instrument_id=CARD,
            day=day,
            purpose=purpose,
            amount=yen(amount) if isinstance(amount, int) else amount,
            approval_code=approval_code,
            expires_at=expires_at or NOW + 7 * DAY,
            partial_allowed=partial,
            estimated=estimated,
            refusal=refusal,
            limits=limits,
            increment_of=increment_of,
            points=points,
            repeats_within=repeats_within,
        )

    def advise(
        self,
        amount: int | Money,
        reference: Reference = Reference(),  # noqa: B008 - frozen
        origin: Origin | None = None,
        *,
        approved: bool = True,
        purpose: Purpose = Purpose.PURCHASE,
        completes: bool = False,
        counted: bool = False,
        points: int = 0,
        account_id: int = 1,
    ) -> Advise:
        return Advise(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            instrument_id=CARD,
            day=TODAY,
            purpose=purpose,
            amount=yen(amount) if isinstance(amount, int) else amount,
            approved=approved,
            reference=reference,
            approval_code="654321",
            expires_at=NOW + 7 * DAY,
            completes=completes,
            counted=counted,
            points=points,
        )

    def reverse(
        self,
        reference: Reference,
        amount: int = 0,
        origin: Origin | None = None,
        *,
        replacement: int | Money | None = None,
        account_id: int = 1,
        withdraws: bool = False,
    ) -> Reverse:
        return Reverse(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            reference=reference,
            amount=yen(amount),
            replacement=yen(replacement) if isinstance(replacement, int) else replacement,
            withdraws=withdraws,
        )

    def clear(
        self,
        amount: int | Money,
        reference: Reference = Reference(),  # noqa: B008 - frozen
        origin: Origin | None = None,
        *,
        credit: bool = False,
        part: tuple[int, int] = (0, 0),
        fee: int = 0,
        points: int = 0,
        account_id: int = 1,
        unless_reversed: bool = False,
        undoes: str = "",
        undoes_reference: str = "",
    ) -> Clear:
        return Clear(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            reference=reference,
            amount=yen(amount) if isinstance(amount, int) else amount,
            credit=credit,
            sequence=part[0],
            count=part[1],
            fee=fee,
            points=points,
            unless_reversed=unless_reversed,
            undoes=undoes,
            undoes_reference=undoes_reference,
            day=TODAY,
        )

    def fund(
        self,
        amount: int | Money,
        origin: Origin | None = None,
        *,
        to_value: bool = False,
        account_id: int = 1,
    ) -> Fund:
        return Fund(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            amount=yen(amount) if isinstance(amount, int) else amount,
            to_value=to_value,
            day=TODAY,
        )

    def resolve(
        self,
        clearing: Clear,
        reference: Reference | None = None,
        origin: Origin | None = None,
        *,
        account_id: int = 1,
    ) -> Resolve:
        return Resolve(
            account_id=account_id,
            origin=origin or self.origin(),
            at=self.now,
            clearing_key=clearing.origin.request_key,
            reference=reference,
            day=TODAY,
        )

    def recall(self, of: Authorize | Advise) -> Recall:
        return Recall(account_id=of.account_id, origin=of.origin, at=self.now)
