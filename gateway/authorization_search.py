"""What operators know of an authorization, STAN, code, card, as conditions on the ledger's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, tuple_

from gateway.cards import Card
from gateway.response_codes import DIFFERENT, RESPONSE_CODES, response_code
from ledger import history
from ledger.commands import Purpose
from ledger.history import HistoryPage, Search
from ledger.outcomes import Outcome
from ledger.report_lines import off_index
from ledger.rows import Authorization
from ledger.tables import authorizations

_columns = authorizations.c
_account_id = off_index(_columns.account_id)  # which way to go, the ledger knows
_TRANSMISSION_DIGITS = 10  # DE 7 begins a trace, DE 11 follows it (`references.trace_of`)
_STAN_DIGITS = 6
_ADVISE = "advise"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known; what is not is blank. Card and account ids are 0 then.

    `cards` are those that it may have been, ``None`` for any.
    """

    rrn: str = ""
    stan: str = ""
    network: str = ""
    response_code: str = ""
    outcome: str = ""
    account_id: int = 0
    card_id: int = 0
    cards: Sequence[Card] | None = None


def search(connection: Connection, known: Known, within: Search, now: int) -> HistoryPage:
    """A page of those that fit, newest first; `now` is microseconds."""
    chosen = msgspec.structs.replace(within, conditions=[*_conditions(known)])
    if known.rrn:
        return history.of_rrn(connection, known.rrn, chosen)
    account_ids = _accounts(known)
    if account_ids is None:
        return history.of_all(connection, chosen, now)
    return history.of_accounts(connection, account_ids, chosen, now)


def stan_of(row: Authorization) -> str:
    """DE 11; blank for what was named otherwise."""
    trace, bar, _ = row.request_key.partition("|")
    return trace[_TRANSMISSION_DIGITS : _TRANSMISSION_DIGITS + _STAN_DIGITS] if bar else ""


def code_of(row: Authorization) -> str:
    """DE 39 as it was answered; blank for an advice, whose answer tells of no decision of ours."""
    if row.verb == _ADVISE:
        return ""
    return response_code(row.network, Outcome[row.outcome], Purpose(row.purpose))


def _accounts(known: Known) -> Sequence[int] | None:
    if known.account_id:
        return [known.account_id]
    if known.cards is not None:
        return sorted({card.account_id for card in known.cards})
    return None


def _conditions(known: Known) -> Iterator[ColumnElement[bool]]:
    for column, value in (
        (_columns.network, known.network),
        (_columns.outcome, known.outcome),
        (_account_id, known.account_id),
        (_columns.instrument_id, known.card_id),
    ):
        if value:
            yield column == value
    if known.stan:
        begin = _TRANSMISSION_DIGITS + 1
        yield func.substr(_columns.request_key, begin, _STAN_DIGITS) == known.stan
    if known.response_code:
        yield _answered(known.response_code)
    if known.cards is not None:
        keys = [(card.account_id, card.card_id) for card in known.cards]
        yield tuple_(_account_id, _columns.instrument_id).in_(keys)


def _answered(code: str) -> ColumnElement[bool]:
    """The outcomes that the table turns into `code`, and what a network says otherwise."""
    plain = [outcome.name for outcome, each in RESPONSE_CODES.items() if each == code]
    otherwise = {
        and_(
            _columns.network == network,
            _columns.outcome == outcome.name,
            _columns.purpose == purpose.value,
        ): each
        for (network, outcome, purpose), each in DIFFERENT.items()
    }
    said = [condition for condition, each in otherwise.items() if each == code]
    as_usual = and_(_columns.outcome.in_(plain), ~or_(*otherwise))
    return and_(_columns.verb != _ADVISE, or_(as_usual, *said))
