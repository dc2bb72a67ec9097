"""Why a clearing is unmatched: what the nearest authorizations share with it, and what not.

The ladder (`ledger.matching`) takes no authorization unless a key names it. Here the keys are laid
side by side, so that a person sees which one is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.inspector.words import details_in, money, when
from ledger.life_cycle import LifeCycle
from ledger.posting import Manner
from ledger.rows import Authorization, Clearing

_WAITING = frozenset({Manner.FORCED.value, Manner.SUSPENSE.value})


def waiting_clearing(life: LifeCycle) -> Clearing | None:
    """The clearing of the life cycle that waits for a person's word; the one asked for first."""
    waiting = [
        each for each in life.clearings if each.manner in _WAITING and each.amount > each.returned
    ]
    asked = [each for each in waiting if each.clearing_id == life.subject_id]
    return next(iter([*asked, *waiting]), None)


def in_words(life: LifeCycle, clearing: Clearing) -> str:
    """Why, and what can be done."""
    what = "credit lies in suspense" if clearing.credit else "debit was posted without a hold"
    way = "match it, or write it off" if clearing.credit else "match it"
    near = len(life.near)
    found = (
        "no authorization of the account shares its RRN, transaction id or amount"
        if not near
        else f"{near} of the account {'has' if near == 1 else 'have'} something in common with it"
    )
    told = f"{clearing.explanation.partition(':')[0]}, so the {what}: {found}."
    return f"{told[0].upper()}{told[1:]} A person can {way}."


def details(life: LifeCycle, clearing: Clearing) -> tuple[str, ...]:
    """The nearest authorizations, a line each: what agrees, and what does not."""
    return tuple(_compared(each, clearing) for each in life.near)


def _compared(row: Authorization, clearing: Clearing) -> str:
    """A key that neither of them has tells nothing."""
    keys = [each for each in _keys(row, clearing) if any(each[1:])]
    agree = ", ".join(name for name, mine, its in keys if mine == its)
    differ = ", ".join(
        f"{name} {its or 'blank'} and not {mine or 'blank'}"
        for name, mine, its in keys
        if mine != its
    )
    suggested = " (suggested)" if row.authorization_id == clearing.suggested_id else ""
    return (
        f"{row.authorization_id}{suggested} of {when(row.at)}:"
        f" same {agree or 'nothing'}{f'; {differ}' if differ else ''}"
    )


def _keys(row: Authorization, clearing: Clearing) -> Iterator[tuple[str, str, str]]:
    """Name, the clearing's value, the authorization's."""
    yield "amount", money(clearing.amount, clearing.currency), money(row.amount, row.currency)
    yield "RRN", clearing.rrn, row.rrn
    yield "transaction id", clearing.transaction_id, row.transaction_id
    mine, its = details_in(clearing.details), details_in(row.details)
    yield "merchant", mine.get("merchant", ""), its.get("merchant", "")
