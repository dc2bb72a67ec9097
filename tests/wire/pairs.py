"""Two sessions of one dialect joined in memory, and messages to send over them."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from networks.wire.canonical import canonical_for
from networks.wire.dialect import Dialect
from networks.wire.messages import AuthorizationRequest, CardRequest, Message
from networks.wire.session import Session
from networks.wire.session_events import Event, RequestReceived
from networks.wire.session_limits import SessionLimits
from tests.wire.vectors import vector

NOW = 1_795_310_445.0  # 2026-11-22 01:20:45 UTC
STATIONS = {"visanet": ("000000", "400552"), "quicpay": ("9001", "K001")}  # network, issuer
PURCHASE = {"visanet": "contactless_purchase", "quicpay": "tap"}
PAN = "4000001234567899"
LIMITS = SessionLimits()


def network_session(dialect: Dialect, limits: SessionLimits = LIMITS) -> Session:
    """The network's end of a link."""
    network, issuer = STATIONS[dialect.name]
    return Session(dialect, station=network, peer=issuer, limits=limits)


def issuer_session(
    dialect: Dialect, limits: SessionLimits = LIMITS, *, require_sign_on: bool = False
) -> Session:
    """The issuer's end of a link."""
    network, issuer = STATIONS[dialect.name]
    return Session(
        dialect, station=issuer, peer=network, limits=limits, require_sign_on=require_sign_on
    )


def purchase(dialect: Dialect, **changes: object) -> CardRequest:
    """The purchase of the golden vectors, changed."""
    message = read(dialect, PURCHASE[dialect.name])
    assert isinstance(message, AuthorizationRequest)
    return msgspec.structs.replace(message, **changes)


def read(dialect: Dialect, name: str) -> Message:
    """The golden vector `name` as a message."""
    return canonical_for(dialect).read(dialect.codec.decode(vector(dialect.name, name).message))


@dataclass
class ConnectionPair:
    """A network's and an issuer's session; what one sends the other receives at once."""

    network: Session
    issuer: Session
    now: float = NOW
    at_network: list[Event] = field(default_factory=list)
    at_issuer: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, dialect: Dialect) -> ConnectionPair:
        """Both ends with default limits."""
        return cls(network_session(dialect), issuer_session(dialect))

    def exchange(self) -> None:
        """Carry bytes to and fro until both are silent."""
        while True:
            to_issuer, to_network = self.network.data_to_send(), self.issuer.data_to_send()
            if not to_issuer and not to_network:
                return
            self.at_issuer += self.issuer.receive_data(to_issuer, self.now)
            self.at_network += self.network.receive_data(to_network, self.now)

    def tick(self, seconds: float) -> None:
        """Let time pass for both."""
        self.now += seconds
        self.at_network += self.network.tick(self.now)
        self.at_issuer += self.issuer.tick(self.now)

    def requests(self) -> list[RequestReceived]:
        """What the issuer was asked so far."""
        return [event for event in self.at_issuer if isinstance(event, RequestReceived)]
