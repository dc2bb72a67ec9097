from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from gateway.authorize import authorize
from gateway.late_decisions import LateDecisions
from gateway.late_journal import LateJournal
from gateway.reversals import reverse
from ledger.commands import AnyCommand, Authorize, Clear, Decision, Recall, Reverse
from ledger.money import Money
from ledger.outcomes import Outcome
from ledger.writer import LedgerBusy, OnDecided, Undecided, WriterStopped
from tests.gateway.samples import case, changed, financial, purchase, reversal

LEDGER = "sqlite:///ledger.db"
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

    def __init__(self, folder: Path) -> None:
        self.trouble: Exception | None = None
        self.taken: list[tuple[AnyCommand, OnDecided]] = []
        self.timers: list[Callable[[], None]] = []
        self.journal = LateJournal(folder, LEDGER)
        self.late = LateDecisions(self.submit, self.call_later, self.journal)

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


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path)
    yield made
    made.journal.close()


def command(request: object = None) -> Authorize:
    made = authorize(purchase() if request is None else request, case())  # type: ignore[arg-type]
    assert isinstance(made, Authorize)
    return made


def test_an_approval_that_comes_late_is_reversed(queue: Queue) -> None:
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
def test_what_has_made_no_hold_is_left_alone(queue: Queue, decision: Decision | Undecided) -> None:
    queue.late.settle(command(), decision)
    assert queue.taken == []
    assert not queue.late.has_taken_back(command())


def test_a_late_reversal_stays(queue: Queue) -> None:
    queue.late.settle(reverse(reversal(), case()), APPROVED)
    assert queue.taken == []


@pytest.mark.parametrize("trouble", [LedgerBusy(1), WriterStopped()])
def test_what_the_ledger_cannot_take_now_it_gets_later(queue: Queue, trouble: Exception) -> None:
    queue.trouble = trouble
    queue.late.settle(command(), APPROVED)
    queue.late.settle(command(purchase(stan="000999")), APPROVED)
    assert (queue.late.owed_count, len(queue.timers)) == (2, 1)
    queue.wait()
    assert (queue.late.owed_count, len(queue.timers)) == (2, 1)
    queue.trouble = None
    queue.wait()
    assert (queue.late.owed_count, len(queue.taken), queue.timers) == (0, 2, [])


def test_what_the_ledger_fails_to_do_is_asked_again(queue: Queue) -> None:
    queue.late.settle(command(), APPROVED)
    [(first, decided)] = queue.taken
    decided(Undecided.NOT_DONE)
    queue.wait()
    assert [taken for taken, _ in queue.taken] == [first, first]
    queue.taken[1][1](APPROVED)
    assert (queue.late.owed_count, queue.timers) == (0, [])


def test_a_single_message_posted_already_is_paid_back(queue: Queue) -> None:
    queue.late.settle(command(financial()), APPROVED)
    queue.taken[0][1](NOTHING_RELEASED)
    back = queue.taken[1][0]
    assert isinstance(back, Clear)
    assert (back.undoes, back.amount) == ("post:5", Money(0, "JPY"))


def test_what_is_owed_when_the_writer_has_stopped_is_paid_before_the_end(queue: Queue) -> None:
    queue.trouble = WriterStopped()
    queue.late.settle(command(financial()), APPROVED)
    applied: list[AnyCommand] = []

    def apply(batch: Sequence[AnyCommand]) -> list[Decision]:
        applied.extend(batch)
        return [NOTHING_RELEASED]

    queue.late.pay_with(apply)
    assert [type(each) for each in applied] == [Reverse, Clear]
    assert queue.late.owed_count == 0


def test_its_memory_is_bounded(queue: Queue) -> None:
    late = [command(purchase(rrn=f"{number:012d}")) for number in range(10_002)]
    for each in late:
        queue.late.settle(each, APPROVED)
    assert [queue.late.has_taken_back(each) for each in late[:4]] == [False, False, True, True]


def test_the_networks_own_reversal_of_it_is_answered_as_any_other(queue: Queue) -> None:
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
def test_what_is_unknown_is_read_back_before_anything_is_taken_back(
    queue: Queue, story: Story
) -> None:
    queue.late.settle(command(), Undecided.UNKNOWN)
    [(asked, recalled)] = queue.taken
    assert isinstance(asked, Recall)
    assert asked.origin.request_key == command().origin.request_key
    assert queue.late.has_taken_back(command())  # a repeat is answered 91 until then, and after
    recalled(story.recalled)
    assert [type(taken) for taken, _ in queue.taken[1:]] == story.follows


def test_what_cannot_be_read_back_now_is_asked_again(queue: Queue) -> None:
    queue.late.settle(command(), Undecided.UNKNOWN)
    queue.taken[0][1](Undecided.NOT_DONE)
    queue.wait()
    assert [type(taken) for taken, _ in queue.taken] == [Recall, Recall]


def test_an_advice_whose_fate_is_unknown_is_its_networks_to_repeat(queue: Queue) -> None:
    queue.late.settle(reverse(reversal(), case()), Undecided.UNKNOWN)
    assert queue.taken == []


# --- what is still owed if this process is killed ---


def test_what_may_yet_be_approved_is_written_down_until_nothing_is_held(queue: Queue) -> None:
    queue.late.expect(command())
    assert queue.journal.owed == (command(),)
    queue.late.settle(command(), APPROVED)
    assert queue.journal.owed == (command(),)
    [(_, taken_back)] = queue.taken
    taken_back(APPROVED)
    assert not queue.journal.owed


@pytest.mark.parametrize(
    "decision",
    [
        Undecided.LATE,
        msgspec.structs.replace(APPROVED, replayed=True),
        msgspec.structs.replace(APPROVED, outcome=Outcome.INSUFFICIENT_FUNDS),
    ],
    ids=["too late", "a repeat", "declined"],
)
def test_what_has_made_no_hold_is_struck_out(queue: Queue, decision: Decision | Undecided) -> None:
    queue.late.expect(command())
    queue.late.settle(command(), decision)
    assert not queue.journal.owed


def test_an_unknown_fate_is_owed_until_it_is_known(queue: Queue) -> None:
    queue.late.settle(command(), Undecided.UNKNOWN)
    assert queue.journal.owed == (command(),)
    [(_, recalled)] = queue.taken
    recalled(msgspec.structs.replace(APPROVED, replayed=True))
    assert queue.journal.owed == (command(),)
    queue.taken[1][1](Undecided.NOT_DONE)
    assert queue.journal.owed == (command(),)
    queue.wait()
    queue.taken[2][1](APPROVED)
    assert not queue.journal.owed


def test_a_single_message_is_owed_until_it_is_paid_back(queue: Queue) -> None:
    late = command(financial())
    queue.late.settle(late, APPROVED)
    queue.taken[0][1](NOTHING_RELEASED)
    assert queue.journal.owed == (late,)
    queue.taken[1][1](APPROVED)
    assert not queue.journal.owed


def test_a_repeat_of_what_is_being_taken_back_strikes_nothing_out(queue: Queue) -> None:
    queue.late.settle(command(), APPROVED)
    queue.late.settle(command(), msgspec.structs.replace(APPROVED, replayed=True))
    assert queue.journal.owed == (command(),)


@pytest.mark.parametrize(
    "asked", [reverse(reversal(), case()), command(changed(purchase(), mti="0101"))]
)
def test_what_is_nobodys_to_take_back_is_not_expected(queue: Queue, asked: AnyCommand) -> None:
    queue.late.expect(asked)
    assert not queue.journal.owed


def test_what_a_killed_process_owed_is_asked_about(queue: Queue) -> None:
    queue.late.ask_about(command())
    [(asked, _)] = queue.taken
    assert isinstance(asked, Recall)
    assert queue.late.has_taken_back(command())
