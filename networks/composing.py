"""From an errand to its message, as a table of deeds; what opens comes with its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from networks.agenda import Deed
from networks.followups import repeat_of
from networks.life import Life
from networks.network import Network
from networks.numbering import Names
from networks.wire.messages import CardRequest

Composer = Callable[[Network, Life, Names], CardRequest | None]


def compose(network: Network, life: Life, names: Names) -> CardRequest | None:
    """The message of the present errand, or ``None`` when there is nothing to send for it."""
    return _COMPOSERS[life.errand.deed](network, life, names)


def _repeat(_network: Network, life: Life, _names: Names) -> CardRequest:
    return repeat_of(life.plan.request)


def _take_back(network: Network, life: Life, names: Names) -> CardRequest:
    return network.time_out(life.plan.request, names)


def _stand_in(network: Network, life: Life, names: Names) -> CardRequest:
    assert network.stand_in is not None
    return network.stand_in(life.plan.request, names)


def _increment(network: Network, life: Life, names: Names) -> CardRequest:
    assert network.increment is not None
    return network.increment(life.plan.request, names, life.errand.amount)


def _complete(network: Network, life: Life, names: Names) -> CardRequest:
    assert network.complete is not None
    return network.complete(life.plan.request, names, life.errand.amount, life.approval_code)


def _cancel(network: Network, life: Life, names: Names) -> CardRequest:
    return network.cancel(life.plan.request, names, life.approval_code)


def _reverse_partly(network: Network, life: Life, names: Names) -> CardRequest:
    kept = max(life.belief.held * life.errand.permille // 1000, 1)
    return network.cancel(life.plan.request, names, life.approval_code, kept)


def _clear(network: Network, life: Life, names: Names) -> CardRequest | None:
    amount = clearing_amount(life)
    if amount <= 0:
        return None
    part = (life.errand.sequence, life.errand.count)
    return network.clear(life.plan.request, names, amount, life.approval_code, part)


def clearing_amount(life: Life) -> int:
    """What the present clearing errand moves, minor units of the billing currency."""
    belief, errand = life.belief, life.errand
    if errand.sequence <= 1:
        life.to_clear = belief.held or belief.approved
    if not errand.count:
        return life.to_clear * errand.permille // 1000
    share = life.to_clear // errand.count
    if errand.sequence < errand.count:
        return share
    return life.to_clear - share * (errand.count - 1)


_COMPOSERS: Mapping[Deed, Composer] = MappingProxyType(
    {
        Deed.OVERTAKE: _take_back,
        Deed.REPEAT: _repeat,
        Deed.TIME_OUT: _take_back,
        Deed.STAND_IN: _stand_in,
        Deed.CANCEL: _cancel,
        Deed.REVERSE_PARTLY: _reverse_partly,
        Deed.INCREMENT: _increment,
        Deed.COMPLETE: _complete,
        Deed.CLEAR: _clear,
    }
)
