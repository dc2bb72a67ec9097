"""What was answered without the ledger: a message that only the journal knows."""

from __future__ import annotations

from gateway.inspector.annotated import Exchange
from gateway.inspector.ladder import declining_rule, verdicts
from gateway.inspector.timeline import Answer, Step, Timeline, Tone
from gateway.inspector.words import code_in_words, money, retry_in_words
from gateway.records import DecisionRecord
from gateway.response_codes import APPROVED
from ledger.outcomes import NAMES, Outcome

_OUTCOMES = {name: outcome for outcome, name in NAMES.items()}
_NO_DECISION = (
    "There was no decision in time, so that the network was told that the issuer is not available."
    " What the ledger approved too late is taken back; the network stands in and sends an advice."
)


def undecided_timeline(exchange: Exchange) -> Timeline:
    """The one step there is."""
    record = exchange.record
    outcome = _OUTCOMES.get(record.outcome)
    declined = record.response_code != APPROVED
    amount = (
        ""
        if record.amount is None or not record.currency
        else money(record.amount, record.currency)
    )
    facts = [
        ("card", record.pan),
        ("amount", amount),
        ("MTI", record.mti),
        ("STAN", record.stan),
        ("RRN", record.rrn),
        ("transaction id", record.transaction_id),
        ("DE 39", code_in_words(record.response_code)),
        ("answered after", f"{record.elapsed_ms:.1f} ms"),
    ]
    title = f"Answered {record.response_code} without the ledger"
    step = Step(
        at=record.at,
        title=title,
        explanation=record.explanation or record.outcome,
        tone=Tone.BAD if declined else Tone.NEUTRAL,
        facts=tuple((name, value) for name, value in facts if value),
        checks=() if outcome is None else verdicts(outcome, record.explanation),
        exchanges=(exchange,),
    )
    return Timeline(
        headline=f"Declined: {record.explanation}" if declined else title,
        tone=step.tone,
        network=record.network,
        rrn=record.rrn,
        account_id=record.account_id,
        subject_id=0,
        facts=step.facts,
        answers=(*_why(record, outcome), _NO_MONEY),
        steps=(step,),
    )


_NO_MONEY = Answer(
    "Where did the money go?", "Nowhere: the ledger has no record of it, so nothing has moved."
)


def _why(record: DecisionRecord, outcome: Outcome | None) -> tuple[Answer, ...]:
    code = record.response_code
    if code == APPROVED:
        return ()
    reason = f"{record.explanation[:1].upper()}{record.explanation[1:]}."
    answered = f"Answered with DE 39 {code_in_words(code)}: {retry_in_words(code)}."
    rule = None if outcome is None else declining_rule(outcome, record.explanation)
    found = _NO_DECISION if rule is None else f"The check \u201c{rule.title}\u201d found that."
    return (Answer("Why was this declined?", f"{reason} {found} {answered}"),)
