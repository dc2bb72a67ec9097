"""Network management codes (DE 70) and what they mean for a link (DOMAIN 1.7, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from networks.wire.link_states import LinkEvent
from networks.wire.messages import NetworkManagement

REQUEST = "0800"

EVENTS: Mapping[str, Mapping[str, LinkEvent]] = MappingProxyType(
    {
        "visanet": {
            "071": LinkEvent.SIGN_ON,
            "072": LinkEvent.SIGN_OFF,
            "078": LinkEvent.ADVICES_START,
            "079": LinkEvent.ADVICES_STOP,
            "081": LinkEvent.KEY_EXCHANGE,
            "161": LinkEvent.KEY_EXCHANGE,
            "162": LinkEvent.KEY_EXCHANGE,
            "201": LinkEvent.CUTOVER,
            "202": LinkEvent.CUTOVER,
            "301": LinkEvent.ECHO,
        },
        "quicpay": {
            "001": LinkEvent.SIGN_ON,
            "002": LinkEvent.SIGN_OFF,
            "201": LinkEvent.CUTOVER,
            "301": LinkEvent.ECHO,
            "401": LinkEvent.NEGATIVE_LIST,
        },
    }
)


def management_request(code: str, stan: int, now: float) -> NetworkManagement:
    """The 0800 for `code`; `now` in seconds since the epoch."""
    return NetworkManagement(
        mti=REQUEST,
        transmission=f"{datetime.fromtimestamp(now, UTC):%m%d%H%M%S}",
        stan=f"{stan:06d}",
        management_code=code,
    )
