"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Speed is measured by benchmarks: a busy machine must not fail a property.
settings.register_profile("cardrail", deadline=None)
settings.load_profile("cardrail")
