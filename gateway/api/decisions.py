"""What the ledger decided about a command of an operator."""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, Field
from sqlalchemy import Connection, Table, select

from gateway.api.fields import Id, Minor
from gateway.api.problems import Problem
from ledger.commands import Decision
from ledger.outcomes import Outcome


class DecisionView(BaseModel):
    """What was done, and the account's balances after it."""

    account_id: Id
    authorization_id: Id | None = Field(description="Which it was about.")
    amount: Minor = Field(description="What was released, or given.")
    currency: str
    available: Minor
    posted: Minor
    explanation: str


def view_of(decision: Decision) -> DecisionView:
    """What was approved.

    Raises
    ------
    Problem
        If the ledger did not do it.
    """
    if decision.outcome is Outcome.CONFLICT:
        told = "the key was used for another request long ago: expected a new one for each write"
        field = ("header.idempotency-key", told)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", told, errors=[field])
    if not decision.outcome.approved:
        raise Problem(HTTPStatus.CONFLICT, "not-done", decision.explanation)
    return DecisionView(
        account_id=decision.account_id,
        authorization_id=decision.authorization_id or None,
        amount=decision.amount,
        currency=decision.currency,
        available=decision.available,
        posted=decision.posted,
        explanation=decision.explanation,
    )


def is_done_before(
    connection: Connection, table: Table, account_id: int, network: str, request_key: str
) -> bool:
    """Whether a command of that name has an answer, which the ledger will give once more."""
    key = {"account_id": account_id, "network": network, "request_key": request_key}
    chosen = select(table.c.account_id).filter_by(**key)
    return connection.execute(chosen).first() is not None
