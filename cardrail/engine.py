"""What a ledger can be kept in, by the names that commands take."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """A database engine."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
