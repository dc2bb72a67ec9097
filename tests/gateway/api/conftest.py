from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import TypeAlias

import pytest

from tests.gateway.api.ops import Ops, ops_over
from tests.ledger.engines import Engine, fresh_ledger

OpsOn: TypeAlias = Callable[[Engine], Ops]


@pytest.fixture(scope="package")
def ops_on() -> Iterator[OpsOn]:
    """One of each engine for all tests of this folder, made when it is first asked for."""
    with ExitStack() as resources:

        @cache
        def of(engine: Engine) -> Ops:
            url = resources.enter_context(fresh_ledger(engine))
            return resources.enter_context(ops_over(url))

        yield of


@pytest.fixture
def ops(ops_on: OpsOn) -> Iterator[Ops]:
    made = ops_on(Engine.SQLITE)
    made.begin_again()
    yield made
    made.books.must_balance()


@pytest.fixture(params=list(Engine))
def ops_on_each(ops_on: OpsOn, request: pytest.FixtureRequest) -> Iterator[Ops]:
    """What asks the database in its own way runs on each engine."""
    made = ops_on(request.param)
    made.begin_again()
    yield made
    made.books.must_balance()
