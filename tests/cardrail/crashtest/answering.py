"""An issuer of a few lines: it answers a client, and keeps the books that a ledger would keep."""

from __future__ import annotations

from collections import Counter, defaultdict
from random import Random

from cardrail.crashtest.books import Books, RecordKey, Stored
from cardrail.crashtest.client import Client
from cardrail.crashtest.system import POOR, POOR_WALLETS, RICH, WALLETS
from cardrail.truth_sources import network_truth
from cardrail.truths import Truth
from ledger.audit import AuditReport, Disagreement
from networks.beliefs import billed, purpose_of
from networks.network import Network
from networks.traffic import Purpose
from networks.wire.messages import CardRequest, Financial
from networks.wire.pan import synthetic_pan
from networks.wire.respond import respond

VERBS = {"010": "authorize", "012": "advise", "022": "clear", "040": "reverse", "042": "reverse"}
WALLET_BY_PAN = {synthetic_pan(number): number for number in range(1, WALLETS + 1)}
HOLDING = (Purpose.PURCHASE, Purpose.CASH)


class Issuer:
    """Approves whatever it is asked, and stores it under the request's name."""

    def __init__(self, network: Network, seed: int = 1) -> None:
        self.client = Client(network, Random(seed), WALLETS)
        self.stored: defaultdict[RecordKey, list[Stored]] = defaultdict(list)
        self.posted = Counter(dict.fromkeys(range(1, WALLETS + 1), RICH))
        self.posted.update(dict.fromkeys(range(1, POOR_WALLETS + 1), POOR - RICH))
        self.faults: list[Disagreement] = []

    def decide(self, request: CardRequest) -> None:
        """Store the decision on `request`, once; it may never be told."""
        key = (self.client.network.name, request.rrn, VERBS[request.mti[:3]])
        amount, holds = billed(request), False
        if request.mti == "0100":
            holds = purpose_of(request) in HOLDING
        if isinstance(request, Financial) and request.pan in WALLET_BY_PAN:
            sign = 1 if purpose_of(request) is Purpose.CREDIT else -1
            self.posted[WALLET_BY_PAN[request.pan]] += sign * amount
        self.stored[key].append(Stored(True, self.approval_code(request), amount, holds))

    def approval_code(self, request: CardRequest) -> str:
        """DE 38, if `request` asks for one."""
        return f"A{request.stan[1:]}" if request.mti[:3] == "010" else ""

    def answer(self, request: CardRequest, code: str = "00", told: bytes = b"answer") -> None:
        """Tell the client."""
        response = respond(
            request,
            response_code=code,
            approval_code="" if code != "00" else self.approval_code(request),
        )
        self.client.answered(request, response, told + request.stan.encode())

    def serve(self, count: int) -> None:
        """Decide and answer the next `count` requests."""
        for _ in range(count):
            request = self.client.next_request()
            self.decide(request)
            self.answer(request)

    def books(self) -> Books:
        """What is stored; its truth is the client's own, so that only the rest can differ."""
        claims = network_truth(self.client.beliefs()).claims
        audit = AuditReport({}, {}, tuple(self.faults))
        return Books(self.stored, self.posted, Truth("ledger", claims, True), audit)
