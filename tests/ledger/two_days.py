"""A story of two business days on two networks and in two currencies, in numbers to remember.

Wallet 1 has JPY 10,000, wallet 2 USD 100.00, wallet 3 JPY 500. Letters name transactions. What must
come of it stands in the tests, line by line.
"""

from __future__ import annotations

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
    Reference,
    Resolve,
    Reverse,
)
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.outcomes import Outcome
from tests.ledger.books import DAY, NOW

EVE, FIRST, SECOND = 20270114, 20270115, 20270116
_AT = {20261201: NOW - 45 * DAY, 20270108: NOW - 7 * DAY, 20270113: NOW - 2 * DAY} | {
    EVE: NOW - DAY,
    FIRST: NOW,
    SECOND: NOW + DAY,
}
VISANET, QUICPAY = "visanet", "quicpay"


class TwoDays:
    """Tells the story to a ledger, as long as it is asked to go on."""

    def __init__(self, database: Database) -> None:
        self.ledger = Ledger(database, node=1)  # ids are the same each time
        self.database = database
        self.day = EVE
        self.open(1, "JPY", 10_000)
        self.open(2, "USD", 10_000)
        self.open(3, "JPY", 500)

    def open(self, account_id: int, currency: str, balance: int) -> None:
        wallet = Wallet(
            account_id=account_id,
            currency=currency,
            at=_AT[EVE],
            opening_balance=balance,
            day=EVE,
        )
        assert self.ledger.open_wallet(wallet)

    # --- verbs ---

    def say(self, command: AnyCommand, outcome: Outcome = Outcome.APPROVED) -> Decision:
        decision = self.ledger.apply([command])[0]
        assert decision.outcome is outcome, decision
        return decision

    def origin(self, key: str, network: str = VISANET) -> Origin:
        name = key[0]
        return Origin(
            network, f"{name}|{key}", name if network == VISANET else "", f"rrn-{name}", ""
        )

    def authorize(
        self,
        key: str,
        amount: int,
        outcome: Outcome = Outcome.APPROVED,
        *,
        account_id: int = 1,
        currency: str = "JPY",
        network: str = VISANET,
        purpose: Purpose = Purpose.PURCHASE,
        expires_at: int = NOW + 60 * DAY,
        increment_of: str = "",
        merchant: str = "",
    ) -> None:
        request = Authorize(
            account_id=account_id,
            origin=self.origin(key, network),
            at=_AT[self.day],
            day=self.day,
            purpose=purpose,
            amount=Money(amount, currency),
            approval_code="123456",
            expires_at=expires_at,
            partial_allowed=outcome is Outcome.APPROVED_PARTIALLY,
            increment_of=Reference(increment_of) if increment_of else None,
            details={"merchant": merchant},
        )
        self.say(request, outcome)

    def reverse(self, name: str, replacement: int | None = None) -> None:
        reversal = Reverse(
            account_id=1,
            origin=self.origin(f"{name} reversal"),
            at=_AT[self.day],
            day=self.day,
            reference=Reference(name),
            amount=Money(0, "JPY"),
            replacement=None if replacement is None else Money(replacement, "JPY"),
        )
        self.say(reversal)

    def clear(
        self,
        key: str,
        amount: int,
        reference: Reference = Reference(),  # noqa: B008 - frozen
        outcome: Outcome = Outcome.APPROVED,
        *,
        account_id: int = 1,
        currency: str = "JPY",
        network: str = VISANET,
        credit: bool = False,
        count: int = 0,
        fee: int = 0,
        undoes: str = "",
    ) -> None:
        record = Clear(
            account_id=account_id,
            origin=self.origin(key, network),
            at=_AT[self.day],
            day=self.day,
            reference=reference,
            amount=Money(amount, currency),
            credit=credit,
            count=count,
            fee=fee,
            undoes=undoes,
        )
        self.say(record, outcome)

    def resolve(self, key: str, reference: Reference | None) -> None:
        name = key[0]
        resolution = Resolve(
            account_id=1,
            origin=self.origin(f"{name} resolution"),
            at=_AT[self.day],
            day=self.day,
            clearing_key=f"{name}|{key}",
            reference=reference,
        )
        self.say(resolution)

    # --- the story ---

    def tell(self) -> TwoDays:
        """All of it; at the end the books balance."""
        self.before()
        self.first_day()
        self.second_day()
        with self.database.reading() as connection:
            assert audit(connection).clean
        return self

    def before(self) -> None:
        """Purchases of earlier days that nobody has cleared."""
        for self.day, key, amount in ((20261201, "X", 5), (20270108, "Y", 6), (20270113, "Z", 7)):
            self.authorize(key, amount)

    def first_day(self) -> None:
        """Most is authorized; some is cleared at once, forced or credited."""
        self.day, soon = FIRST, NOW + DAY // 2
        self.authorize("A", 1000)
        self.authorize("B", 2000)
        self.reverse("B", 1500)
        self.clear("B part", 500, Reference("B"), count=2)
        self.authorize("C", 300)
        self.authorize("C more", 200, increment_of="C")
        self.authorize("D", 400)
        self.reverse("D")
        self.authorize("E", 700)
        self.authorize("F", 50_000, Outcome.INSUFFICIENT_FUNDS)
        self.authorize("G", 800, Outcome.APPROVED_PARTIALLY, account_id=3, expires_at=soon)
        self.authorize("H", 90, merchant="KONBINI")
        self.clear("H forced", 90, Reference(merchant="KONBINI", days=("H",)))
        self.authorize("I", 0, purpose=Purpose.INQUIRY)
        self.clear("J", 45)
        self.clear("L", 70, credit=True)
        self.clear("M", 30, credit=True)
        self.authorize("W", 60, expires_at=soon)
        self.say(self.advice("Q", 250))
        self.authorize("R", 120, network=QUICPAY, purpose=Purpose.CASH)
        self.clear("R clearing", 120, Reference(trace="R"), network=QUICPAY, fee=10)
        self.authorize("U", 2000, account_id=2, currency="USD")

    def second_day(self) -> None:
        """Holds expire; the clearing comes, and a person looks through it."""
        self.day = SECOND
        assert self.ledger.expire(_AT[SECOND]) == 2
        self.clear("A clearing", 1000, Reference("A"))
        self.clear("B last", 1000, Reference("B"), count=2)
        self.clear("C clearing", 560, Reference("C"))
        self.clear("B undone", 0, undoes="B|B part")
        self.clear("A refund", 100, Reference("A"), credit=True)
        self.clear("G late", 200, Reference("G"), account_id=3)
        self.clear("V", 650, account_id=3)
        self.clear("N", 10, outcome=Outcome.CURRENCY_UNSUPPORTED, currency="USD")
        self.authorize("S", 33, merchant="KISSATEN")
        self.clear("S forced", 33, Reference(merchant="KISSATEN", days=("S",)))
        self.resolve("H forced", Reference("H"))
        self.resolve("L", None)
        origin = Origin("bank", "transfer 1", "", "", "")
        amount, at = Money(100, "JPY"), _AT[SECOND]
        self.say(Fund(account_id=3, origin=origin, at=at, day=SECOND, amount=amount))
        self.clear("Q clearing", 250, Reference(trace="Q"), network=QUICPAY)
        self.clear("U clearing", 1950, Reference("U"), account_id=2, currency="USD")

    def advice(self, key: str, amount: int) -> Advise:
        return Advise(
            account_id=1,
            origin=self.origin(key, QUICPAY),
            at=_AT[self.day],
            day=self.day,
            purpose=Purpose.PURCHASE,
            amount=Money(amount, "JPY"),
            approved=True,
            reference=Reference(),
            approval_code="654321",
            expires_at=NOW + 60 * DAY,
        )
