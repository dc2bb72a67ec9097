"""Load shapes fit any number of users and any time."""

from __future__ import annotations

import pytest

from loadtest.shapes import SHAPES, users_at

# Users of 40 after each tenth of the run.
TENTHS = {
    "steady": [40] * 10,
    "step": [10, 10, 10, 20, 20, 30, 30, 30, 40, 40],
    "spike": [8, 8, 8, 8, 40, 40, 8, 8, 8, 8],
    "soak": [12, 28, 28, 28, 28, 28, 28, 28, 28, 28],
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_followed_and_ends(name: str) -> None:
    shape = SHAPES[name]
    assert [users_at(shape, tenth / 10, 40) for tenth in range(10)] == TENTHS[name]
    assert users_at(shape, 1.0, 40) is None
    assert sum(stage.time for stage in shape.stages) == 100


@pytest.mark.parametrize("name", SHAPES)
def test_there_is_always_a_user(name: str) -> None:
    assert users_at(SHAPES[name], 0.0, 1) == 1
