"""Cards: what is stored of one, issuing, and loading.

A PAN enters here once, when its card is issued, and leaves as a keyed index, a ciphertext and a
masked text. Only numbers of the configured test ranges are issued: no live card can get in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    text,
)

from gateway.vault import PanVault
from ledger.outcomes import Outcome
from networks.wire.masking import mask_pan
from networks.wire.pan import TEST_BIN, luhn_digit

if TYPE_CHECKING:
    from collections.abc import Mapping

_ISSUED_AT_ONCE = 500  # rows of one statement; below every engine's parameter limit
_LOADED_AT_ONCE = 10_000
_PAN_SHORTEST, _PAN_LONGEST = 13, 19


class CardState(StrEnum):
    """Whether a card may spend."""

    ACTIVE = "active"
    RESTRICTED = "restricted"
    LOST = "lost"
    STOLEN = "stolen"
    CLOSED = "closed"


REFUSAL_BY_STATE: Mapping[CardState, Outcome | None] = MappingProxyType(
    {
        CardState.ACTIVE: None,
        CardState.RESTRICTED: Outcome.INSTRUMENT_RESTRICTED,
        CardState.LOST: Outcome.INSTRUMENT_LOST,
        CardState.STOLEN: Outcome.INSTRUMENT_STOLEN,
        CardState.CLOSED: Outcome.ACCOUNT_CLOSED,
    }
)


class CardKind(StrEnum):
    """Who lends: a prepaid card spends what is there, a post-pay card against a credit line."""

    PREPAID = "prepaid"
    POST_PAY = "post-pay"


class Channel(StrEnum):
    """Ways of paying that a cardholder can switch off."""

    ECOMMERCE = "e-commerce"
    CONTACTLESS = "contactless"
    ATM = "atm"
    ABROAD = "abroad"


class CardControls(msgspec.Struct, frozen=True, gc=False):
    """What a card may not do. Limits in minor units of the card's currency; ``None`` is none."""

    blocked_categories: frozenset[str] = frozenset()  # MCCs
    blocked_channels: frozenset[Channel] = frozenset()
    amount_limit: int | None = None  # one transaction
    day_amount: int | None = None
    day_count: int | None = None


NO_CONTROLS = CardControls()


def has_limits(controls: CardControls) -> bool:
    """Whether a day's spending has to be counted."""
    return controls.day_amount is not None or controls.day_count is not None


class Card(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One card as decisions need it: everything but its PAN."""

    card_id: int
    account_id: int
    index: bytes
    masked_pan: str
    expiry: str  # YYMM
    state: CardState = CardState.ACTIVE
    kind: CardKind = CardKind.PREPAID
    currency: str = "JPY"  # of its wallet, ISO 4217 letters
    controls: CardControls = NO_CONTROLS


class NewCard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A card to be issued; the only card record with a PAN, and short-lived."""

    card_id: int
    account_id: int
    pan: str
    expiry: str
    state: CardState = CardState.ACTIVE
    kind: CardKind = CardKind.PREPAID
    currency: str = "JPY"
    controls: CardControls = NO_CONTROLS

    def __repr__(self) -> str:
        return f"NewCard(card_id={self.card_id}, account_id={self.account_id})"


class CardRefused(ValueError):
    """A card that must not be issued."""

    def __init__(self, card_id: int, reason: str) -> None:
        super().__init__(card_id, reason)
        self.card_id = card_id
        self.reason = reason

    def __str__(self) -> str:
        return f"card {self.card_id} cannot be issued: {self.reason}"


METADATA = MetaData()

_CHANGED = text("changed_at > 0")

# Keys begin with the account, by which the schema can be sharded; so that the PAN index
# cannot be unique by itself, and issuing looks for it first.
CARDS = Table(
    "cards",
    METADATA,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("card_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pan_index", LargeBinary(32), nullable=False),
    Column("pan_sealed", LargeBinary(64), nullable=False),
    Column("masked_pan", String(19), nullable=False),
    Column("expiry", String(4), nullable=False),
    Column("state", String(12), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("blocked_categories", String(1000), nullable=False, default=""),
    Column("blocked_channels", String(100), nullable=False, default=""),
    Column("amount_limit", BigInteger),
    Column("day_amount", BigInteger),
    Column("day_count", Integer),
    Column("changed_at", BigInteger, nullable=False, default=0),  # microseconds; 0 as issued
    UniqueConstraint("account_id", "pan_index", name="cards_account_pan"),
    Index("cards_pan_index", "pan_index"),
    Index("cards_masked_pan", "masked_pan"),
    Index("cards_changed_at", "changed_at", sqlite_where=_CHANGED, postgresql_where=_CHANGED),
)

CARD_COLUMNS = [column for column in CARDS.c if column.name not in ("pan_sealed", "changed_at")]


def create_card_schema(connection: Connection) -> None:
    """Make the table of cards where it is missing."""
    METADATA.create_all(connection)


def issue_cards(
    connection: Connection,
    vault: PanVault,
    cards: Iterable[NewCard],
    test_bins: Sequence[str] = (TEST_BIN,),
) -> int:
    """Store `cards` and return how many there were.

    Raises
    ------
    CardRefused
        If a number is outside `test_bins`, is no PAN, or is issued already. The caller's
        transaction is to be rolled back then.
    """
    count = 0
    waiting = iter(cards)
    while batch := list(islice(waiting, _ISSUED_AT_ONCE)):
        _issue_batch(connection, [_row(vault, card, test_bins) for card in batch])
        count += len(batch)
    return count


def load_cards(connection: Connection) -> Iterator[Card]:
    """Every card, in no particular order, without holding all of them at once."""
    statement = select(*CARD_COLUMNS).execution_options(yield_per=_LOADED_AT_ONCE)
    for row in connection.execute(statement):
        yield card_of(row)


def find_cards(connection: Connection, indexes: Sequence[bytes]) -> list[Card]:
    """The cards with these PAN indexes; those that do not exist are missing in the answer."""
    statement = select(*CARD_COLUMNS).where(CARDS.c.pan_index.in_(indexes))
    return [card_of(row) for row in connection.execute(statement)]


def keys_fit(connection: Connection, vault: PanVault) -> bool:
    """Whether the stored cards, if any, were issued with the keys of `vault`.

    Raises
    ------
    VaultError
        If the ciphertext key is another one.
    """
    statement = select(CARDS.c.pan_index, CARDS.c.pan_sealed).limit(1)
    row = connection.execute(statement).first()
    return row is None or vault.index(vault.unseal(row.pan_sealed)) == row.pan_index


def _issue_batch(connection: Connection, rows: list[dict[str, Any]]) -> None:
    by_index = {row["pan_index"]: row["card_id"] for row in rows}
    existing = connection.scalars(
        select(CARDS.c.pan_index).where(CARDS.c.pan_index.in_(list(by_index)))
    )
    for pan_index in existing:
        raise CardRefused(by_index[pan_index], "its number is issued already")
    if len(by_index) < len(rows):
        twice = next(row for row in rows if by_index[row["pan_index"]] != row["card_id"])
        raise CardRefused(twice["card_id"], "its number is issued already")
    connection.execute(insert(CARDS), rows)


def _row(vault: PanVault, card: NewCard, test_bins: Sequence[str]) -> dict[str, Any]:
    _require_test_pan(card, test_bins)
    return {
        "account_id": card.account_id,
        "card_id": card.card_id,
        "pan_index": vault.index(card.pan),
        "pan_sealed": vault.seal(card.pan),
        "masked_pan": mask_pan(card.pan),
        "expiry": card.expiry,
        "state": card.state.value,
        "kind": card.kind.value,
        "currency": card.currency,
        **control_values(card.controls),
    }


def control_values(controls: CardControls) -> dict[str, Any]:
    """The controls in their columns."""
    return {
        "blocked_categories": ",".join(sorted(controls.blocked_categories)),
        "blocked_channels": ",".join(sorted(controls.blocked_channels)),
        "amount_limit": controls.amount_limit,
        "day_amount": controls.day_amount,
        "day_count": controls.day_count,
    }


def _require_test_pan(card: NewCard, test_bins: Sequence[str]) -> None:
    pan = card.pan
    if not (pan.isascii() and pan.isdecimal() and _PAN_SHORTEST <= len(pan) <= _PAN_LONGEST):
        raise CardRefused(card.card_id, "its number: expected 13 to 19 digits")
    if not pan.startswith(tuple(test_bins)):
        raise CardRefused(card.card_id, f"its number: expected a test BIN ({', '.join(test_bins)})")
    if luhn_digit(pan[:-1]) != pan[-1]:
        raise CardRefused(card.card_id, "its number: the check digit is wrong")
    if not (len(card.expiry) == 4 and card.expiry.isdecimal() and "01" <= card.expiry[2:] <= "12"):
        raise CardRefused(card.card_id, "its expiry: expected YYMM")


def card_of(row: Row[Any]) -> Card:
    """The card of a row of `CARD_COLUMNS`."""
    return Card(
        card_id=row.card_id,
        account_id=row.account_id,
        index=row.pan_index,
        masked_pan=row.masked_pan,
        expiry=row.expiry,
        state=CardState(row.state),
        kind=CardKind(row.kind),
        currency=row.currency,
        controls=_controls(
            row.blocked_categories,
            row.blocked_channels,
            row.amount_limit,
            row.day_amount,
            row.day_count,
        ),
    )


@lru_cache(maxsize=1000)
def _controls(
    categories: str,
    channels: str,
    amount_limit: int | None,
    day_amount: int | None,
    day_count: int | None,
) -> CardControls:
    """Equal controls are one object: millions of cards share a handful."""
    controls = CardControls(
        frozenset(filter(None, categories.split(","))),
        frozenset(Channel(name) for name in channels.split(",") if name),
        amount_limit,
        day_amount,
        day_count,
    )
    return NO_CONTROLS if controls == NO_CONTROLS else controls
