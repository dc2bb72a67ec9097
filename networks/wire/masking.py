"""What may be shown of a sensitive value. Fails closed: what is not understood is hidden whole."""

from __future__ import annotations

from networks.wire.spec import Exposure

_PAN_SHORTEST = 13
_HEAD, _TAIL = 6, 4


def mask_pan(pan: str) -> str:
    """First six and last four digits; anything that is not a whole PAN is hidden (PCI DSS 3.4.1).

    >>> mask_pan("4000000000000010"), mask_pan("40000"), mask_pan("")
    ('400000******0010', '*****', '')
    """
    if len(pan) < _PAN_SHORTEST or not pan.isdecimal():
        return "*" * len(pan)
    return pan[:_HEAD] + "*" * (len(pan) - _HEAD - _TAIL) + pan[-_TAIL:]


def mask(value: str, exposure: Exposure) -> str:
    """`value` as it may be shown."""
    if exposure is Exposure.OPEN:
        return value
    if exposure is Exposure.PAN:
        return mask_pan(value)
    return "*" * len(value)
