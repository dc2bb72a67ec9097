"""On what terms links are taken; settings are read without what takes them."""

from __future__ import annotations

from dataclasses import dataclass

from networks.wire.session_limits import SessionLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTerms:
    """How links of a network are kept: stations of both ends, bounds, how many at once."""

    station: str
    peer: str
    limits: SessionLimits
    links_most: int
