"""The VisaNet-like network, as the shared engine takes it."""

from __future__ import annotations

from networks.network import Network
from networks.visanet_sim import later
from networks.visanet_sim.openings import draw_plan
from networks.wire.dialects import VISANET

VISANET_NETWORK = Network(
    name=VISANET.name,
    dialect=VISANET,
    station="000000",
    peer="400552",
    response_seconds=5.0,
    draw_plan=draw_plan,
    time_out=later.time_out,
    cancel=later.cancel,
    clear=later.clear,
    stand_in=later.stand_in,
    increment=later.increment,
    complete=later.complete,
)
