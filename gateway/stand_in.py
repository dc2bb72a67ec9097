"""Why somebody else has decided in the issuer's place, as an advice tells it (DOMAIN 1.9)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from networks.wire.messages import Advice

_STAND_IN = "2"  # DE 44.1
OTHER = "other"

# DE 63.4, the reasons that lie with the issuer or its line.
_BY_REASON: Mapping[str, str] = MappingProxyType(
    {
        "9001": "signed-off",
        "9002": "signed-off-by-network",
        "9011": "line-down",
        "9012": "forced",
        "9020": "issuer-timeout",
    }
)
# QPX-1 DE 48.03.
_BY_PATH: Mapping[str, str] = MappingProxyType({"1": "offline", "2": "centre"})

REASONS = frozenset({*_BY_REASON.values(), *_BY_PATH.values(), OTHER})


def stand_in_reason(advice: Advice) -> str | None:
    """One of `REASONS`; None if `advice` tells an actual amount and no decision made elsewhere."""
    if advice.stand_in_reason:
        return _BY_REASON.get(advice.stand_in_reason, OTHER)
    if advice.response_source == _STAND_IN:
        return OTHER
    return _BY_PATH.get(advice.authorization_path)
