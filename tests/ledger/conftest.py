from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.books import Books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """One wallet with JPY 1,000."""
    made = Books(tmp_path)
    yield made
    made.close()
