"""What all tests share."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from hypothesis import settings

# Tests kill processes, not machines: what they write need not reach a disk, where there is memory.
_MEMORY, _ENOUGH_BYTES = Path("/dev/shm"), 4 << 30  # noqa: S108 - as a folder for TMPDIR
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH_BYTES:
    os.environ.setdefault("TMPDIR", str(_MEMORY))
    tempfile.tempdir = None  # asked for before, perhaps

# Speed is measured by benchmarks: a busy machine must not fail a property.
settings.register_profile("cardrail", deadline=None)
settings.load_profile("cardrail")


def pytest_sessionfinish() -> None:
    """No database server outlives the run."""
    if started := sys.modules.get("tests.postgresql"):
        started.stop()
