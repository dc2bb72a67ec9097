"""The engines that the whole ledger suite runs on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from tests import postgresql


class Engine(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@contextmanager
def fresh_ledger(engine: Engine, *, empty: bool = False) -> Iterator[str]:
    """The URL of a ledger with nothing in it, if `empty` no table either; gone at the end."""
    if engine is Engine.SQLITE:
        with tempfile.TemporaryDirectory(prefix="cardrail-ledger-") as folder:
            yield f"sqlite:///{folder}/ledger.db"
    else:
        made = postgresql.server().take_database(empty=empty)
        try:
            yield made
        finally:
            postgresql.server().give_back(made)
