"""The links of one network: accepts them, gives their requests to the processor, ends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import structlog

from gateway.link_terms import LinkTerms
from gateway.metrics import NetworkMetrics
from gateway.open_links import OpenLinks
from gateway.processor import Processor
from networks.wire.dialect import Dialect
from networks.wire.errors import SessionError
from networks.wire.link_states import LinkState
from networks.wire.session import Session
from networks.wire.session_events import (
    AnswerUnmatched,
    Event,
    LinkBroken,
    LinkOpened,
    MessageRefused,
    RejectReceived,
    RequestReceived,
    RequestsDropped,
    StateChanged,
)
from networks.wire.streams import Link, listen

_log = structlog.get_logger()


class Listener:
    """Accepts the links of one network. Belongs to the running event loop."""

    def __init__(
        self, dialect: Dialect, terms: LinkTerms, processor: Processor, open_links: OpenLinks
    ) -> None:
        self._dialect = dialect
        self._terms = terms
        self._processor = processor
        self._open_links = open_links
        self._metrics = processor.metrics
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()

    @property
    def links_count(self) -> int:
        """How many links there are."""
        return len(self._links)

    async def open(self, host: str, port: int, *, shared: bool = False) -> tuple[str, int]:
        """Listen; gives the address, with the real port where `port` is 0.

        A `shared` port may be listened on by other processes as well.

        Raises
        ------
        OSError
            If the address cannot be listened on.
        """
        self._server = await listen(host, port, self._new_session, self._on_event, shared=shared)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    def stop_accepting(self) -> None:
        """Take no new links, and tell the network on the others that we sign off."""
        if self._server is not None:
            self._server.close()
        for link in self._links:
            if link.session.state is LinkState.SIGNED_ON:
                with contextlib.suppress(SessionError):  # it is only a courtesy
                    link.sign_off()

    async def close(self) -> None:
        """End every link, after what was written to it has gone."""
        links = list(self._links)
        for link in links:
            link.close()
        await asyncio.gather(*(link.wait_closed() for link in links))

    def _new_session(self) -> Session:
        terms = self._terms
        return Session(
            self._dialect,
            station=terms.station,
            peer=terms.peer,
            limits=terms.limits,
            is_crowded=self._processor.is_crowded,
        )

    def _on_event(self, link: Link, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._processor.receive(link, event)
            return
        if isinstance(event, LinkOpened):
            self._opened(link, event)
        elif isinstance(event, StateChanged) and event.after is LinkState.CLOSED:
            self._links.discard(link)
            self._open_links.discard(link)
        count = _COUNT.get(type(event))
        if count is not None:
            count(self._metrics, event)
        tell = _TELL.get(type(event))
        if tell is not None:
            tell(self._dialect.name, event)

    def _opened(self, link: Link, event: LinkOpened) -> None:
        if len(self._links) < self._terms.links_most:
            self._links.add(link)
            self._open_links.add(self._dialect.name, link, event)
            self._metrics.opened_count += 1
            return
        self._metrics.turned_away_count += 1
        _log.warning("link refused, too many", network=self._dialect.name, host=event.host)
        link.close()


def _tell_opened(network: str, event: LinkOpened) -> None:
    _log.info("link opened", network=network, host=event.host, port=event.port)


def _tell_state(network: str, event: StateChanged) -> None:
    _log.info(
        "link state",
        network=network,
        before=event.before.value,
        after=event.after.value,
        cause=event.cause.value,
    )


def _tell_refused(network: str, event: MessageRefused) -> None:
    error = event.error
    _log.warning(
        "message refused",
        network=network,
        error=type(error).__name__,
        explanation=str(error),
        response_code=error.response_code,
        answered=event.was_answered,
    )


def _tell_dropped(network: str, event: RequestsDropped) -> None:
    _log.warning("requests dropped, the link is full", network=network, count=event.count)


def _tell_unmatched(network: str, event: AnswerUnmatched) -> None:
    _log.warning("answer unmatched", network=network, reason=event.reason.value)


def _tell_rejected(network: str, event: RejectReceived) -> None:
    _log.warning("message rejected by the network", network=network, reject_code=event.code)


def _tell_broken(network: str, event: LinkBroken) -> None:
    _log.warning("link broken", network=network, explanation=str(event.error))


_TELL: Mapping[type, Callable[..., None]] = MappingProxyType(
    {
        LinkOpened: _tell_opened,
        StateChanged: _tell_state,
        MessageRefused: _tell_refused,
        RequestsDropped: _tell_dropped,
        AnswerUnmatched: _tell_unmatched,
        RejectReceived: _tell_rejected,
        LinkBroken: _tell_broken,
    }
)


def _count_refused(metrics: NetworkMetrics, event: MessageRefused) -> None:
    metrics.refused[type(event.error).__name__] += 1


def _count_dropped(metrics: NetworkMetrics, event: RequestsDropped) -> None:
    metrics.dropped_count += event.count


def _count_unmatched(metrics: NetworkMetrics, event: AnswerUnmatched) -> None:
    metrics.unmatched[event.reason.value] += 1


def _count_rejected(metrics: NetworkMetrics, _event: RejectReceived) -> None:
    metrics.rejected_count += 1


def _count_broken(metrics: NetworkMetrics, event: LinkBroken) -> None:
    metrics.broken[type(event.error).__name__] += 1


_COUNT: Mapping[type, Callable[..., None]] = MappingProxyType(
    {
        MessageRefused: _count_refused,
        RequestsDropped: _count_dropped,
        AnswerUnmatched: _count_unmatched,
        RejectReceived: _count_rejected,
        LinkBroken: _count_broken,
    }
)
