"""The questions that are asked of an authorization, and their answers in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.inspector import money_trail, unmatched
from gateway.inspector.ladder import declining_rule
from gateway.inspector.timeline import Answer, Tone
from gateway.inspector.words import code_in_words, code_of, money, retry_in_words, when
from ledger.life_cycle import LifeCycle
from ledger.outcomes import Outcome
from ledger.rows import Authorization, Hold
from ledger.states import HoldState
from ledger.told import Told

_HEADLINES = {
    HoldState.PENDING.value: ("held", Tone.GOOD),
    HoldState.POSTED.value: ("cleared", Tone.GOOD),
    HoldState.VOIDED.value: ("given back", Tone.NEUTRAL),
    HoldState.EXPIRED.value: ("expired uncleared", Tone.WARNING),
}


def headline(life: LifeCycle) -> tuple[str, Tone]:
    """What became of it, in a few words."""
    clearing = unmatched.waiting_clearing(life)
    if clearing is not None:
        left = money(clearing.amount - clearing.returned, clearing.currency)
        return f"{left} cleared without a match", Tone.WARNING
    if life.hold is not None:
        word, tone = _HEADLINES[life.hold.state]
        return f"{money(_amount_of(life, life.hold), life.hold.currency)} {word}", tone
    row = asked_about(life)
    if row is None:
        what = "Reversal without an original" if life.reversals else "Clearing"
        return what, Tone.WARNING if life.reversals else Tone.NEUTRAL
    outcome = Outcome[row.outcome]
    if outcome.approved:
        return f"{row.purpose.capitalize()} approved, nothing held", Tone.GOOD
    return f"Declined: {row.explanation}", Tone.BAD


def _amount_of(life: LifeCycle, hold: Hold) -> int:
    """What is held or was cleared; of a hold that came to nothing, what it was made for."""
    if hold.state == HoldState.PENDING:
        return hold.remaining
    made = [each.amount for each in life.authorizations if each.hold_id]
    return hold.posted or hold.amount or made[0]


def asked_about(life: LifeCycle) -> Authorization | None:
    """The authorization that was asked for, or else the first of the life cycle."""
    return next(
        (each for each in life.authorizations if each.authorization_id == life.subject_id),
        next(iter(life.authorizations), None),
    )


def answers_of(life: LifeCycle, told: Sequence[Told], now: int) -> tuple[Answer, ...]:
    """Every question that this life cycle raises."""
    return tuple(_answers(life, told, now))


def _answers(life: LifeCycle, told: Sequence[Told], now: int) -> Iterator[Answer]:
    for row in life.authorizations:
        if row.verb == "authorize" and not Outcome[row.outcome].approved:
            yield _why_declined(row)
    clearing = unmatched.waiting_clearing(life)
    if clearing is not None:
        yield Answer(
            "Why is this unmatched?",
            unmatched.in_words(life, clearing),
            unmatched.details(life, clearing),
        )
    yield Answer("Where did the money go?", money_trail.in_words(life), money_trail.details(life))
    yield from _what_next(life, now)
    yield from _who_waits(told)


def _why_declined(row: Authorization) -> Answer:
    rule = declining_rule(Outcome[row.outcome], row.explanation)
    assert rule is not None
    code = code_of(row)
    reason = f"{row.explanation[:1].upper()}{row.explanation[1:]}."
    found = (
        f"The {rule.by} found that by the check \u201c{rule.title}\u201d; none before it objected."
    )
    answered = f"Answered with DE 39 {code_in_words(code)}: {retry_in_words(code)}."
    return Answer("Why was this declined?", f"{reason} {found} {answered}")


def _what_next(life: LifeCycle, now: int) -> Iterator[Answer]:
    hold = life.hold
    if hold is None or hold.state != HoldState.PENDING:
        return
    held = money(hold.remaining, hold.currency)
    if hold.expires_at <= now:
        told = f"{held} is past its time, {when(hold.expires_at)}: `cardrail jobs` releases it."
    else:
        told = f"{held} waits for its clearing; if none comes, it ends on {when(hold.expires_at)}."
    yield Answer("What happens next?", told)


def _who_waits(told: Sequence[Told]) -> Iterator[Answer]:
    awaited = sorted({name for each in told for name in each.awaited_by})
    if awaited:
        names = ", ".join(awaited)
        answer = f"Its events are written; these have not read all of them yet: {names}."
        yield Answer("Who has not heard of it?", answer)
