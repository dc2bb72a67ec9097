"""The two networks as a load test plays them: dialect, stations, timer, usual address."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from networks.wire.dialect import Dialect
from networks.wire.dialects import QUICPAY, VISANET


class Address(msgspec.Struct, frozen=True):
    """Where a gateway accepts links."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Target(msgspec.Struct, frozen=True):
    """One network's side of a link.

    Attributes
    ----------
    station, peer
        Its own station in the dialect's header, and the issuer's.
    response_seconds
        The network's timer for an answer.
    """

    dialect: Dialect
    station: str
    peer: str
    response_seconds: float

    @property
    def name(self) -> str:
        """As on the command line."""
        return self.dialect.name


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        VISANET.name: Target(VISANET, "000000", "400552", 5.0),
        QUICPAY.name: Target(QUICPAY, "9001", "K001", 4.0),
    }
)


def parse_address(text: str) -> Address:
    """HOST:PORT; an address in brackets is IPv6.

    Raises
    ------
    ValueError
        With what was expected.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("expected HOST:PORT, e.g. 127.0.0.1:8583")
    return Address(host.strip("[]"), int(port))
