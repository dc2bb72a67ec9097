"""Where and how events are published; settings are read without the library that does it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import msgspec

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_NO_ADDRESS = "expected mqtt://HOST:PORT or mqtts://HOST:PORT"


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where a broker is, and who we are to it."""

    host: str
    port: int
    encrypted: bool = False
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"BrokerAddress({self.host}:{self.port})"  # nobody is shown the password

    @classmethod
    def of(cls, url: str) -> BrokerAddress:
        """``mqtt://[USER[:PASSWORD]@]HOST[:PORT]``, or ``mqtts`` for TLS.

        Raises
        ------
        ValueError
            If it is none; quotes nothing of it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ValueError(_NO_ADDRESS) from None
        more = parts.path.strip("/") + parts.query + parts.fragment
        if parts.scheme not in _PORTS or not parts.hostname or more:
            raise ValueError(_NO_ADDRESS)
        return cls(
            host=parts.hostname,
            port=_PORTS[parts.scheme] if port is None else port,
            encrypted=parts.scheme == "mqtts",
            username=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else unquote(parts.password),
        )


class PublishingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How it is published. Durations in seconds."""

    topic: str = "cardrail"  # begins every topic
    in_flight: int = 128  # publishes that wait for their PUBACK at once
    poll_seconds: float = 0.05
    puback_seconds: float = 2.0
    reconnect_seconds: float = 0.1  # half as much again after each failure,
    reconnect_seconds_most: float = 5.0  # up to this
    take_over_seconds: float = 5.0
