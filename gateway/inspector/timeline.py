"""A timeline: one life cycle as a person reads it. Data only; it is shown as a page or as text.

Times are microseconds since the epoch, UTC. Amounts are text with their currency, ready to be read.
Nothing here may hold a PAN, track, CVV2, PIN block or key: what comes in is masked already.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.inspector.annotated import Exchange


class Tone(StrEnum):
    """How something is to be taken."""

    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    NEUTRAL = "neutral"


class Verdict(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    IN_PART = "in part"
    DECLINED = "declined"
    NOT_REACHED = "not reached"


class CheckLine(msgspec.Struct, frozen=True):
    """One check in its place of precedence; `by` is who makes it: the gateway or the ledger."""

    title: str
    by: str
    verdict: Verdict
    explanation: str = ""


class Leg(msgspec.Struct, frozen=True):
    """Money that moved, from one account to another.

    `balance` is what the wallet then had; blank where the wallet is on neither side.
    """

    kind: str
    origin: str
    to: str
    amount: str
    balance: str = ""


class EventLine(msgspec.Struct, frozen=True):
    """What subscribers were told, and how far it has come."""

    event_id: int
    type: str
    read_by: tuple[str, ...]
    awaited_by: tuple[str, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    `subject_id` is the id of its row, 0 where the ledger keeps none. `exchanges` are the messages
    that brought it, as far as the journal has them: the first, and each repeat.
    """

    at: int
    title: str
    explanation: str
    tone: Tone = Tone.NEUTRAL
    subject_id: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    checks: tuple[CheckLine, ...] = ()
    legs: tuple[Leg, ...] = ()
    events: tuple[EventLine, ...] = ()
    exchanges: tuple[Exchange, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """A question that is asked of an authorization, answered in words."""

    question: str
    answer: str
    details: tuple[str, ...] = ()


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one life cycle; `headline` is the shortest answer of all."""

    headline: str
    tone: Tone
    network: str
    rrn: str
    account_id: int
    subject_id: int
    facts: tuple[tuple[str, str], ...]
    answers: tuple[Answer, ...]
    steps: tuple[Step, ...]
