"""From answers to beliefs and counts: what the network writes down of each life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from networks.agenda import Deed
from networks.beliefs import APPROVALS, Belief, Step, after, answered, billed, opened
from networks.life import Life
from networks.tally import Tally
from networks.traffic import Course, Purpose
from networks.wire.messages import Advice, CardMessage, CardRequest, Financial, Reversal

ACKNOWLEDGED = APPROVALS | {"21", "25"}  # a reversal of something unknown is done, too
_PARTIAL = "10"

# What an acknowledged deed does, and where it is counted; a clearing may be a part or a credit.
_EFFECTS: Mapping[Deed, tuple[Step, str]] = MappingProxyType(
    {
        Deed.OVERTAKE: (Step.REVERSED, "reversals"),
        Deed.TIME_OUT: (Step.REVERSED, "reversals"),
        Deed.CANCEL: (Step.REVERSED, "reversals"),
        Deed.REVERSE_PARTLY: (Step.PARTLY_REVERSED, "reversed_partly"),
        Deed.STAND_IN: (Step.STOOD_IN, "stood_in"),
        Deed.INCREMENT: (Step.INCREMENTED, "increments"),
        Deed.COMPLETE: (Step.COMPLETED, "completed"),
        Deed.CLEAR: (Step.CLEARED, "cleared"),
    }
)
_OPENING_COUNTED: Mapping[Step, str] = MappingProxyType(
    {Step.STOOD_IN: "stood_in", Step.CLEARED: "cleared"}
)


class Record:
    """The network's own record; `settled` receives every belief once it is final."""

    def __init__(self, network: str, settled: Callable[[Belief], None]) -> None:
        self.network = network
        self.tally = Tally(network)
        self._settled = settled

    def begin(self, request: CardRequest) -> Belief:
        """What is believed before `request` is answered."""
        return opened(self.network, request)

    def begin_increment(self, life: Life, request: CardRequest) -> None:
        """`life` asks for more."""
        rrn = life.plan.request.rrn
        life.increments.append(opened(self.network, request, increment_of=rrn))

    def note_opening(self, life: Life, response: CardMessage, now: float) -> bool:
        """The opening message was answered, in time or late: whether with approval."""
        code, request = response.response_code, life.plan.request
        overtaken = life.plan.course is Course.OVERTAKEN
        self.tally.opened(code, None if overtaken else now - life.due_at)
        life.approval_code = response.approval_code or request.approval_code
        believed = answered(life.belief, code, life.approval_code)
        if code in APPROVALS:
            step = _opening_step(request)
            amount = billed(response) if code == _PARTIAL else billed(request)
            believed = after(believed, step, amount)
            if step in _OPENING_COUNTED:
                self.tally.counts[_OPENING_COUNTED[step]] += 1
            self.tally.counts["broken_promises"] += overtaken
        self._believe(life, believed)
        return code in APPROVALS

    def note_repeat(self, life: Life, message_bytes: bytes) -> None:
        """A repeat was answered; its bytes have to be the first answer's."""
        self.tally.counts["repeats"] += 1
        self.tally.counts["repeats_differing"] += message_bytes != life.first_answer

    def note_acknowledgement(self, life: Life, response: CardMessage) -> None:
        """A later message was answered."""
        code = response.response_code
        accepted = code in (ACKNOWLEDGED if isinstance(life.message, Reversal) else APPROVALS)
        if accepted:
            self._apply(life)
        else:
            self.tally.refused[f"{life.errand.deed} {code}"] += 1
        if life.errand.deed is Deed.INCREMENT:
            noted = answered(life.increments[-1], code, response.approval_code)
            approved = noted.requested if accepted else 0
            life.increments[-1] = msgspec.structs.replace(noted, approved=approved)

    def close(self, life: Life) -> None:
        """Nothing more will happen to `life`; said once however often it is told."""
        if life.closed:
            return
        life.closed = True
        for belief in (life.belief, *life.increments):
            self._settled(belief)

    def _apply(self, life: Life) -> None:
        message, deed = life.message, life.errand.deed
        step, counted = _EFFECTS[deed]
        amount = billed(message)
        if isinstance(message, Reversal) and message.replacement_amount is not None:
            amount = message.replacement_amount
        if deed is Deed.STAND_IN:
            life.approval_code = message.approval_code
        if deed is Deed.CLEAR:
            step = _clearing_step(life)
        self.tally.counts[counted] += 1
        self._believe(life, after(life.belief, step, amount))

    def _believe(self, life: Life, belief: Belief) -> None:
        self.tally.believed(life.belief, belief)
        life.belief = belief


def _opening_step(request: CardRequest) -> Step:
    if isinstance(request, Financial):
        return Step.CLEARED  # a force post; refunds are announced first
    return Step.STOOD_IN if isinstance(request, Advice) else Step.AUTHORIZED


def _clearing_step(life: Life) -> Step:
    if life.belief.purpose is Purpose.CREDIT:
        return Step.CREDITED
    is_last = life.errand.sequence == life.errand.count
    return Step.CLEARED if is_last else Step.CLEARED_PART
