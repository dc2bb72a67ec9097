"""The life of a hold, as a table. Rules of this file:

1. Every change of a hold's state is a row here; a pair that is absent is illegal.
2. It knows no money: what a verb does to amounts is said where the verb is.

A hold is born *pending*. It is then *posted* (its clearing is complete), *voided* (reversed) or
*expired*. Money that arrives after the end is posted all the same (`POST_LATE`); and an advice can
make an expired hold, or one that the issuer itself has voided, pending again (`HOLD_AGAIN`).
"""

from __future__ import annotations

from enum import StrEnum


class HoldState(StrEnum):
    """Where a hold is in its life."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Verb(StrEnum):
    """What can happen to a hold."""

    INCREASE = "increase"  # an incremental authorization
    REDUCE = "reduce"  # a partial reversal
    REPLACE = "replace"  # an advice or completion tells the actual amount
    VOID = "void"  # a full reversal, or an advice that it was declined
    POST_PART = "post part"  # a clearing with others to follow
    POST_LAST = "post last"  # the only or the last clearing
    POST_LATE = "post late"  # a clearing after the end
    EXPIRE = "expire"
    HOLD_AGAIN = "hold again"  # an advice after the end


class IllegalTransition(Exception):
    """A verb met a state in which it has no meaning: a mistake of ours, never of a network."""

    def __init__(self, state: str, verb: Verb) -> None:
        super().__init__(state, verb)
        self.state = state
        self.verb = verb

    def __str__(self) -> str:
        return f"cannot {self.verb} a hold that is {self.state}"


TRANSITIONS: dict[tuple[HoldState, Verb], HoldState] = {
    (HoldState.PENDING, Verb.INCREASE): HoldState.PENDING,
    (HoldState.PENDING, Verb.REDUCE): HoldState.PENDING,
    (HoldState.PENDING, Verb.REPLACE): HoldState.PENDING,
    (HoldState.PENDING, Verb.VOID): HoldState.VOIDED,
    (HoldState.PENDING, Verb.POST_PART): HoldState.PENDING,
    (HoldState.PENDING, Verb.POST_LAST): HoldState.POSTED,
    (HoldState.PENDING, Verb.EXPIRE): HoldState.EXPIRED,
    (HoldState.POSTED, Verb.POST_LATE): HoldState.POSTED,
    (HoldState.VOIDED, Verb.POST_LATE): HoldState.POSTED,
    (HoldState.EXPIRED, Verb.POST_LATE): HoldState.POSTED,
    (HoldState.VOIDED, Verb.HOLD_AGAIN): HoldState.PENDING,
    (HoldState.EXPIRED, Verb.HOLD_AGAIN): HoldState.PENDING,
}


# Rows have states as plain text, which is equal to a member and costs less.
_NEXT: dict[tuple[str, str], str] = {pair: state.value for pair, state in TRANSITIONS.items()}


def after(state: str, verb: Verb) -> str:
    """The state that `verb` leads to, both as rows have them.

    Raises
    ------
    IllegalTransition
        If the table has no such row.
    """
    try:
        return _NEXT[state, verb]
    except KeyError:
        raise IllegalTransition(state, verb) from None
