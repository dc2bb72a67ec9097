"""The life of a link, as a table.

Rules of this file:

1. Every change of a link's state stands in `TRANSITIONS`; nothing else assigns a state.
2. The table does not know which side we are, nor who began: an event is the same whether the
   peer asked and we agreed, or we asked and the peer agreed. A refused or unanswered request is
   no event.
3. An absent key is an illegal transition. What we would do raises `IllegalTransition`; what the
   peer does is answered with DE 39 = `REFUSAL` and changes nothing.

A network that never signs on may still send requests: that is the caller's choice
(`Session(require_sign_on=...)`), so CONNECTED is a working state. After an explicit sign-off only
network management is served. Key exchange is absent everywhere: acknowledging keys that nothing
here would use is a promise nobody keeps, so those codes are refused (DOMAIN 1.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from networks.wire.errors import IllegalTransition

REFUSAL = "12"  # invalid transaction


class LinkState(StrEnum):
    """Where a link is in its life."""

    CONNECTED = "connected"
    SIGNED_ON = "signed-on"
    SIGNED_OFF = "signed-off"
    CLOSED = "closed"


class LinkEvent(StrEnum):
    """What both sides have agreed on, or what happened to the connection."""

    SIGN_ON = "sign-on"
    SIGN_OFF = "sign-off"
    ECHO = "echo"
    CUTOVER = "cutover"
    ADVICES_START = "advices-start"  # 078: stored advices may be sent now
    ADVICES_STOP = "advices-stop"  # 079
    NEGATIVE_LIST = "negative-list"  # 401 of QPX-1
    KEY_EXCHANGE = "key-exchange"
    CLOSE = "close"


_CONNECTED, _ON, _OFF, _CLOSED = LinkState

TRANSITIONS: Mapping[LinkState, Mapping[LinkEvent, LinkState]] = MappingProxyType(
    {
        LinkState.CONNECTED: {
            LinkEvent.SIGN_ON: _ON,
            LinkEvent.SIGN_OFF: _OFF,
            LinkEvent.ECHO: _CONNECTED,
            LinkEvent.CUTOVER: _CONNECTED,
            LinkEvent.NEGATIVE_LIST: _CONNECTED,
            LinkEvent.CLOSE: _CLOSED,
        },
        LinkState.SIGNED_ON: {
            LinkEvent.SIGN_ON: _ON,
            LinkEvent.SIGN_OFF: _OFF,
            LinkEvent.ECHO: _ON,
            LinkEvent.CUTOVER: _ON,
            LinkEvent.ADVICES_START: _ON,
            LinkEvent.ADVICES_STOP: _ON,
            LinkEvent.NEGATIVE_LIST: _ON,
            LinkEvent.CLOSE: _CLOSED,
        },
        LinkState.SIGNED_OFF: {
            LinkEvent.SIGN_ON: _ON,
            LinkEvent.SIGN_OFF: _OFF,
            LinkEvent.ECHO: _OFF,
            LinkEvent.CUTOVER: _OFF,
            LinkEvent.NEGATIVE_LIST: _OFF,
            LinkEvent.CLOSE: _CLOSED,
        },
        LinkState.CLOSED: {},
    }
)


def after(state: LinkState, event: LinkEvent) -> LinkState:
    """The state that follows.

    Raises
    ------
    IllegalTransition
        If `event` may not happen in `state`.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(state.value, event.value) from None
