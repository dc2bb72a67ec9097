"""One authorization in progress: what is believed, what is being asked, what comes next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from networks.agenda import Agenda, Errand, opening
from networks.beliefs import Belief
from networks.traffic import Plan
from networks.wire.messages import CardRequest


@dataclass(slots=True, eq=False)
class Life:
    """An authorization from its opening message to its last.

    Attributes
    ----------
    intended
        When the opening message should have been sent, monotonic seconds.
    belief, increments
        About the authorization, and about each increment that was asked for.
    errand, message
        What was sent last, and why.
    attempts
        How often `message` has been sent.
    opened_at
        When the opening message really went out.
    first_answer
        The bytes of the first answer to the opening message.
    approval_code
        What later messages quote: the issuer's, or the network's own where it stood in.
    to_clear
        Amount that the parts of a multiple clearing share out.
    over, closed
        Nothing is left to send; nothing is left to learn either.
    """

    plan: Plan
    intended: float
    belief: Belief
    message: CardRequest
    agenda: deque[Errand]
    errand: Errand
    increments: list[Belief] = field(default_factory=list)
    attempts: int = 0
    opened_at: float = 0.0
    first_answer: bytes | None = None
    approval_code: str = ""
    to_clear: int = 0
    over: bool = False
    closed: bool = False

    @classmethod
    def begin(cls, plan: Plan, intended: float, belief: Belief) -> Life:
        """A life whose first errand is about to be run."""
        first, *later = opening(plan)
        return cls(plan, intended, belief, plan.request, deque(later), first)

    @property
    def due_at(self) -> float:
        """What latency counts from: the intended time, or the real one where that was earlier."""
        return min(self.intended, self.opened_at)

    def follow(self, agenda: Agenda) -> None:
        """Go on with `agenda` after what is planned already."""
        self.agenda.extend(agenda)
