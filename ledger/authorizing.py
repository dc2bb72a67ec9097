"""Try: decide a request and hold what is approved; and what requests and advices share."""

from __future__ import annotations

import msgspec

from ledger.answers import answer, request_key, stored_answer, unknown_account
from ledger.book import Book
from ledger.commands import (
    NO_DETAILS,
    Advise,
    Authorize,
    Command,
    Decision,
    Purpose,
    Recall,
    Reference,
    sent_on,
)
from ledger.outcomes import Outcome
from ledger.rows import REPEAT, REPEATS, Account, Authorization, Hold
from ledger.rules import NO_LIMITS, SPENDS, Standing, Verdict, judge
from ledger.states import HoldState, Verb

# Looking up a member's name or value goes through two calls; these are looked up for every request.
OUTCOME_NAMES = {outcome: outcome.name for outcome in Outcome}
_PURPOSE_NAMES = {purpose: purpose.value for purpose in Purpose}
_PENDING = HoldState.PENDING.value
ADVISE = "advise"  # verb of an advice


def authorize(book: Book, command: Authorize) -> Decision:
    """Answer one authorization request."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    key = request_key(command)
    stored = book.authorizations.get(key)
    if stored is not None:
        return stored_answer(book, stored, command.origin)
    early = book.early_reversal(command)
    if early is None and (same := _same_request(book, command)) is not None:
        return _repeat(book, command, same)
    hold = _hold_to_increase(book, command)
    verdict = judge(
        Standing(
            command,
            account,
            command.amount.amount,
            command.purpose in SPENDS,
            command.limits or NO_LIMITS,
            book.spending.get(_counter_of(command, hold)),
            early is not None,
            command.increment_of is not None and hold is None,
        )
    )
    # From here on nothing can fail.
    authorization_id = book.ids.next(command.at)
    hold_id = 0
    if verdict.outcome.approved and command.purpose in SPENDS:
        if hold is None:
            hold = new_hold(command, account, authorization_id, verdict.amount)
            book.open_hold(account, hold)
        else:
            _increase(book, hold, command, verdict.amount)
        hold_id = hold.authorization_id
    return record(book, command, account, verdict, (authorization_id, hold_id))


def recall(book: Book, command: Recall) -> Decision:
    """The stored answer to a request of this origin, if there is one."""
    account = book.wallet(command.account_id)
    if account is None:
        return unknown_account(command)
    stored = book.authorizations.get(request_key(command))
    if stored is not None:
        return stored_answer(book, stored, command.origin)
    return Decision(
        outcome=Outcome.ORIGINAL_UNKNOWN,
        authorization_id=0,
        account_id=account.account_id,
        amount=0,
        currency=account.currency,
        approval_code="",
        available=account.available,
        posted=account.posted,
        explanation="the request has not been decided",
    )


def new_hold(
    command: Authorize | Advise, account: Account, authorization_id: int, amount: int
) -> Hold:
    """The hold that an approval makes; in a spending counter if its instrument has limits."""
    if isinstance(command, Authorize):
        estimated, counted = command.estimated, command.limits is not None
    else:
        estimated, counted = False, command.counted
    return Hold(
        account.account_id,
        authorization_id,
        _PENDING,
        account.currency,
        amount,
        amount,
        0,
        0,
        0,
        int(estimated),
        command.instrument_id,
        command.day if counted else 0,
        amount if counted else 0,
        points_for(command, amount),
        command.expires_at,
    )


def points_for(command: Authorize | Advise, amount: int) -> int:
    """The part of the expected points that goes with `amount`."""
    asked = command.amount.amount
    return command.points if amount == asked or not asked else command.points * amount // asked


def record(
    book: Book,
    command: Authorize | Advise,
    account: Account,
    verdict: Verdict,
    ids: tuple[int, int],
) -> Decision:
    """Keep the answer (`ids`: the authorization's and the hold's) and tell subscribers."""
    authorization_id, hold_id = ids
    origin, outcome = command.origin, verdict.outcome
    approved = outcome.approved
    approval_code = command.approval_code if approved else ""
    advised = isinstance(command, Advise)
    row = Authorization(
        account.account_id,
        origin.network,
        origin.request_key,
        authorization_id,
        hold_id,
        origin.fingerprint,
        origin.transaction_id,
        origin.rrn,
        ADVISE if advised else "authorize",
        _PURPOSE_NAMES[command.purpose],
        command.instrument_id,
        OUTCOME_NAMES[outcome],
        command.amount.amount,
        verdict.amount,
        account.currency,
        approval_code,
        account.available,
        account.posted,
        verdict.explanation,
        command.day,
        command.at,
        details_text(command),
        0,
        sent_on(origin.request_key),
    )
    book.record_authorization(row)
    _tell(book, row, _EVENT_TYPES[advised, approved])
    return Decision(
        outcome=outcome,
        authorization_id=authorization_id,
        account_id=account.account_id,
        amount=verdict.amount,
        currency=account.currency,
        approval_code=approval_code,
        available=row.available,
        posted=row.posted,
        explanation=verdict.explanation,
    )


def _tell(book: Book, row: Authorization, type_: str) -> None:
    hold = book.hold_of(row)
    data: dict[str, str | int | bool] = {
        "network": row.network,
        "rrn": row.rrn,
        "request_key": row.request_key,
        "purpose": row.purpose,
        "outcome": row.outcome,
        "amount": row.amount,
        "currency": row.currency,
        "hold_id": row.hold_id,
        "points_pending": hold.points if hold is not None else 0,
        "available": row.available,
    }
    book.record_event(row.account_id, type_, row.authorization_id, row.at, data)


def details_text(command: Command) -> str:
    """The details as JSON."""
    if command.details is NO_DETAILS:
        return "{}"
    return msgspec.json.encode(dict(command.details)).decode()


_EVENT_TYPES = {
    (False, True): "authorization.approved",
    (False, False): "authorization.declined",
    (True, True): "authorization.advised",
    (True, False): "authorization.declined",
}


def _same_request(book: Book, command: Authorize) -> Authorization | None:
    """What came under another key a moment ago and still stands, so that this only repeats it."""
    if not command.repeats_within:
        return None
    origin = command.origin
    reference = Reference(transaction_id=origin.transaction_id)
    for each in book.candidates(command.account_id, origin.network, reference).by_transaction:
        first = book.first_of(each)
        if (
            first is not None
            and first.verb != ADVISE
            and abs(command.at - each.at) <= command.repeats_within
            and first.instrument_id == command.instrument_id
            and first.fingerprint == origin.fingerprint
            and _stands(first, book.hold_of(first))
        ):
            return first
    return None


def _stands(authorization: Authorization, hold: Hold | None) -> bool:
    """What has been given back, held or posted, is promised to nobody any more."""
    if authorization.reversed:
        return False
    return hold is None or (
        hold.state in (_PENDING, HoldState.POSTED.value) and bool(hold.remaining or hold.posted)
    )


def _repeat(book: Book, command: Authorize, same: Authorization) -> Decision:
    """The stored answer, kept under this request's names too: they mean the same from now on."""
    origin = command.origin
    named = {**command.details, REPEATS: str(same.authorization_id)}
    row = msgspec.structs.replace(
        same,
        authorization_id=book.ids.next(command.at),
        request_key=origin.request_key,
        rrn=origin.rrn,
        verb=REPEAT,
        day=command.day,
        at=command.at,
        details=msgspec.json.encode(named).decode(),
        reversed=0,
    )
    book.record_authorization(row)
    _tell(book, row, "authorization.repeated")
    return msgspec.structs.replace(answer(same), replayed=True)


def _hold_to_increase(book: Book, command: Authorize) -> Hold | None:
    if command.increment_of is None:
        return None
    matched = book.match(command, command.increment_of, command.amount.amount)
    hold = book.hold_of(matched.authorization)
    return hold if hold is not None and hold.state == HoldState.PENDING else None


def _counter_of(command: Authorize, hold: Hold | None) -> tuple[int, int, int]:
    """An increment is part of the purchase it adds to, and is counted on that one's day."""
    if hold is not None and hold.day:
        return hold.account_id, hold.instrument_id, hold.day
    return command.account_id, command.instrument_id, command.day


def _increase(book: Book, hold: Hold, command: Authorize, amount: int) -> None:
    book.change_hold(
        hold, Verb.INCREASE, amount=hold.amount + amount, remaining=hold.remaining + amount
    )
    book.count_again(hold, hold.counted + amount)
    hold.points += points_for(command, amount)
    hold.expires_at = max(hold.expires_at, command.expires_at)
