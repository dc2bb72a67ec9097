"""What the pages show, gathered once for all of them: a survey of the gateways each second.

A page reads what is here and asks nobody; so a hundred of them cost the gateways what one does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence

import msgspec

from gateway.control_client import GatewayControl, Survey
from gateway.dashboard.figures import Span, added_up, between
from gateway.snapshot import LinkSnapshot

_log = logging.getLogger(__name__)

SECONDS_KEPT = 300
_LOST_KEPT_SECONDS = 300
_LOST_MOST = 20


class LostLink(msgspec.Struct, frozen=True):
    """A link that was there, and when it was seen to be gone (seconds since the epoch)."""

    link: LinkSnapshot
    at: float


class Watch:
    """Surveys the gateways every `seconds`; belongs to the running event loop."""

    def __init__(self, control: GatewayControl, *, seconds: float = 1.0) -> None:
        self._control = control
        self._seconds = seconds
        self._spans: deque[Span] = deque(maxlen=int(SECONDS_KEPT / seconds))
        self._added_up: dict[float, Span] = {}
        self._surveyed = 0.0
        self._lost: deque[LostLink] = deque(maxlen=_LOST_MOST)
        self.survey = Survey((), ())

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began = time.monotonic()
            self.take(await self._control.survey(), time.time(), began)
            await asyncio.sleep(max(0.0, began + self._seconds - time.monotonic()))

    def take(self, survey: Survey, at: float, monotonic: float) -> None:
        """Take in a survey that was made `at` (seconds since the epoch)."""
        before, self.survey = self.survey, survey
        seconds = monotonic - self._surveyed if self._surveyed else self._seconds
        self._surveyed = monotonic
        self._spans.append(between(before, survey, at, seconds))
        self._added_up.clear()
        there = {link.link_id for link in survey.links}
        unreachable = set(survey.unreachable)
        for link in before.links:
            if link.link_id not in there and not _is_of(link, unreachable):
                self._lost.append(LostLink(link, at))

    @property
    def spans(self) -> Sequence[Span]:
        """The last seconds, oldest first."""
        return tuple(self._spans)

    def last(self, seconds: float) -> Span:
        """The last so many seconds as one span; added up once for all who ask."""
        if seconds not in self._added_up:
            self._added_up[seconds] = self._add_up(seconds)
        return self._added_up[seconds]

    def _add_up(self, seconds: float) -> Span:
        chosen: list[Span] = []
        covered = 0.0
        for span in reversed(self._spans):
            if covered >= seconds:
                break
            chosen.append(span)
            covered += span.seconds
        at = self._spans[-1].at if self._spans else 0.0
        return added_up(chosen, at, covered)

    def lost_links(self, now: float) -> list[LostLink]:
        """Those that were lost of late and have not come back, the latest first."""
        return [each for each in reversed(self._lost) if now - each.at <= _LOST_KEPT_SECONDS]


def _is_of(link: LinkSnapshot, workers: set[int]) -> bool:
    """Whether it is of a worker that does not answer: then nothing is known of it."""
    return int(link.link_id.partition("-")[0]) in workers
