"""The links of one gateway process, by an id: what they are, and what an operator does to them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.control_messages import LinkAction
from gateway.snapshot import LinkSnapshot
from networks.wire.session_events import LinkOpened
from networks.wire.streams import Link

_ACTIONS: Mapping[LinkAction, Callable[[Link], None]] = MappingProxyType(
    {
        LinkAction.SIGN_OFF: Link.sign_off,
        LinkAction.SIGN_ON: Link.sign_on,
        LinkAction.DROP: Link.close,
    }
)


class UnknownLink(LookupError):
    """There is no such link, or there is no more."""


class _OpenLink(msgspec.Struct, frozen=True):
    link_id: str
    network: str
    opened: LinkOpened
    opened_at: float


class OpenLinks:
    """Every link from its opening to its end.

    An id names worker, process and link: it is never used again, so that nobody drops the link that
    has come after the one he saw.
    """

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._numbers = itertools.count(1)
        self._links: dict[Link, _OpenLink] = {}

    def add(self, network: str, link: Link, opened: LinkOpened) -> None:
        """A link was accepted."""
        link_id = f"{self._worker}-{os.getpid()}-{next(self._numbers)}"
        self._links[link] = _OpenLink(link_id, network, opened, link.now)

    def discard(self, link: Link) -> None:
        """A link has ended."""
        self._links.pop(link, None)

    def snapshot(self) -> tuple[LinkSnapshot, ...]:
        """All of them, the oldest first."""
        return tuple(
            LinkSnapshot(
                link_id=each.link_id,
                network=each.network,
                host=each.opened.host,
                port=each.opened.port,
                state=link.session.state.value,
                opened_at=each.opened_at,
                unanswered_count=link.session.unanswered_count,
            )
            for link, each in self._links.items()
        )

    def command(self, link_id: str, action: LinkAction) -> None:
        """Begin `action`; what comes of it changes the link's state.

        Raises
        ------
        UnknownLink
            If no open link has that id.
        SessionError
            If the link's state forbids it.
        """
        link = next((link for link, each in self._links.items() if each.link_id == link_id), None)
        if link is None:
            raise UnknownLink(f"there is no link {link_id} any more")
        _ACTIONS[action](link)


def worker_of(link_id: str) -> int | None:
    """The worker whose link it is; None if it is no link's id."""
    first, *rest = link_id.split("-")
    is_id = len(rest) == 2 and all(each.isascii() and each.isdecimal() for each in (first, *rest))
    return int(first) if is_id else None
