"""What is killed: a gateway process and, where it has one of its own, its database server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from cardrail.embedded_postgresql import EmbeddedPostgresql
from cardrail.engine import Engine
from cardrail.keys import open_vault
from cardrail.processes import Child, Children
from cardrail.seeding import Issuing, seed_wallets
from ledger.database import Database

POOR, RICH = 30_000, 10_000_000  # opening balances, yen
POOR_WALLETS, WALLETS = 20, 100  # the first of them run out: partial approvals, declines
_READY_SECONDS = 30.0
_ANYWHERE = "127.0.0.1:0"


class Addresses(msgspec.Struct, frozen=True):
    """Where a gateway listens, by network; its ready line."""

    visanet: str
    quicpay: str


class System:
    """A gateway and its ledger. `startup_seconds` is what the last start took."""

    def __init__(self, children: Children, ledger: str, server: EmbeddedPostgresql | None) -> None:
        self.ledger = ledger
        self.startup_seconds = 0.0
        self._children = children
        self._server = server
        self._gateway: Child | None = None
        self._numbers = count(1)

    def start_gateway(self) -> Addresses:
        """Start a gateway and wait until it can be dialled.

        Raises
        ------
        ChildFailed
            If it ends, or is not ready in time.
        """
        begin = time.monotonic()
        gateway = self._launch()
        addresses = msgspec.json.decode(gateway.read_line(_READY_SECONDS), type=Addresses)
        self.startup_seconds = time.monotonic() - begin
        return addresses

    def kill_gateway(self) -> None:
        """SIGKILL."""
        assert self._gateway is not None
        self._gateway.kill()

    def kill_starting_gateway(self, after_seconds: float) -> None:
        """Start a gateway, and SIGKILL it so long after."""
        gateway = self._launch()
        time.sleep(after_seconds)
        gateway.kill()

    def kill_database(self) -> None:
        """SIGKILL the server and its backends."""
        assert self._server is not None
        self._server.kill()

    def start_database(self) -> None:
        """Start the server again; it recovers first."""
        assert self._server is not None
        self._server.start()

    def _launch(self) -> Child:
        runtime = ["--runtime", str(self._children.logs / "run")]
        arguments = ["serve", "--ledger", self.ledger, "--visanet", _ANYWHERE, *runtime]
        name = f"gateway-{next(self._numbers)}"
        self._gateway = self._children.start(name, [*arguments, "--quicpay", _ANYWHERE])
        return self._gateway


@contextmanager
def fresh_system(engine: Engine) -> Iterator[System]:
    """A gateway that is not started yet, over a fresh ledger with cards; all is gone at the end.

    Raises
    ------
    NoServer
        If a server is needed and none is installed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="cardrail-crashtest-")))
        server, ledger = None, f"sqlite:///{folder}/cardrail.db"
        if engine is Engine.POSTGRESQL:
            server = EmbeddedPostgresql()
            stack.callback(server.stop)
            ledger = server.url()
        keys = folder / "keys"
        _seed(ledger, keys)
        children = stack.enter_context(Children(folder, _environment(keys)))
        yield System(children, ledger, server)


def _seed(ledger: str, keys: Path) -> None:
    issuing = Issuing(open_vault(ledger, keys))
    database = Database.open(ledger)
    try:
        for wallets, balance in ((POOR_WALLETS, POOR), (WALLETS, RICH)):
            seed_wallets(database, issuing, wallets, balance)
    finally:
        database.close()


def _environment(keys: Path) -> dict[str, str]:
    """The gateway's defaults, whatever is set here: the client knows no fees and no limits."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("CARDRAIL_")}
    return {**ours, "CARDRAIL_KEY_FILE": str(keys), "CARDRAIL_LOG_LEVEL": "warning"}
