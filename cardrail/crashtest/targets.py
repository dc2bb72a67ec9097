"""What is killed, in turn, and how it comes back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from random import Random
from types import MappingProxyType

from cardrail.crashtest.system import Addresses, System
from cardrail.engine import Engine


class Target(StrEnum):
    """What SIGKILL hits."""

    GATEWAY = "gateway"
    STARTING_GATEWAY = "gateway, and again while it starts"
    DATABASE = "database"
    BOTH = "gateway and database"


_ALONE_SECONDS = 0.5  # of a gateway, without its database
_OF_STARTUP = (0.5, 1.1)  # before that nothing but imports happens

# An embedded database lives and dies with its gateway; what is left to hit is its recovery.
ROTATION: Mapping[Engine, tuple[Target, ...]] = MappingProxyType(
    {
        Engine.SQLITE: (Target.GATEWAY, Target.STARTING_GATEWAY),
        Engine.POSTGRESQL: (Target.GATEWAY, Target.DATABASE, Target.BOTH),
    }
)


def kill(system: System, target: Target, random: Random) -> None:
    """SIGKILL; returns when the processes are gone.

    A gateway that goes after its database has answered 91 by then, and settled nothing.
    """
    if target in (Target.DATABASE, Target.BOTH):
        system.kill_database()
    if target is Target.BOTH:
        time.sleep(random.uniform(0.0, _ALONE_SECONDS))
    if target is not Target.DATABASE:
        system.kill_gateway()


def recover(system: System, target: Target, random: Random) -> Addresses | None:
    """Start again what was killed; a new gateway's addresses, ``None`` if it is the old one."""
    if target in (Target.DATABASE, Target.BOTH):
        system.start_database()
    if target is Target.DATABASE:
        return None
    if target is Target.STARTING_GATEWAY:
        earliest, latest = _OF_STARTUP
        system.kill_starting_gateway(random.uniform(earliest, latest) * system.startup_seconds)
    return system.start_gateway()
