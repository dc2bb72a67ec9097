# ruff: noqa: ANN401 - fields of a message are given by name
"""Exchanges as a gateway's feed hands them out, with every secret that a message can have."""

from __future__ import annotations

from typing import Any

from gateway.control_messages import Exchanged
from gateway.records import DecisionRecord
from networks.wire.canonical import canonical_for
from networks.wire.compose import compose_frame
from networks.wire.dialects import DIALECTS
from networks.wire.masking import mask_pan
from networks.wire.messages import Message
from networks.wire.pan import synthetic_pan
from networks.wire.respond import respond
from tests.gateway.samples import AT, purchase

PAN = synthetic_pan(7)
TRACK2 = f"{PAN}D30121011000012345678"
PIN_BLOCK, CARD_VERIFICATION = "FEDCBA9876543210", "11 987"
SECRETS = {"track2": TRACK2, "pin_block": PIN_BLOCK, "card_verification": CARD_VERIFICATION}


def frame(network: str, message: Message) -> bytes:
    """`message` on the wire."""
    dialect = DIALECTS[network]
    data = dialect.codec.encode(dict(canonical_for(dialect).write(message)))
    return compose_frame(dialect, {}, data)


def exchanged(network: str = "visanet", code: str = "00", **changes: Any) -> Exchanged:
    """A purchase and its answer, unmasked."""
    secrets = SECRETS if network == "visanet" else {}
    request = purchase(network, **secrets, **changes)
    record = DecisionRecord(
        at=AT,
        network=network,
        mti=request.mti,
        transmission=request.transmission,
        stan=request.stan,
        rrn=request.rrn,
        pan=mask_pan(request.pan),
        amount=request.amount,
        currency="JPY",
        response_code=code,
        outcome="APPROVED" if code == "00" else "INSUFFICIENT_FUNDS",
        explanation="held",
        account_id=1,
        authorization_id=17,
        elapsed_ms=1.5,
    )
    answer = frame(network, respond(request, response_code=code))
    return Exchanged(record, frame(network, request), answer)
