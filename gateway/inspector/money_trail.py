"""Where the money went: the wallet's entries with their other side, and what all of it comes to.

The other side of an entry follows from its kind, for each posting is between the wallet and one
account of the house (`ledger.posting`). What never touched the wallet has no entry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.inspector.timeline import Leg
from gateway.inspector.words import money, when
from ledger.life_cycle import LifeCycle
from ledger.posting import Manner
from ledger.rows import Clearing, Entry
from ledger.states import HoldState

WALLET = "wallet"
_SETTLEMENT, _SUSPENSE, _FEES, _RECEIVABLE = (
    "settlement with {network}",
    "suspense",
    "fees",
    "lent by the house",
)
_OTHER_SIDE: Mapping[str, str] = MappingProxyType(
    {
        "clearing": _SETTLEMENT,
        "credit": _SETTLEMENT,
        "undone": _SETTLEMENT,
        "fee": _FEES,
        "fee undone": _FEES,
        "lent": _RECEIVABLE,
        "repaid": _RECEIVABLE,
        "resolved": _SUSPENSE,
    }
)
_PAST_THE_WALLET: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        Manner.SUSPENSE.value: (_SETTLEMENT, _SUSPENSE),
        Manner.WRITTEN_OFF.value: (_SUSPENSE, _FEES),
    }
)
_STATES: Mapping[str, str] = MappingProxyType(
    {
        HoldState.POSTED.value: "the hold ended with its clearing",
        HoldState.VOIDED.value: "the hold was given back",
        HoldState.EXPIRED.value: "the hold expired",
    }
)


def legs_of(life: LifeCycle, clearing: Clearing) -> tuple[Leg, ...]:
    """What one clearing moved."""
    found = [each for each in life.entries if each.posting_id == clearing.clearing_id]
    if found:
        return tuple(_leg(life, each) for each in found)
    sides = _PAST_THE_WALLET.get(clearing.manner)
    if sides is None:
        return ()
    origin, to = (each.format(network=life.network) for each in sides)
    return (Leg(clearing.manner, origin, to, money(clearing.amount, clearing.currency)),)


def _leg(life: LifeCycle, entry: Entry) -> Leg:
    other = _OTHER_SIDE.get(entry.kind, entry.kind).format(network=life.network)
    origin, to = (other, WALLET) if entry.amount > 0 else (WALLET, other)
    amount, balance = (money(each, entry.currency) for each in (abs(entry.amount), entry.balance))
    return Leg(entry.kind, origin, to, amount, balance)


def in_words(life: LifeCycle) -> str:
    """The shortest account of it."""
    currency = life.account.currency
    moved = sum(each.amount for each in life.entries)
    said = [*_of_hold(life), *_of_suspense(life)]
    if moved:
        way = "left the wallet" if moved < 0 else "came to the wallet"
        said.append(f"{money(abs(moved), currency)} {way} in all")
    elif life.entries:
        said.append("what had left the wallet has come back to it")
    if not said:
        return "Nowhere: nothing was held and nothing has moved."
    told = "; ".join(said)
    return f"{told[0].upper()}{told[1:]}."


def _of_hold(life: LifeCycle) -> Iterator[str]:
    hold = life.hold
    if hold is None:
        return
    if hold.state == HoldState.PENDING:
        held = money(hold.remaining, hold.currency)
        yield f"{held} is held in the wallet until {when(hold.expires_at)}"
    else:
        yield _STATES[hold.state]
    if not life.entries:
        yield "nothing has been posted"


def _of_suspense(life: LifeCycle) -> Iterator[str]:
    for each in life.clearings:
        if each.manner in _PAST_THE_WALLET and each.amount > each.returned:
            lies = "lies in suspense" if each.manner == Manner.SUSPENSE else "went to the fees"
            yield f"{money(each.amount - each.returned, each.currency)} {lies}"


def details(life: LifeCycle) -> tuple[str, ...]:
    """Each movement, a line each, oldest first."""
    return tuple(
        f"{when(each.at)}: {leg.amount} from {leg.origin} to {leg.to} ({leg.kind})"
        f"{f', the wallet then had {leg.balance}' if leg.balance else ''}"
        for each in life.clearings
        for leg in legs_of(life, each)
    )
