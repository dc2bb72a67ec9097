from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.api.ops import Ops, ops_over
from tests.ledger.engines import Engine, fresh_ledger


@pytest.fixture
def ops(tmp_path: Path) -> Iterator[Ops]:
    with ops_over(f"sqlite:///{tmp_path}/ledger.db") as made:
        yield made


@pytest.fixture(params=list(Engine))
def ops_on_each(request: pytest.FixtureRequest) -> Iterator[Ops]:
    """What asks the database in its own way runs on each engine."""
    with fresh_ledger(request.param) as url, ops_over(url) as made:
        yield made
