"""Finds what is asked about, in the ledger and the journal, and makes timelines of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select

from gateway.cards import CARDS
from gateway.inspector.annotated import Exchange
from gateway.inspector.answers import answers_of, asked_about, headline
from gateway.inspector.journal import JournalReader
from gateway.inspector.steps import is_of, steps_of
from gateway.inspector.timeline import Timeline
from gateway.inspector.undecided import undecided_timeline
from gateway.inspector.words import money
from ledger.database import Database
from ledger.house import Placement
from ledger.life_cycle import LifeCycle, find_later_messages, read_life_cycle
from ledger.requests import find_by_rrn
from ledger.rows import Clearing, Reversal
from ledger.states import HoldState
from ledger.told import COMMITTED_WITHIN, Subject, find_in_outbox, read_told

RRN_LENGTH = 12  # DE 37
_EXPIRED_WITHIN = 600_000_000  # microseconds from the end of a hold to the job that sees it
_NO_MESSAGES = (
    "not kept: `cardrail ops` was not running beside the gateway when they came or had no time for"
    " them (cardrail_feed_dropped_total), or CARDRAIL_JOURNAL_EXCHANGES others have come since"
)


class Found(msgspec.Struct, frozen=True):
    """Where something is that has the RRN."""

    account_id: int
    subject_id: int
    network: str


class NothingFound(LookupError):
    """Nobody knows it; the message says where was looked."""


class Inspector:
    """Timelines from one ledger, with the messages that the journal at `journal` has.

    Every call reads the database: not for an event loop.
    """

    def __init__(
        self,
        database: Database,
        journal: Path,
        placement: Placement = Placement(),  # noqa: B008 - frozen
    ) -> None:
        self._database = database
        self._journal = JournalReader(journal)
        self._outbox = placement.outbox(0)

    def find(self, rrn: str, *, network: str = "") -> list[Found]:
        """What has that RRN, oldest first.

        From the look-up that `cardrail jobs` keeps, and from the events that it has yet to read;
        then reversals and clearings that have an RRN of their own, which takes longer.
        """
        with self._database.reading() as connection:
            found = {
                Found(each.wallet_id, each.authorization_id, each.network)
                for each in find_by_rrn(connection, rrn, network=network)
            } | {
                Found(event.account_id, event.subject_id, str(event.data["network"]))
                for event in find_in_outbox(connection, self._outbox, rrn)
            }
            if not found:
                found = {
                    Found(each.account_id, _id_of(each), each.network)
                    for each in find_later_messages(connection, rrn)
                }
        named = [each for each in found if network in ("", each.network)]
        return sorted(named, key=lambda each: each.subject_id)

    def explain(self, rrn: str, now: int, *, network: str = "") -> list[Timeline]:
        """A timeline for each life cycle with that RRN; what has one hold is one of them.

        Raises
        ------
        NothingFound
            If neither ledger nor journal knows it.
        """
        if len(rrn) > RRN_LENGTH:  # a PAN, perhaps
            raise NothingFound(f"an RRN has {RRN_LENGTH} characters, and this has more")
        made: list[Timeline] = []
        covered: set[tuple[int, int]] = set()
        for each in self.find(rrn, network=network):
            if (each.account_id, each.subject_id) not in covered:
                timeline = self.timeline(each.account_id, each.subject_id, now)
                covered |= {(each.account_id, step.subject_id) for step in timeline.steps}
                made.append(timeline)
        made += self._undecided(rrn, network)
        if not made:
            raise NothingFound("neither the ledger nor the journal has anything of that RRN")
        return made

    def timeline(self, account_id: int, subject_id: int, now: int) -> Timeline:
        """The timeline of an authorization, reversal or clearing; `now` in microseconds.

        Raises
        ------
        NotRecorded
            If the account has nothing of that id.
        """
        with self._database.reading() as connection:
            life = read_life_cycle(connection, account_id, subject_id)
            told = read_told(connection, self._outbox, account_id, _subjects(life))
            pan = _masked_pan(connection, life)
        exchanges = self._exchanges(life)
        headline_, tone = headline(life)
        row = asked_about(life)
        return Timeline(
            headline=headline_,
            tone=tone,
            network=life.network,
            rrn=row.rrn if row is not None else life.rows[0].rrn,
            account_id=account_id,
            subject_id=subject_id,
            facts=(*_facts(life, pan), *_without_messages(exchanges)),
            answers=answers_of(life, told, now),
            steps=steps_of(life, told, exchanges),
        )

    def latest(self, count: int) -> list[Exchange]:
        """The newest exchanges of the journal."""
        return self._journal.latest(count)

    def _exchanges(self, life: LifeCycle) -> list[Exchange]:
        rrns = sorted({each.rrn for each in life.rows if each.rrn})
        ids = [each.authorization_id for each in life.authorizations]
        found = self._journal.of_account(life.account.account_id, ids, rrns)
        keys = [each.request_key for each in life.rows]
        return [each for each in found if any(is_of(each, key, life.network) for key in keys)]

    def _undecided(self, rrn: str, network: str) -> list[Timeline]:
        """What the ledger was not asked, or had no time to decide: the journal alone has it."""
        return [
            undecided_timeline(each)
            for each in self._journal.of_rrn(rrn)
            if each.record.authorization_id == 0 and network in ("", each.record.network)
        ]


def _id_of(row: Reversal | Clearing) -> int:
    return row.reversal_id if isinstance(row, Reversal) else row.clearing_id


def _subjects(life: LifeCycle) -> Sequence[Subject]:
    happened = (
        *((each.authorization_id, each.at) for each in life.authorizations),
        *((each.reversal_id, each.at) for each in life.reversals),
        *((each.clearing_id, each.at) for each in life.clearings),
    )
    found = [Subject(each, at, at + COMMITTED_WITHIN) for each, at in happened]
    hold = life.hold
    if hold is not None and hold.state == HoldState.EXPIRED:
        until = hold.expires_at + _EXPIRED_WITHIN
        found.append(Subject(hold.authorization_id, hold.expires_at, until))
    return found


def _without_messages(exchanges: Sequence[Exchange]) -> tuple[tuple[str, str], ...]:
    return () if exchanges else (("messages", _NO_MESSAGES),)


def _masked_pan(connection: Connection, life: LifeCycle) -> str:
    """Of the card that was used; blank if the cards have none of its id."""
    row = asked_about(life)
    if row is None:
        return ""
    chosen = select(CARDS.c.masked_pan).where(
        CARDS.c.account_id == row.account_id, CARDS.c.card_id == row.instrument_id
    )
    return connection.scalar(chosen) or ""


def _facts(life: LifeCycle, pan: str) -> tuple[tuple[str, str], ...]:
    account, currency = life.account, life.account.currency
    facts = [
        ("card", pan),
        ("wallet", str(account.account_id)),
        ("balance now", money(account.posted, currency)),
        ("held now", money(account.held, currency)),
        ("available now", money(account.available, currency)),
        ("owed", money(account.owed, currency) if account.owed else ""),
    ]
    hold = life.hold
    if hold is not None:
        facts += [
            ("hold", hold.state),
            ("promised", money(hold.amount, currency)),
            ("still held", money(hold.remaining, currency)),
            ("posted", money(hold.posted, currency)),
        ]
    if life.points is not None and (life.points.pending or life.points.confirmed):
        facts.append(
            ("points", f"{life.points.pending:,} pending, {life.points.confirmed:,} confirmed")
        )
    return tuple((name, value) for name, value in facts if value)
