from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest

from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger


@pytest.fixture(params=list(Engine))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every test that asks for it, directly or not, runs on each engine."""
    return cast("Engine", request.param)


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    """A ledger of the test's own."""
    with fresh_ledger(engine) as made:
        yield made


@pytest.fixture
def books(url: str) -> Iterator[Books]:
    """One wallet with JPY 1,000."""
    with ExitStack() as resources:
        made = Books(url)
        resources.callback(made.close)
        yield made
