"""A dialect: everything that tells one network's messages from another's, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from networks.wire.compile import Codec
from networks.wire.framing import Framing
from networks.wire.headers import HeaderForm
from networks.wire.spec import Element


@dataclass(frozen=True, slots=True)
class ManagementCodes:
    """The DE 70 codes of a network: those that a session acts on, and all with their purpose."""

    sign_on: str
    sign_off: str
    echo: str
    cutover: str
    purposes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One network's form of ISO 8583.

    Attributes
    ----------
    name
        As on the command line: ``visanet``, ``quicpay``.
    elements
        By key: ``"t"`` the MTI, ``"p"`` and ``"1"`` the bitmaps, ``"2"`` to ``"192"``.
    codec
        Bytes to element texts and back, compiled from `elements`.
    """

    name: str
    elements: Mapping[str, Element]
    codec: Codec
    framing: Framing
    header: HeaderForm
    management: ManagementCodes

    @property
    def pyiso8583_spec(self) -> Mapping[str, Mapping[str, Any]]:
        """The same elements as pyiso8583 takes them; undefined ones are impossibly wide."""
        return self.codec.reference.spec
