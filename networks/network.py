"""What the shared engine has to know of one network: its name, its timer and its messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from networks.numbering import Names
from networks.traffic import Pace, Plan
from networks.wire.dialect import Dialect
from networks.wire.messages import CardRequest


class Canceller(Protocol):
    """Builds a reversal on the merchant's behalf; partial where `replacement` is given."""

    def __call__(
        self,
        request: CardRequest,
        names: Names,
        approval_code: str,
        replacement: int | None = None,
        /,
    ) -> CardRequest:
        """The reversal of `request`."""
        ...


class Clearer(Protocol):
    """Builds a clearing message."""

    def __call__(
        self,
        request: CardRequest,
        names: Names,
        amount: int,
        approval_code: str,
        part: tuple[int, int],
        /,
    ) -> CardRequest:
        """Clear `amount` of `request`; `part` is sequence and count, (0, 0) for the whole."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A simulated network.

    Attributes
    ----------
    station, peer
        Its own station id and the issuer's, in the dialect's header.
    response_seconds
        The network's timer for an answer.
    draw_plan
        (random, names, number of cards, pace) -> the next authorization.
    time_out, stand_in, increment, complete, cancel, clear
        Builders of later messages; a network without one never plans it.
    """

    name: str
    dialect: Dialect
    station: str
    peer: str
    response_seconds: float
    draw_plan: Callable[[Random, Names, int, Pace], Plan]
    time_out: Callable[[CardRequest, Names], CardRequest]
    cancel: Canceller
    clear: Clearer
    stand_in: Callable[[CardRequest, Names], CardRequest] | None = None
    increment: Callable[[CardRequest, Names, int], CardRequest] | None = None
    complete: Callable[[CardRequest, Names, int, str], CardRequest] | None = None
