from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.gateway.inspector.stories import Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with closing(Story(tmp_path)) as made:
        yield made
