from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import pytest

from gateway.authorize import authorize
from gateway.late_decisions import LateDecisions
from gateway.reversals import reverse
from ledger.commands import AnyCommand, Authorize, Clear, Decision, Recall, Reverse
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, OnDecided, Undecided, WriterStopped
from tests.gateway.samples import case, financial, purchase, reversal

APPROVED = Decision(
    outcome=Outcome.APPROVED,
    authorization_id=5,
    account_id=70,
    amount=1250,
    currency="JPY",
    approval_code="ABC123",
    available=0,
    posted=0,
    explanation="",
)
NOTHING_RELEASED = msgspec.structs.replace(APPROVED, amount=0)


class Queue:
    """A ledger's queue and a clock's timers, by hand."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.taken: list[tuple[AnyCommand, OnDecided]] = []
        self.timers: list[Callable[[], None]] = []
        self.late = LateDecisions(self.submit, self.call_later)

    def submit(self, command: AnyCommand, on_decided: OnDecided) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append((command, on_decided))

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        assert seconds > 0
        self.timers.append(function)

    def wait(self) -> None:
        timers, self.timers = self.timers, []
        for function in timers:
            function()


def command(request: object = None) -> Authorize:
    made = authorize(purchase() if request is None else request, case())  # type: ignore[arg-type]
    assert isinstance(made, Authorize)
    return made


def test_an_approval_that_comes_late_is_reversed() -> None:
    queue = Queue()
    queue.late.settle(command(), APPROVED)
    [(taken, _)] = queue.taken
    assert isinstance(taken, Reverse)
    assert taken.reference.trace == command().origin.trace
    assert queue.late.has_taken_back(command())
    assert queue.late.owed_count == 0


@pytest.mark.parametrize(
    "decision",
    [
        Undecided.NOT_DONE,
        msgspec.structs.replace(APPROVED, replayed=True),
        msgspec.structs.replace(APPROVED, outcome=Outcome.INSUFFICIENT_FUNDS),
    ],
    ids=["not done", "a repeat", "declined"],
)
def test_what_has_made_no_hold_is_left_alone(decision: Decision | Undecided) -> None:
    queue = Queue()
    queue.late.settle(command(), decision)
    assert queue.taken == []
    assert not queue.late.has_taken_back(command())


def test_a_late_reversal_stays() -> None:
    queue = Queue()
    queue.late.settle(reverse(reversal(), case()), APPROVED)
    assert queue.taken == []


@pytest.mark.parametrize("trouble", [LedgerBusy(1), WriterStopped()])
def test_what_the_ledger_cannot_take_now_it_gets_later(trouble: Exception) -> None:
    queue = Queue()
    queue.trouble = trouble
    queue.late.settle(command(), APPROVED)
    queue.late.settle(command(purchase(stan="000999")), APPROVED)
    assert (queue.late.owed_count, len(queue.timers)) == (2, 1)
    queue.wait()
    assert (queue.late.owed_count, len(queue.timers)) == (2, 1)
    queue.trouble = None
    queue.wait()
    assert (queue.late.owed_count, len(queue.taken), queue.timers) == (0, 2, [])


def test_what_the_ledger_fails_to_do_is_asked_again() -> None:
    queue = Queue()
    queue.late.settle(command(), APPROVED)
    [(first, decided)] = queue.taken
    decided(Undecided.NOT_DONE)
    queue.wait()
    assert [taken for taken, _ in queue.taken] == [first, first]
    queue.taken[1][1](APPROVED)
    assert (queue.late.owed_count, queue.timers) == (0, [])


def test_a_single_message_posted_already_is_paid_back() -> None:
    queue = Queue()
    queue.late.settle(command(financial()), APPROVED)
    queue.taken[0][1](NOTHING_RELEASED)
    back = queue.taken[1][0]
    assert isinstance(back, Clear)
    assert (back.undoes, back.amount) == ("post:5", Money(0, "JPY"))


def test_what_is_owed_when_the_writer_has_stopped_is_paid_before_the_end() -> None:
    queue = Queue()
    queue.trouble = WriterStopped()
    queue.late.settle(command(financial()), APPROVED)
    applied: list[AnyCommand] = []

    def apply(batch: Sequence[AnyCommand]) -> list[Decision]:
        applied.extend(batch)
        return [NOTHING_RELEASED]

    queue.late.pay_with(apply)
    assert [type(each) for each in applied] == [Reverse, Clear]
    assert queue.late.owed_count == 0


def test_its_memory_is_bounded() -> None:
    queue = Queue()
    late = [command(purchase(rrn=f"{number:012d}")) for number in range(10_002)]
    for each in late:
        queue.late.settle(each, APPROVED)
    assert [queue.late.has_taken_back(each) for each in late[:4]] == [False, False, True, True]


def test_the_networks_own_reversal_of_it_is_answered_as_any_other() -> None:
    queue = Queue()
    queue.late.settle(command(), APPROVED)
    assert not queue.late.has_taken_back(reverse(reversal(), case()))


class Story(NamedTuple):
    """What the ledger says when it is asked what has become of a request, and what follows."""

    recalled: Decision
    follows: list[type[AnyCommand]]


@pytest.mark.parametrize(
    "story",
    [
        Story(msgspec.structs.replace(APPROVED, replayed=True), [Reverse]),
        Story(msgspec.structs.replace(APPROVED, outcome=Outcome.ORIGINAL_UNKNOWN), []),
        Story(msgspec.structs.replace(APPROVED, outcome=Outcome.INSUFFICIENT_FUNDS), []),
    ],
    ids=["it was approved", "it was never decided", "it was declined"],
)
def test_what_is_unknown_is_read_back_before_anything_is_taken_back(story: Story) -> None:
    queue = Queue()
    queue.late.settle(command(), Undecided.UNKNOWN)
    [(asked, recalled)] = queue.taken
    assert isinstance(asked, Recall)
    assert asked.origin.request_key == command().origin.request_key
    assert queue.late.has_taken_back(command())  # a repeat is answered 91 until then, and after
    recalled(story.recalled)
    assert [type(taken) for taken, _ in queue.taken[1:]] == story.follows


def test_what_cannot_be_read_back_now_is_asked_again() -> None:
    queue = Queue()
    queue.late.settle(command(), Undecided.UNKNOWN)
    queue.taken[0][1](Undecided.NOT_DONE)
    queue.wait()
    assert [type(taken) for taken, _ in queue.taken] == [Recall, Recall]


def test_an_advice_whose_fate_is_unknown_is_its_networks_to_repeat() -> None:
    queue = Queue()
    queue.late.settle(reverse(reversal(), case()), Undecided.UNKNOWN)
    assert queue.taken == []
