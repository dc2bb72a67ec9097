"""The bounds of one link."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Probe(StrEnum):
    """What is sent to an idle peer to see whether it lives."""

    ECHO = "echo"  # an 0800 with the dialect's echo code, to be answered
    POLL = "poll"  # a frame of length zero, to be echoed


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """All times in seconds.

    Attributes
    ----------
    outgoing
        Requests of ours without an answer; more raise InFlightLimit.
    incoming
        Requests of the peer that we have not answered; more are answered 91.
    reserved
        Places beyond these for whatever asks for nothing new: reversals, advices.
    refusals
        In a second, how many requests are answered 91; what is new beyond these is dropped
        (`networks.wire.crowding`).
    answer_seconds
        How long a request of the peer keeps its place unanswered where all places are taken.
    response_seconds
        How long an answer may take where the request does not say.
    frame_seconds
        How long the rest of a frame may take.
    idle_seconds
        Silence before the peer is probed; None probes never.
    probe_seconds
        How long the peer may take to answer that.
    remembered
        Answered and timed-out requests that a late answer is explained by.
    """

    outgoing: int = 4096
    incoming: int = 4096
    reserved: int = 1024
    refusals: int = 100
    answer_seconds: float = 60.0
    response_seconds: float = 5.0
    frame_seconds: float = 10.0
    idle_seconds: float | None = 30.0
    probe_seconds: float = 10.0
    probe: Probe = Probe.ECHO
    remembered: int = 4096
