"""How a PostgreSQL server is set for this ledger; deploy/postgresql.conf says the same (a test).

Nothing here weakens what a commit promises: fsync, full_page_writes and synchronous_commit are on.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TUNED: Mapping[str, str] = MappingProxyType(
    {
        "shared_buffers": "2GB",  # a quarter of the machine's memory, up to what the indexes need
        "wal_buffers": "64MB",
        "checkpoint_timeout": "15min",
        "max_wal_size": "16GB",  # checkpoints by time and not by volume
        "min_wal_size": "4GB",  # segments are used again: every commit waits for a new one, 50 ms
        "jit": "off",  # statements are short
    }
)
