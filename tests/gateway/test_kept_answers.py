"""A write is claimed once, answered alike afterwards, and free again if nobody lived to answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from gateway.kept_answers import (
    KEPT_ANSWERS,
    METADATA,
    Answer,
    Claim,
    Claimed,
    KeptAnswers,
    OtherRequest,
    UnderWay,
    digest,
)
from ledger.database import Database
from tests.ledger.engines import Engine, fresh_ledger

NOW = 1_800_000_000_000_000  # microseconds
MINUTE = 60_000_000
WEEK = 7 * 24 * 60 * MINUTE
ANSWER = Answer(201, "application/json", '{"done":true}')


@pytest.fixture(params=list(Engine))
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    with fresh_ledger(request.param) as url:
        opened = Database.open(url)
        METADATA.create_all(opened.engine)
        yield opened
        opened.close()


@pytest.fixture
def answers(database: Database) -> KeptAnswers:
    return KeptAnswers(database)


def test_the_first_does_it_and_the_others_hear_of_it(answers: KeptAnswers) -> None:
    claimed = answers.claim("key", "request", NOW)
    assert claimed == Claimed("key", NOW)
    assert answers.claim("key", "request", NOW + 1) == UnderWay()
    answers.keep(claimed, ANSWER)
    assert answers.claim("key", "request", NOW + MINUTE) == ANSWER
    assert answers.claim("key", "another", NOW + MINUTE) == OtherRequest()
    assert answers.claim("other", "another", NOW) == Claimed("other", NOW)


def test_what_was_not_done_may_be_asked_again(answers: KeptAnswers) -> None:
    claimed = answers.claim("key", "request", NOW)
    assert isinstance(claimed, Claimed)
    answers.release(claimed)
    assert answers.claim("key", "request", NOW + 1) == Claimed("key", NOW + 1)


def test_an_answer_is_not_released(answers: KeptAnswers) -> None:
    claimed = answers.claim("key", "request", NOW)
    assert isinstance(claimed, Claimed)
    answers.keep(claimed, ANSWER)
    answers.release(claimed)
    assert answers.claim("key", "request", NOW) == ANSWER


def test_a_claim_of_the_dead_is_free_after_a_minute_and_for_one(answers: KeptAnswers) -> None:
    dead = answers.claim("key", "request", NOW)
    assert isinstance(dead, Claimed)
    assert answers.claim("key", "request", NOW + MINUTE - 1) == UnderWay()
    heir = answers.claim("key", "request", NOW + MINUTE)
    assert heir == Claimed("key", NOW + MINUTE)
    assert answers.claim("key", "request", NOW + MINUTE) == UnderWay()
    answers.keep(dead, Answer(500, "text/plain", "a late word of the dead"))
    answers.release(dead)
    answers.keep(heir, ANSWER)
    assert answers.claim("key", "request", NOW + MINUTE) == ANSWER


def test_answers_are_forgotten_after_a_week(database: Database, answers: KeptAnswers) -> None:
    for number in range(3):
        claimed = answers.claim(f"key {number}", "request", NOW + number)
        assert isinstance(claimed, Claimed)
        answers.keep(claimed, ANSWER)
    assert answers.claim("new", "request", NOW + WEEK + 2) == Claimed("new", NOW + WEEK + 2)
    with database.reading() as connection:
        kept = connection.scalars(select(KEPT_ANSWERS.c.key).order_by(KEPT_ANSWERS.c.key)).all()
        assert connection.scalar(select(func.count()).select_from(KEPT_ANSWERS)) == len(kept)
    assert kept == ["key 2", "new"]


def test_of_many_who_claim_at_the_same_time_one_has_it(answers: KeptAnswers) -> None:
    start = Barrier(8)

    def claim(_number: int) -> Claim:
        start.wait()
        return answers.claim("key", "request", NOW)

    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(claim, range(8))]
    assert sorted(map(str, found)) == [str(Claimed("key", NOW)), *[str(UnderWay())] * 7]


def test_a_digest_tells_parts_apart() -> None:
    assert len(digest("a", "b")) == 64
    assert len({digest("a", "b"), digest("ab"), digest("a", "b", ""), digest("b", "a")}) == 4
