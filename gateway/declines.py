"""What counts as a decline to those who watch."""

from __future__ import annotations

from gateway.metrics import MESSAGE_CLASSES
from gateway.records import DecisionRecord
from gateway.response_codes import APPROVED
from networks.wire.response_codes import RESPONSE_CODES

_ASKING = frozenset({"authorization", "advice", "financial"})


def approves(response_code: str) -> bool:
    """Whether a DE 39 says yes, if only to a part."""
    known = RESPONSE_CODES.get(response_code)
    return known is not None and known.approves


def is_decline(record: DecisionRecord) -> bool:
    """Whether money was asked for and not given, for the first time; also where nobody decided."""
    return (
        record.response_code != APPROVED  # most are, and that is quickly seen
        and not record.replayed
        and MESSAGE_CLASSES.get(record.mti) in _ASKING
        and not approves(record.response_code)
    )
