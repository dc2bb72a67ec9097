"""One authorization in progress: what is believed, what is being asked, what comes next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from networks.agenda import Agenda, Deed, Errand, opening
from networks.beliefs import Belief
from networks.followups import repeat_of
from networks.network import Network
from networks.numbering import Names
from networks.traffic import Plan
from networks.wire.messages import CardRequest


@dataclass(slots=True, eq=False)
class Life:
    """An authorization from its opening message to its last.

    Attributes
    ----------
    intended
        When the opening message should have been sent, monotonic seconds; latency counts from it.
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
    over
        Nothing is left to send.
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

    @classmethod
    def begin(cls, plan: Plan, intended: float, belief: Belief) -> Life:
        """A life whose first errand is about to be run."""
        first, *later = opening(plan)
        return cls(plan, intended, belief, plan.request, deque(later), first)

    def follow(self, agenda: Agenda) -> None:
        """Go on with `agenda` after what is planned already."""
        self.agenda.extend(agenda)


def compose(network: Network, life: Life, names: Names) -> CardRequest | None:
    """The message of the present errand, or ``None`` when there is nothing to send for it."""
    request, errand, approval = life.plan.request, life.errand, life.approval_code
    match errand.deed:
        case Deed.OVERTAKE | Deed.TIME_OUT:
            return network.time_out(request, names)
        case Deed.STAND_IN if network.stand_in:
            return network.stand_in(request, names)
        case Deed.INCREMENT if network.increment:
            return network.increment(request, names, errand.amount)
        case Deed.COMPLETE if network.complete:
            return network.complete(request, names, errand.amount, approval)
        case Deed.CLEAR:
            return _clear(network, life, names)
        case Deed.CANCEL | Deed.REVERSE_PARTLY:
            return network.cancel(request, names, approval, _replacement(life))
        case Deed.REPEAT:
            return repeat_of(request)
        case _:
            return request if errand.deed is Deed.OPEN else None


def _replacement(life: Life) -> int | None:
    if life.errand.deed is Deed.CANCEL:
        return None
    return max(life.belief.held * life.errand.permille // 1000, 1)


def _clear(network: Network, life: Life, names: Names) -> CardRequest | None:
    amount = clearing_amount(life)
    if amount <= 0:
        return None
    part = (life.errand.sequence, life.errand.count)
    return network.clear(life.plan.request, names, amount, life.approval_code, part)


def clearing_amount(life: Life) -> int:
    """What the present clearing errand moves, minor units of the billing currency."""
    belief, errand = life.belief, life.errand
    if errand.sequence <= 1:
        life.to_clear = belief.held or belief.approved
    if not errand.count:
        return life.to_clear * errand.permille // 1000
    share = life.to_clear // errand.count
    if errand.sequence < errand.count:
        return share
    return life.to_clear - share * (errand.count - 1)
