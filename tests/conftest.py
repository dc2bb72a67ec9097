"""What all tests share."""

from __future__ import annotations

import sys

from hypothesis import settings

# Speed is measured by benchmarks: a busy machine must not fail a property.
settings.register_profile("cardrail", deadline=None)
settings.load_profile("cardrail")


def pytest_sessionfinish() -> None:
    """No database server outlives the run."""
    if started := sys.modules.get("tests.postgresql"):
        started.stop()
