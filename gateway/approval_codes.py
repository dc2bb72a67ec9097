"""Approval codes (DE 38): six characters, no two alike for as long as a hold may live.

A code is a running number, scattered over 2**30 places by an odd multiplier (a bijection, so
nothing repeats before all codes are used up) and written in 32 characters that are hard to
confuse. The number starts from the clock: a restarted gateway does not begin where it once was.
"""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U
_TRIPLES = [a + b + c for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET]
_MASK = 2**30 - 1
_MULTIPLIER = 0x2545F491  # odd


class ApprovalCodes:
    """A run of codes; `start` is milliseconds since the epoch."""

    __slots__ = ("_number",)

    def __init__(self, start: int) -> None:
        self._number = start

    def next(self) -> str:
        """A code not given out before by this object.

        >>> ApprovalCodes(1).next()
        'B54Y4H'
        """
        self._number += 1
        scattered = self._number * _MULTIPLIER & _MASK
        return _TRIPLES[scattered >> 15] + _TRIPLES[scattered & 0x7FFF]
