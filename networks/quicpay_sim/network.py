"""The QUICPay+-like network, as the shared engine takes it."""

from __future__ import annotations

from networks.network import Network
from networks.quicpay_sim import later
from networks.quicpay_sim.openings import draw_plan
from networks.wire.dialects import QUICPAY

QUICPAY_NETWORK = Network(
    name=QUICPAY.name,
    dialect=QUICPAY,
    station="9001",
    peer="K001",
    response_seconds=4.0,
    draw_plan=draw_plan,
    time_out=later.time_out,
    cancel=later.cancel,
    clear=later.clear,
)
