"""Synthetic card numbers, as outside tools make them too."""

from __future__ import annotations

import pytest

from networks.wire.pan import luhn_digit, synthetic_pan

# number of the card | its PAN: 400000, nine digits, check digit
CARDS = [
    (1, "4000000000000010"),
    (2, "4000000000000028"),
    (10, "4000000000000101"),
    (1000, "4000000000010001"),
    (999_999_999, "4000009999999991"),
]


@pytest.mark.parametrize(("number", "pan"), CARDS)
def test_pan_of_a_seeded_card(number: int, pan: str) -> None:
    assert synthetic_pan(number) == pan


def test_every_pan_adds_up_to_a_multiple_of_ten() -> None:
    for number in range(1, 500):
        digits = [int(digit) for digit in reversed(synthetic_pan(number, "400001"))]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


@pytest.mark.parametrize(("digits", "check"), [("7992739871", "3"), ("0", "0"), ("5", "9")])
def test_check_digits(digits: str, check: str) -> None:
    assert luhn_digit(digits) == check
