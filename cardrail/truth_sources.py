"""Where the three truths come from: networks' beliefs, gateway's log, ledger's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Select, case, func, select

from cardrail.truths import Claim, Key, Truth
from gateway.records import DecisionRecord
from ledger.outcomes import Outcome
from ledger.posting import Manner
from ledger.reports import PointsTotal
from ledger.tables import authorizations, clearings, holds
from networks.beliefs import APPROVALS, Belief, Kind
from networks.simulator import NOT_DECIDED

Line = TypeVar("Line", Belief, DecisionRecord)

_DECIDED_BY_ISSUER = frozenset({Kind.AUTHORIZATION, Kind.INCREMENT})
_AUTHORIZATION_CLASS = "10"  # of the MTI


def read_lines(path: Path, kind: type[Line]) -> Iterator[Line]:
    """One value for each line of JSON."""
    with path.open("rb") as file:
        for line in file:
            yield msgspec.json.decode(line, type=kind)


def network_truth(beliefs: Iterable[Belief]) -> Truth:
    """What the networks believe. They know no answer to what they decided themselves, and 91 or
    96 is none: whatever the ledger did, it must end with nothing held.
    """
    return Truth("network", {(each.network, each.rrn): _believed(each) for each in beliefs}, True)


def gateway_truth(records: Iterable[DecisionRecord]) -> Truth:
    """What the gateway decided first on each authorization; it says nothing about balances."""
    claims: dict[Key, Claim] = {}
    for record in records:
        decided = record.response_code not in NOT_DECIDED and not record.replayed
        if record.mti[1:3] == _AUTHORIZATION_CLASS and decided:
            approved = record.response_code in APPROVALS
            claim = Claim(approved=approved, approval_code=record.approval_code)
            claims.setdefault((record.network, record.rrn), claim)
    return Truth("gateway", claims, speaks_of_money=False)


def ledger_truth(connection: Connection, since: int) -> Truth:
    """What the ledger has of what came at or after `since` (microseconds): answers, pending
    holds, and posted clearings under the authorization that they belong to.
    """
    claims: dict[Key, Claim] = {}
    rrns: dict[tuple[int, int], str] = {}
    for row in connection.execute(_AUTHORIZATIONS.where(authorizations.c.at >= since)):
        rrns[row.account_id, row.authorization_id] = row.rrn
        _add(claims, (row.network, row.rrn), _stored(row))
    for row in connection.execute(_CLEARINGS.where(clearings.c.at >= since)):
        rrn = rrns.get((row.account_id, row.hold_id or row.authorization_id), row.rrn)
        _add(claims, (row.network, rrn), Claim(**{_SIDE[row.credit]: row.amount}))
    return Truth("ledger", claims, speaks_of_money=True)


def points_due(connection: Connection) -> PointsTotal:
    """The points that the jobs should have posted: what holds expect and clearings have granted."""
    undone = clearings.c.manner == Manner.UNDONE.value
    granted = case((undone, -clearings.c.points), else_=clearings.c.points)
    pending = connection.scalar(select(func.sum(holds.c.points)))
    confirmed = connection.scalar(select(func.sum(granted)))
    return PointsTotal(int(pending or 0), int(confirmed or 0))


_SIDE = {0: "cleared", 1: "credited"}
_AUTHORIZATIONS: Select[Any] = (
    select(
        authorizations.c.account_id,
        authorizations.c.authorization_id,
        authorizations.c.network,
        authorizations.c.rrn,
        authorizations.c.verb,
        authorizations.c.outcome,
        authorizations.c.approval_code,
        holds.c.remaining,
    )
    .select_from(
        authorizations.outerjoin(
            holds,
            (holds.c.account_id == authorizations.c.account_id)
            & (holds.c.authorization_id == authorizations.c.authorization_id),
        )
    )
    .order_by(authorizations.c.authorization_id)
)
_CLEARINGS: Select[Any] = select(
    clearings.c.account_id,
    clearings.c.authorization_id,
    clearings.c.hold_id,
    clearings.c.network,
    clearings.c.rrn,
    clearings.c.credit,
    clearings.c.amount,
)


def _believed(belief: Belief) -> Claim:
    decided = (
        belief.answered
        and belief.kind in _DECIDED_BY_ISSUER
        and belief.response_code not in NOT_DECIDED
    )
    return Claim(
        approved=belief.response_code in APPROVALS if decided else None,
        approval_code=belief.approval_code if decided else None,
        held=None if belief.hold_chosen_by_issuer else belief.held,
        cleared=belief.cleared,
        credited=belief.credited,
    )


def _stored(row: Row[Any]) -> Claim:
    """An authorization with the hold that it opened; one that is over has nothing remaining."""
    held = row.remaining or 0
    if row.verb != "authorize":
        return Claim(held=held)
    approved = Outcome[row.outcome].approved
    return Claim(approved=approved, approval_code=row.approval_code, held=held)


def _add(claims: dict[Key, Claim], key: Key, claim: Claim) -> None:
    """Of several answers under one RRN the first counts; money adds up."""
    known = claims.get(key, Claim())
    claims[key] = Claim(
        approved=claim.approved if known.approved is None else known.approved,
        approval_code=claim.approval_code if known.approval_code is None else known.approval_code,
        held=(known.held or 0) + (claim.held or 0),
        cleared=(known.cleared or 0) + (claim.cleared or 0),
        credited=(known.credited or 0) + (claim.credited or 0),
    )
