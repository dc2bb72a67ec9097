"""A whole rail for its pages: gateway, publisher, broker and `cardrail ops`, as processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from cardrail.broker import EmbeddedBroker
from cardrail.keys import open_vault
from gateway.cards import issue_cards
from networks.wire.dialects import DIALECTS
from networks.wire.messages import CardResponse, Message
from networks.wire.session import Session
from networks.wire.session_events import AnswerReceived, Event
from networks.wire.streams import Link, connect
from tests.cardrail.migrated import migrated_books
from tests.gateway.controlling import runtime_folder
from tests.gateway.running import STATIONS, new_card
from tests.ledger.books import CARD

WAIT = 60


class Network:
    """One link of a network, on a loop of its own: for tests that wait for a browser."""

    def __init__(self, address: str, name: str = "visanet") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        self._link: Link = self._run(self._dial(address, name))

    def code(self, message: Message) -> str:
        """The response code of the answer to `message`."""
        answer = self._run(self._ask(message))
        assert isinstance(answer, CardResponse)
        return answer.response_code

    def close(self) -> None:
        """Drop the link."""
        if self._thread.is_alive():
            self._run(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(WAIT)
            self._loop.close()

    async def _dial(self, address: str, name: str) -> Link:
        host, _, port = address.rpartition(":")
        station, peer = STATIONS[name]
        session = Session(DIALECTS[name], station=peer, peer=station)
        return await connect(host, int(port), session, self._on_event)

    async def _ask(self, message: Message) -> Message:
        self._link.send(message)
        return await self._answers.get()

    async def _close(self) -> None:
        self._link.close()
        await self._link.wait_closed()

    def _on_event(self, _link: Link, event: Event) -> None:
        if isinstance(event, AnswerReceived):
            self._answers.put_nowait(event.response)

    def _run(self, coroutine: Any) -> Any:  # noqa: ANN401 - of any coroutine
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(WAIT)


class Rail:
    """What runs: `url` has the pages; the wallet is account 1 with JPY 1,000 and card `CARD`."""

    def __init__(self, folder: Path, resources: ExitStack) -> None:
        self.folder = folder
        self.books = migrated_books(f"sqlite:///{folder}/cardrail.db")
        resources.callback(self.books.close)
        with self.books.database.transaction() as connection:
            card = new_card(CARD, account_id=1)
            issue_cards(connection, open_vault(self.books.url), [card])
        broker = resources.enter_context(EmbeddedBroker())
        bare = {key: value for key, value in os.environ.items() if not key.startswith("CARDRAIL_")}
        self._environment = {
            **bare,
            "CARDRAIL_LEDGER": self.books.url,
            "CARDRAIL_RUNTIME": str(resources.enter_context(runtime_folder())),
            "CARDRAIL_MQTT": broker.url,
            "CARDRAIL_VISANET": "127.0.0.1:0",
            "CARDRAIL_QUICPAY": "127.0.0.1:0",
        }
        self._resources = resources
        gateway, _, ops = [
            json.loads(each.stdout.readline())
            for each in [self._start("serve"), self._start("publish"), self._start("ops")]
        ]
        self.visanet: str = gateway["visanet"]
        self.url: str = ops["url"]

    def log_of(self, command: str) -> str:
        """What a process has written to stderr."""
        return (self.folder / f"{command}.log").read_text()

    def _start(self, command: str) -> Any:  # noqa: ANN401 - Popen with a pipe
        log = self._resources.enter_context((self.folder / f"{command}.log").open("w"))
        options = ["--http", "127.0.0.1:0"] if command == "ops" else []
        process = subprocess.Popen(
            [sys.executable, "-m", "cardrail", command, *options],
            stdout=subprocess.PIPE,
            stderr=log,
            env=self._environment,
            cwd=self.folder,
        )
        assert process.stdout is not None
        self._resources.callback(process.wait, WAIT)
        self._resources.callback(process.terminate)
        self._resources.callback(process.stdout.close)
        return process


@contextmanager
def rail(folder: Path) -> Iterator[Rail]:
    """All of it, gone at the end."""
    with ExitStack() as resources:
        yield Rail(folder, resources)
