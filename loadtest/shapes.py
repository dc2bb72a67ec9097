"""How many users a locust run has at each moment: steady, step, spike, soak.

A shape is a table of stages, in per cent of the run's time and of its users, so it fits any
``--users`` and ``--run-time``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

USUAL = "steady"


class Stage(NamedTuple):
    """Per cent of the run's time and of its users."""

    time: int
    users: int


class Shape(NamedTuple):
    """Stages one after another, and how long the whole takes if nothing is said."""

    seconds: float
    stages: tuple[Stage, ...]


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        USUAL: Shape(60, (Stage(100, 100),)),
        "step": Shape(120, (Stage(25, 25), Stage(25, 50), Stage(25, 75), Stage(25, 100))),
        "spike": Shape(60, (Stage(40, 20), Stage(20, 100), Stage(40, 20))),
        "soak": Shape(3600, (Stage(2, 30), Stage(98, 70))),
    }
)


def users_at(shape: Shape, share: float, users: int) -> int | None:
    """The users at `share` of the run's time, at least one; None when it is over.

    >>> [users_at(SHAPES["spike"], share, 50) for share in (0.0, 0.39, 0.5, 0.7, 1.0)]
    [10, 10, 50, 10, None]
    """
    end = 0
    for stage in shape.stages:
        end += stage.time
        if share * 100 < end:
            return max(round(users * stage.users / 100), 1)
    return None
