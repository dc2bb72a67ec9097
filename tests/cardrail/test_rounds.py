"""Jobs in turn: time is an argument."""

from __future__ import annotations

import logging

import pytest

from cardrail.rounds import Job, KeepGoing, Round, Rounds


class Work:
    """A job's work that is told what to do."""

    def __init__(self, *told: int | Exception) -> None:
        self.told = [*told]

    def __call__(self, _keep_going: KeepGoing) -> int:
        what = self.told.pop(0)
        if isinstance(what, Exception):
            raise what
        return what


def always() -> bool:
    return True


def test_each_is_run_when_it_is_due() -> None:
    often, seldom = Work(1, 2, 3), Work(10, 20)
    rounds = Rounds([Job("often", 1.0, often), Job("seldom", 2.5, seldom)])
    assert rounds.seconds_left(100.0) == 0
    assert rounds.run(100.0, always) == Round({"often": 1, "seldom": 10}, ())
    assert rounds.seconds_left(100.25) == 0.75
    assert rounds.run(101.0, always) == Round({"often": 2}, ())
    assert rounds.run(101.5, always) == Round({}, ())
    assert rounds.run(102.5, always) == Round({"often": 3, "seldom": 20}, ())


def test_what_did_nothing_is_not_told() -> None:
    rounds = Rounds([Job("idle", 1.0, Work(0)), Job("busy", 1.0, Work(7))])
    assert rounds.run(0.0, always) == Round({"busy": 7}, ())


def test_all_of_them_are_run_whether_due_or_not() -> None:
    rounds = Rounds([Job("often", 1.0, Work(1, 2)), Job("seldom", 100.0, Work(10, 20))])
    rounds.run(0.0, always)
    assert rounds.run(0.1, always, all_of_them=True).done == {"often": 2, "seldom": 20}
    assert rounds.seconds_left(0.1) == 1.0


def test_one_that_fails_is_tried_later_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rounds = Rounds(
        [Job("broken", 1.0, Work(OSError("gone"), 5)), Job("whole", 1.0, Work(1, 2, 3))]
    )
    with caplog.at_level(logging.ERROR):
        assert rounds.run(0.0, always) == Round({"whole": 1}, ("broken",))
    [record] = caplog.records
    assert record.getMessage() == "the job failed that does: broken"
    assert record.exc_info is not None
    assert rounds.run(4.9, always) == Round({"whole": 2}, ())
    assert rounds.run(5.9, always) == Round({"broken": 5, "whole": 3}, ())


def test_one_that_is_seldom_is_not_tried_sooner_because_it_failed() -> None:
    rounds = Rounds([Job("seldom", 60.0, Work(OSError()))])
    rounds.run(0.0, always)
    assert rounds.seconds_left(0.0) == 60.0


def test_none_is_begun_once_there_is_an_end_to_be_made() -> None:
    asked = iter([True, False])
    rounds = Rounds([Job("first", 1.0, Work(1)), Job("second", 1.0, Work())])
    assert rounds.run(0.0, lambda: next(asked)) == Round({"first": 1}, ())
