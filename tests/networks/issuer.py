"""A scripted issuer on a real socket: it decides nothing, it does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from networks.network import Network
from networks.wire.messages import CardRequest, CardResponse, Reversal
from networks.wire.respond import respond
from networks.wire.session import Session
from networks.wire.session_events import Event, RequestReceived
from networks.wire.streams import Link, listen

Answers = list[CardResponse]
Script = Callable[["Issuer", CardRequest], Answers]


def approve(request: CardRequest) -> CardResponse:
    """The answer of an issuer that likes everything."""
    if request.mti[:3] in ("010", "020"):
        return respond(request, response_code="00", approval_code=f"A{request.stan[1:]}")
    return respond(request, response_code="00")


def decline(request: CardRequest, code: str) -> CardResponse:
    return respond(request, response_code=code)


def agreeable(issuer: "Issuer", request: CardRequest) -> Answers:
    """Approves at once what was not reversed before, and gives a repeat the stored answer."""
    stored = issuer.stored(request)
    if stored is not None:
        return [stored]
    if request.mti == "0100" and issuer.was_reversed(request):
        return [decline(request, "05")]
    return [approve(request)]


@dataclass
class Issuer:
    """What it was asked, in order, and the script by which it answers."""

    network: Network
    script: Script = agreeable
    received: list[CardRequest] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    answers: dict[tuple[str, str, str], CardResponse] = field(default_factory=dict)
    reversed: set[tuple[str, str]] = field(default_factory=set)
    is_late: bool = False  # an authorization is answered when its reversal comes
    kept_back: dict[tuple[str, str], tuple[Link, RequestReceived, CardResponse]] = field(
        default_factory=dict
    )
    port: int = 0
    server: asyncio.Server | None = None

    def stored(self, request: CardRequest) -> CardResponse | None:
        """The answer that was given to the same request before."""
        return self.answers.get((request.mti[:3], request.stan, request.transmission))

    def was_reversed(self, request: CardRequest) -> bool:
        """Whether a reversal of `request` came before it."""
        return (request.stan, request.transmission) in self.reversed

    def of_type(self, *mtis: str) -> list[CardRequest]:
        return [message for message in self.received if message.mti in mtis]

    def answers_to(self, request: CardRequest) -> Answers:
        """Note `request`, and what the script has for it."""
        self.received.append(request)
        if isinstance(request, Reversal) and request.original is not None:
            self.reversed.add((request.original.stan, request.original.transmission))
        answers = self.script(self, request)
        for answer in answers:
            self.answers.setdefault((request.mti[:3], request.stan, request.transmission), answer)
        return answers

    def session(self) -> Session:
        network = self.network
        return Session(network.dialect, station=network.peer, peer=network.station)

    def answer_late(self, reversal: Reversal) -> None:
        """Send the answer that was kept back until this reversal of its request."""
        original = reversal.original
        if original is not None:
            kept = self.kept_back.pop((original.stan, original.transmission), None)
            if kept is not None:
                link, event, answer = kept
                link.respond(event, answer)

    def on_event(self, link: Link, event: Event) -> None:
        if link not in self.links:
            self.links.append(link)
        if isinstance(event, RequestReceived) and isinstance(event.message, CardRequest):
            request = event.message
            if isinstance(request, Reversal):
                self.answer_late(request)
            for answer in self.answers_to(request):
                if self.is_late and request.mti == "0100":
                    self.kept_back[request.stan, request.transmission] = (link, event, answer)
                else:
                    link.respond(event, answer)


@asynccontextmanager
async def listening(issuer: Issuer, port: int = 0) -> AsyncIterator[Issuer]:
    """`issuer` on a free port of the loopback interface."""
    server = await listen("127.0.0.1", port, issuer.session, issuer.on_event)
    issuer.server = server
    issuer.port = server.sockets[0].getsockname()[1]
    try:
        yield issuer
    finally:
        server.close()
        for link in issuer.links:
            link.close()
        await server.wait_closed()


def differing(answer: CardResponse) -> CardResponse:
    """The same answer with another approval code."""
    return msgspec.structs.replace(answer, approval_code="ZZZZZZ")
