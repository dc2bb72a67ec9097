"""When a link has been silent for too long, or stuck within a frame."""

from __future__ import annotations

from networks.wire.errors import FrameStalled, PeerSilent, WireError
from networks.wire.session_limits import SessionLimits


class LinkTimers:
    """The clocks of one link; a clock that does not run is None."""

    __slots__ = ("_frame_begun_at", "_heard_at", "_limits", "_polled_at")

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._heard_at: float | None = None
        self._frame_begun_at: float | None = None
        self._polled_at: float | None = None

    @property
    def is_polling(self) -> bool:
        """Whether a keep-alive of ours has not come back."""
        return self._polled_at is not None

    def heard(self, now: float) -> None:
        """The peer has sent something, or the link begins."""
        self._heard_at = now

    def polled(self, now: float | None) -> None:
        """A keep-alive was sent at `now`, or (None) came back."""
        self._polled_at = now

    def frame(self, pending: int, now: float, *, is_new: bool) -> None:
        """`pending` bytes of a frame wait for the rest; `is_new` if it is another frame."""
        if not pending:
            self._frame_begun_at = None
        elif is_new or self._frame_begun_at is None:
            self._frame_begun_at = now

    def is_idle(self, now: float) -> bool:
        """Whether the peer should be probed."""
        return (deadline := self._idle_deadline()) is not None and deadline <= now

    def broken(self, pending: int, now: float) -> WireError | None:
        """Why the link is lost, if it is; `pending` as in `frame`."""
        limits = self._limits
        if self._frame_begun_at is not None:
            seconds = now - self._frame_begun_at
            if seconds >= limits.frame_seconds:
                return FrameStalled(pending, seconds)
        if self._polled_at is not None and now - self._polled_at >= limits.probe_seconds:
            return PeerSilent(limits.probe_seconds)
        return None

    def deadline(self, *, is_probing: bool) -> float | None:
        """When the next of these clocks has to be looked at."""
        deadlines = [] if is_probing else [self._idle_deadline()]
        if self._frame_begun_at is not None:
            deadlines.append(self._frame_begun_at + self._limits.frame_seconds)
        if self._polled_at is not None:
            deadlines.append(self._polled_at + self._limits.probe_seconds)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def _idle_deadline(self) -> float | None:
        if self._heard_at is None or self._limits.idle_seconds is None:
            return None
        return self._heard_at + self._limits.idle_seconds
