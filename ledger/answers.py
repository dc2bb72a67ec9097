"""Answers that are given again: what was stored under a request's key, and what is no answer."""

from __future__ import annotations

import msgspec

from ledger.book import Book
from ledger.commands import Command, Decision, Origin
from ledger.outcomes import Outcome
from ledger.rows import WITHDRAWN, Authorization, Clearing, Reversal


def request_key(command: Command) -> tuple[int, str, str]:
    """What repeats of a message have in common."""
    return command.account_id, command.origin.network, command.origin.request_key


def unknown_account(command: Command) -> Decision:
    """There is no such wallet, hence nowhere to keep an answer either."""
    return Decision(
        outcome=Outcome.ACCOUNT_UNKNOWN,
        authorization_id=0,
        account_id=command.account_id,
        amount=0,
        currency="",
        approval_code="",
        available=0,
        posted=0,
        explanation="no such wallet account",
    )


def stored_answer(book: Book, stored: Authorization, origin: Origin) -> Decision:
    """The answer once given, again; or a conflict, if the request is another.

    An approval that never reached its network, and was taken back, is not given again.
    """
    first = book.first_of(stored)
    assert first is not None
    decision = answer(first)
    if first.reversed & WITHDRAWN:
        decision = msgspec.structs.replace(
            decision,
            outcome=Outcome.WITHDRAWN,
            amount=0,
            approval_code="",
            explanation="approved too late for its network to hear of it, and taken back",
        )
    return again(decision, stored.fingerprint, origin)


def again(decision: Decision, fingerprint: str, origin: Origin) -> Decision:
    """A stored `decision` for a request of the same `fingerprint`; or a conflict, for another."""
    if fingerprint == origin.fingerprint:
        return msgspec.structs.replace(decision, replayed=True)
    return conflict(decision)


def conflict(decision: Decision) -> Decision:
    """The request key is taken by a request that was not the same."""
    return msgspec.structs.replace(
        decision,
        outcome=Outcome.CONFLICT,
        amount=0,
        approval_code="",
        explanation="another request came before with the same key",
    )


def answer(row: Authorization | Clearing | Reversal) -> Decision:
    """A stored row as the decision it was."""
    return Decision(
        outcome=Outcome[row.outcome],
        authorization_id=row.authorization_id,
        account_id=row.account_id,
        amount=row.amount,
        currency=row.currency,
        approval_code="" if isinstance(row, Reversal) else row.approval_code,
        available=row.available,
        posted=row.posted,
        explanation=row.explanation,
    )
