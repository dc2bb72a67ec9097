"""What is kept of a clearing, and told of it: the row, the event and the answer."""

from __future__ import annotations

import msgspec

from ledger.answers import answer
from ledger.authorizing import OUTCOME_NAMES, details_text
from ledger.book import Book
from ledger.commands import Clear, Command, Decision, Fund, Resolve
from ledger.matching import Match
from ledger.posting import Manner
from ledger.rows import Account, Clearing
from ledger.rules import Verdict

# Looking up a member's value goes through a call; these are looked up for every clearing.
_MANNERS = {manner: manner.value for manner in Manner}
_EVENT_TYPES = {
    Manner.REFUSED: "clearing.refused",
    Manner.UNDONE: "clearing.undone",
    Manner.FUNDED: "wallet.funded",
    Manner.RESOLVED: "clearing.resolved",
}


class Posted(msgspec.Struct, frozen=True, gc=False):
    """What became of a clearing; of its amount `value` is *Value*, and of its fee `fee_value`.

    `points_found` were granted before their hold was known, which a person has told now.
    """

    clearing_id: int
    manner: Manner
    matched: Match
    verdict: Verdict
    value: int = 0
    fee_value: int = 0
    points_found: int = 0


def record(
    book: Book, command: Clear | Fund | Resolve, account: Account, posted: Posted
) -> Decision:
    """Keep the row, tell subscribers, answer."""
    origin, matched, verdict = command.origin, posted.matched, posted.verdict
    fee, points = _extras(command, verdict)
    row = Clearing(
        account.account_id,
        origin.network,
        origin.request_key,
        posted.clearing_id,
        matched.authorization_id,
        matched.hold_id,
        matched.suggested_id,
        origin.fingerprint,
        origin.transaction_id,
        origin.rrn,
        _MANNERS[posted.manner],
        int(_is_credit(command)),
        OUTCOME_NAMES[verdict.outcome],
        verdict.amount,
        posted.value,
        0,
        fee,
        points,
        account.currency,
        matched.approval_code,
        account.available,
        account.posted,
        verdict.explanation,
        command.day,
        command.at,
        details_text(command),
        posted.fee_value,
    )
    book.record_clearing(row)
    _tell(book, row, posted)
    return answer(row)


def _extras(command: Command, verdict: Verdict) -> tuple[int, int]:
    if not isinstance(command, Clear) or not verdict.outcome.approved:
        return 0, 0
    return command.fee, command.points


def _is_credit(command: Command) -> bool:
    return isinstance(command, Fund) or (isinstance(command, Clear) and command.credit)


def _tell(book: Book, row: Clearing, posted: Posted) -> None:
    hold = book.holds.get((row.account_id, row.hold_id))
    data: dict[str, str | int | bool] = {
        "network": row.network,
        "authorization_id": row.authorization_id,
        "hold_id": row.hold_id,
        "manner": row.manner,
        "outcome": row.outcome,
        "credit": bool(row.credit),
        "amount": row.amount,
        "currency": row.currency,
        "points": -row.points if posted.manner is Manner.UNDONE else row.points,
        "points_pending": hold.points if hold is not None else 0,
        "available": row.available,
    }
    if posted.points_found:
        data["points_found"] = posted.points_found
    type_ = _EVENT_TYPES.get(posted.manner, "clearing.posted")
    book.record_event(row.account_id, type_, row.clearing_id, row.at, data)
