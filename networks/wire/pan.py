"""Synthetic card numbers: Luhn-valid, in a test range, the same everywhere that makes them."""

from __future__ import annotations

TEST_BIN = "400000"
TEST_EXPIRY = "3012"  # YYMM


def luhn_digit(digits: str) -> str:
    """The check digit that makes `digits` Luhn-valid (ISO/IEC 7812-1 annex B).

    >>> luhn_digit("400000000000001")
    '0'
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def synthetic_pan(number: int, bin_digits: str = TEST_BIN) -> str:
    """The PAN of seeded card `number` (from 1): BIN, nine digits, check digit.

    >>> synthetic_pan(1)
    '4000000000000010'
    """
    body = f"{bin_digits}{number:09d}"
    return body + luhn_digit(body)
