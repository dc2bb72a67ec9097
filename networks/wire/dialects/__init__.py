"""The dialects that this program speaks, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from networks.wire.dialect import Dialect
from networks.wire.dialects.quicpay import QUICPAY
from networks.wire.dialects.visanet import VISANET

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (VISANET, QUICPAY)}
)

__all__ = ["DIALECTS", "QUICPAY", "VISANET"]
