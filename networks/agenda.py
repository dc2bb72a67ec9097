"""What a network does after the answer to an opening message, as pure functions of the plan."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from networks.beliefs import HOLDING
from networks.traffic import Course, Plan, Purpose, Settlement
from networks.wire.messages import Financial


class Deed(StrEnum):
    """A message that a network sends about an authorization."""

    OPEN = "open"
    OVERTAKE = "overtake"  # the reversal that is sent before its original
    REPEAT = "repeat"
    TIME_OUT = "time out"
    STAND_IN = "stand in"
    CANCEL = "cancel"
    REVERSE_PARTLY = "reverse partly"
    INCREMENT = "increment"
    COMPLETE = "complete"
    CLEAR = "clear"


class Errand(msgspec.Struct, frozen=True):
    """One deed to come.

    Attributes
    ----------
    seconds
        How long after the answer to the deed before; ``None`` is "when the timer of the opening
        message would have run out".
    amount
        Of an increment or a completion, minor units.
    permille
        Of what is held, to be cleared or kept.
    sequence, count
        Which part of how many is cleared; 0 of 0 is the whole.
    """

    deed: Deed
    seconds: float | None = 0.0
    amount: int = 0
    permille: int = 1000
    sequence: int = 0
    count: int = 0


Agenda = tuple[Errand, ...]


def opening(plan: Plan) -> Agenda:
    """What comes first."""
    if plan.course is Course.OVERTAKEN:
        return (Errand(Deed.OVERTAKE), Errand(Deed.OPEN))
    return (Errand(Deed.OPEN),)


def following(plan: Plan, *, approved: bool) -> Agenda:
    """What comes after the answer, in order; what the network did not see cannot steer it."""
    match plan.course:
        case Course.OVERTAKEN:
            return ()
        case Course.TIMED_OUT:
            return (Errand(Deed.TIME_OUT, None),)
        case Course.STOOD_IN:
            return (Errand(Deed.STAND_IN, None), *_settlement(plan))
        case Course.LOST_ANSWER:
            repeat = Errand(Deed.REPEAT, None)
            return (repeat, *_fulfilment(plan)) if approved else (repeat,)
        case _:
            return _ordinary(plan) if approved else ()


def _ordinary(plan: Plan) -> Agenda:
    if plan.course is Course.CANCELLED:
        return (Errand(Deed.CANCEL, plan.course_seconds),)
    if plan.course is Course.PARTLY_REVERSED:
        reversal = Errand(Deed.REVERSE_PARTLY, plan.course_seconds, permille=plan.kept_permille)
        return (reversal, *_settlement(plan))
    return _fulfilment(plan)


def _fulfilment(plan: Plan) -> Agenda:
    """Increments and completion, then clearing."""
    wait = plan.course_seconds
    increments = tuple(Errand(Deed.INCREMENT, wait, amount) for amount in plan.increments)
    completion = () if plan.completion is None else (Errand(Deed.COMPLETE, wait, plan.completion),)
    return (*increments, *completion, *_settlement(plan))


def _settlement(plan: Plan) -> Agenda:
    if isinstance(plan.request, Financial) or plan.purpose not in HOLDING | {Purpose.CREDIT}:
        return ()
    wait = plan.clearing_seconds
    match plan.settlement:
        case Settlement.NEVER:
            return ()
        case Settlement.OVER if plan.purpose in HOLDING:
            return (Errand(Deed.CLEAR, wait, permille=plan.over_permille),)
        case Settlement.UNDER if plan.purpose in HOLDING:
            return (Errand(Deed.CLEAR, wait, permille=plan.kept_permille),)
        case Settlement.PARTS if plan.purpose in HOLDING:
            count = plan.clearing_count
            return tuple(
                Errand(Deed.CLEAR, wait / count, sequence=part + 1, count=count)
                for part in range(count)
            )
        case _:
            return (Errand(Deed.CLEAR, wait),)
