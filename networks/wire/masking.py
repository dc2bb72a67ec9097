"""What may be shown of a sensitive value. Fails closed: what is not understood is hidden whole."""

from __future__ import annotations

from networks.wire.spec import Exposure

HIDDEN = "*"
_PAN_SHORTEST = 13
_HEAD, _TAIL = 6, 4


def mask_pan(pan: str) -> str:
    """First six and last four digits; anything that is not a whole PAN is hidden (PCI DSS 3.4.1).

    >>> mask_pan("4000000000000010"), mask_pan("40000"), mask_pan("")
    ('400000******0010', '*****', '')
    """
    return mask(pan, Exposure.PAN)


def mask(value: str, exposure: Exposure) -> str:
    """`value` as it may be shown."""
    begin, end = hidden_range(value, exposure)
    return cover(value, begin, end)


def hidden_range(value: str, exposure: Exposure) -> tuple[int, int]:
    """Which characters of `value` may not be shown, as begin and end.

    >>> hidden_range("4000000000000010", Exposure.PAN), hidden_range("123", Exposure.SECRET)
    ((6, 12), (0, 3))
    """
    if exposure is Exposure.OPEN:
        return 0, 0
    if exposure is Exposure.PAN and len(value) >= _PAN_SHORTEST and value.isdecimal():
        return _HEAD, len(value) - _TAIL
    return 0, len(value)


def cover(text: str, begin: int, end: int) -> str:
    """`text` with the characters from `begin` to `end` hidden.

    >>> cover("0123456", 2, 4)
    '01**456'
    """
    return text[:begin] + HIDDEN * (end - begin) + text[end:]
