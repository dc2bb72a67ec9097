"""A gateway as a process, over a seeded ledger in a folder, to be loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from ledger.database import Database
from ledger.tables import accounts

ACCOUNTS = 60
_CARDRAIL = [sys.executable, "-m", "cardrail"]


@dataclass(frozen=True)
class Gateway:
    """Where it listens, HOST:PORT, and the ledger behind it."""

    url: str
    visanet: str
    quicpay: str

    @property
    def environment(self) -> dict[str, str]:
        """For commands about it."""
        return {**environment(), "CARDRAIL_LEDGER": self.url}

    def spoil_the_books(self) -> None:
        """One yen too much on the last account."""
        database = Database.open(self.url)
        with database.transaction() as connection:
            last = update(accounts).where(accounts.c.account_id == ACCOUNTS)
            connection.execute(last.values(posted=accounts.c.posted + 1))
        database.close()


def environment() -> dict[str, str]:
    """This process's, without settings of Cardrail."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CARDRAIL_")}


@contextmanager
def serving(folder: Path) -> Iterator[Gateway]:
    """A gateway with `ACCOUNTS` rich wallets."""
    url = f"sqlite:///{folder}/cardrail.db"
    seed = ["ledger", "seed", "--ledger", url, "--accounts", str(ACCOUNTS)]
    subprocess.run(
        [*_CARDRAIL, *seed, "--balance", "1000000000"], check=True, capture_output=True,
        env=environment(),
    )  # fmt: skip
    anywhere = ["--visanet", "127.0.0.1:0", "--quicpay", "127.0.0.1:0"]
    with (
        (folder / "gateway.log").open("w") as log,
        subprocess.Popen(
            [*_CARDRAIL, "serve", "--ledger", url, *anywhere, "--runtime", str(folder / "run")],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield Gateway(url, ready["visanet"], ready["quicpay"])
        finally:
            process.terminate()
            process.wait(20)
