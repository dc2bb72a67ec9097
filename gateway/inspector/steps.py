"""The steps of a life cycle: one for each row, with the messages and events that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from gateway.inspector.annotated import Exchange
from gateway.inspector.ladder import verdicts
from gateway.inspector.money_trail import legs_of
from gateway.inspector.timeline import EventLine, Step, Tone
from gateway.inspector.words import code_in_words, code_of, details_in, money
from ledger.life_cycle import LifeCycle
from ledger.matching import NOTHING
from ledger.outcomes import Outcome
from ledger.posting import Manner
from ledger.rows import REPEAT, REVERSED, WITHDRAWN, Authorization, Clearing, Hold, Reversal
from ledger.states import HoldState
from ledger.told import Told

_DETAILS: Mapping[str, str] = MappingProxyType(
    {
        "mti": "MTI",
        "merchant_name": "merchant",
        "merchant": "merchant id",
        "merchant_category": "MCC",
        "terminal": "terminal",
        "entry_mode": "entry mode",
        "processing_code": "processing code",
        "slip": "slip",
        "reason": "reason",
    }
)
_MARKS: Mapping[int, str] = MappingProxyType(
    {
        REVERSED: "reversed",
        WITHDRAWN: "withdrawn by us",
        REVERSED | WITHDRAWN: "reversed, and withdrawn by us",
    }
)
_MANNERS: Mapping[str, tuple[str, Tone]] = MappingProxyType(
    {
        Manner.FINAL.value: ("Cleared", Tone.GOOD),
        Manner.PART.value: ("Cleared in part", Tone.GOOD),
        Manner.LATE.value: ("Cleared late", Tone.WARNING),
        Manner.FORCED.value: ("Force posted", Tone.WARNING),
        Manner.CREDITED.value: ("Refunded", Tone.GOOD),
        Manner.SUSPENSE.value: ("Credit without a match", Tone.WARNING),
        Manner.UNDONE.value: ("Clearing taken back", Tone.NEUTRAL),
        Manner.FUNDED.value: ("Funded", Tone.NEUTRAL),
        Manner.RESOLVED.value: ("Resolved by a person", Tone.NEUTRAL),
        Manner.WRITTEN_OFF.value: ("Credit written off", Tone.NEUTRAL),
        Manner.REFUSED.value: ("Clearing refused", Tone.BAD),
    }
)


def steps_of(
    life: LifeCycle, told: Sequence[Told], exchanges: Sequence[Exchange]
) -> tuple[Step, ...]:
    """Every step, oldest first."""
    steps = [
        *(_of_authorization(each, life, told, exchanges) for each in life.authorizations),
        *(_of_reversal(each, told, exchanges) for each in life.reversals),
        *(_of_clearing(each, life, told, exchanges) for each in life.clearings),
        *_of_expiry(life.hold, told),
    ]
    return tuple(sorted(steps, key=lambda step: (step.at, step.subject_id)))


def _of_authorization(
    row: Authorization, life: LifeCycle, told: Sequence[Told], exchanges: Sequence[Exchange]
) -> Step:
    outcome, is_own = Outcome[row.outcome], row.verb == "authorize"
    facts = [
        ("asked for", money(row.requested, row.currency)),
        ("approved", money(row.amount, row.currency) if outcome.approved else ""),
        ("DE 39", code_in_words(code_of(row))),
        ("approval code (DE 38)", row.approval_code),
        ("available after it", money(row.available, row.currency)),
        ("marked", _MARKS.get(row.reversed, "")),
        *_named(row.rrn, row.transaction_id, row.details),
    ]
    return Step(
        at=row.at,
        title=_title(row, outcome),
        explanation=row.explanation,
        tone=Tone.GOOD if outcome.approved else Tone.BAD,
        subject_id=row.authorization_id,
        facts=_filled(facts),
        checks=verdicts(outcome, row.explanation) if is_own else (),
        events=_events(told, row.authorization_id),
        exchanges=_exchanges(exchanges, row.request_key, life.network),
    )


def _title(row: Authorization, outcome: Outcome) -> str:
    if row.verb == REPEAT:
        return "The same again, under another key: the first one's answer"
    if row.verb == "advise":
        return "Advice of the network's decision" if outcome.approved else "Advice refused"
    asked = (
        "Increment" if row.hold_id not in (0, row.authorization_id) else row.purpose.capitalize()
    )
    if outcome is Outcome.APPROVED_PARTIALLY:
        return f"{asked} approved in part"
    return f"{asked} {'approved' if outcome.approved else 'declined'}"


def _of_reversal(row: Reversal, told: Sequence[Told], exchanges: Sequence[Exchange]) -> Step:
    is_early = bool(row.early)
    details = details_in(row.details)
    facts = [
        ("released", money(row.amount, row.currency)),
        ("available after it", money(row.available, row.currency)),
        *_named(row.rrn, row.transaction_id, row.details),
    ]
    own = "reason" in details
    title = "Withdrawn by us" if own else "Reversal"
    return Step(
        at=row.at,
        title="Reversal before its original" if is_early else title,
        explanation=row.explanation,
        tone=Tone.WARNING if is_early or own else Tone.NEUTRAL,
        subject_id=row.reversal_id,
        facts=_filled(facts),
        events=_events(told, row.reversal_id),
        exchanges=_exchanges(exchanges, row.request_key, row.network),
    )


def _of_clearing(
    row: Clearing, life: LifeCycle, told: Sequence[Told], exchanges: Sequence[Exchange]
) -> Step:
    title, tone = _MANNERS[row.manner]
    match = row.explanation.partition(":")[0]
    facts = [
        ("amount", money(row.amount, row.currency)),
        ("match", match if row.authorization_id or match.startswith(NOTHING.explanation) else ""),
        ("fee", money(row.fee, row.currency) if row.fee else ""),
        ("taken back since", money(row.returned, row.currency) if row.returned else ""),
        ("points", f"{row.points:,}" if row.points else ""),
        *_named(row.rrn, row.transaction_id, row.details),
    ]
    return Step(
        at=row.at,
        title=title,
        explanation=row.explanation,
        tone=tone,
        subject_id=row.clearing_id,
        facts=_filled(facts),
        legs=legs_of(life, row),
        events=_events(told, row.clearing_id),
        exchanges=_exchanges(exchanges, row.request_key, row.network),
    )


def _of_expiry(hold: Hold | None, told: Sequence[Told]) -> Iterator[Step]:
    """The hold keeps no time of its end; the event has it, while it is kept."""
    if hold is None or hold.state != HoldState.EXPIRED:
        return
    events = [each for each in told if each.event.type == "hold.expired"]
    yield Step(
        at=events[0].event.at if events else hold.expires_at,
        title="Hold expired",
        explanation="nobody had cleared or reversed it in time: what was held is available again",
        tone=Tone.WARNING,
        events=tuple(map(_event, events)),
    )


def _events(told: Sequence[Told], subject_id: int) -> tuple[EventLine, ...]:
    return tuple(
        _event(each)
        for each in told
        if each.event.subject_id == subject_id and each.event.type != "hold.expired"
    )


def _event(told: Told) -> EventLine:
    return EventLine(told.event.event_id, told.event.type, told.read_by, told.awaited_by)


def _exchanges(
    exchanges: Sequence[Exchange], request_key: str, network: str
) -> tuple[Exchange, ...]:
    """Those with the numbers that the request key was made of (`references.origin_of`)."""
    return tuple(each for each in exchanges if is_of(each, request_key, network))


def is_of(exchange: Exchange, request_key: str, network: str) -> bool:
    """Whether a row of that key came by this message: the same DE 7, 11, 37 and class of MTI."""
    record = exchange.record
    trace, _, rest = request_key.partition("|")
    return (
        record.network == network
        and trace.startswith(f"{record.transmission}{record.stan}")
        and rest.startswith(f"{record.mti[1:3]}:{record.rrn}:")
    )


def _named(rrn: str, transaction_id: str, details: str) -> list[tuple[str, str]]:
    found = details_in(details)
    return [
        ("RRN", rrn),
        ("transaction id", transaction_id),
        *((title, found.get(name, "")) for name, title in _DETAILS.items()),
    ]


def _filled(facts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those that there are; what a network pads with spaces is not."""
    return tuple((name, " ".join(value.split())) for name, value in facts if value.strip())
