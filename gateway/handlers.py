"""Which handler serves which message: a table over the class of the MTI (its two middle digits).

A handler turns a request into a command, and the command's decision into an answer; some have a
second command to follow the first. Network management is the session's and never comes here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from gateway.advices import advise
from gateway.answers import answer_advice, answer_authorization, answer_reversal
from gateway.authorize import authorize
from gateway.case import Case
from gateway.checks import Refusal
from gateway.clearing import clear, clear_at_once
from gateway.reversals import give_back, names_single_message, reverse
from ledger.commands import AnyCommand, Authorize, Decision, Reverse
from networks.wire.messages import CardRequest, CardResponse, Reversal


class Handler(msgspec.Struct, frozen=True, gc=False):
    """How one class of message is served.

    Attributes
    ----------
    prepare
        Request and case to command; a refusal is answered without the ledger.
    answer
        Request, command and its decision to the answer.
    follow
        Request, command, decision and case to a second command, if there has to be one; it is
        decided before the answer goes, which still is the first one's.
    """

    prepare: Callable[..., AnyCommand | Refusal]
    answer: Callable[[CardRequest, AnyCommand, Decision], CardResponse]
    follow: Callable[[CardRequest, AnyCommand, Decision, Case], AnyCommand | None] | None = None


def _decided(request: CardRequest, command: AnyCommand, decision: Decision) -> CardResponse:
    assert isinstance(command, Authorize)
    return answer_authorization(request, command, decision)


def _applied(request: CardRequest, _command: AnyCommand, decision: Decision) -> CardResponse:
    return answer_advice(request, decision)


def _released(request: CardRequest, _command: AnyCommand, decision: Decision) -> CardResponse:
    return answer_reversal(request, decision)


def _post(
    _request: CardRequest, command: AnyCommand, decision: Decision, case: Case
) -> AnyCommand | None:
    assert isinstance(command, Authorize)
    return clear_at_once(command, decision, case)


def _give_back(
    request: CardRequest, command: AnyCommand, decision: Decision, _case: Case
) -> AnyCommand | None:
    assert isinstance(request, Reversal)
    assert isinstance(command, Reverse)
    return give_back(command, decision) if names_single_message(request) else None


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "10": Handler(authorize, _decided),
        "12": Handler(advise, _applied),
        "20": Handler(authorize, _decided, _post),
        "22": Handler(clear, _applied),
        "40": Handler(reverse, _released, _give_back),
        "42": Handler(reverse, _released, _give_back),
    }
)
