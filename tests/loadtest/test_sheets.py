"""A hundred messages in one piece are the hundred messages, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtest.sheets import render_sheet, sheet_of
from loadtest.targets import TARGETS
from loadtest.traffic import KINDS
from tests.loadtest.test_templates import press_of

BOTH = pytest.mark.parametrize("network", TARGETS)


@BOTH
@settings(max_examples=10)
@given(
    kinds=st.lists(st.integers(0, 13), min_size=100, max_size=100),
    first_card=st.integers(1, 999_999_000),
    amount=st.integers(1, 999_999_999_899),
    second=st.integers(1_600_000_000, 2_500_000_000),
    hundred=st.integers(0, 2**40),
)
def test_it_is_what_is_rendered_one_by_one(
    network: str, kinds: list[int], first_card: int, amount: int, second: int, hundred: int
) -> None:
    press = press_of(TARGETS[network])
    press.turn_to(second)
    draws = [
        (kind % len(KINDS[network]), press.encode_amount(amount + number))
        for number, kind in enumerate(kinds)
    ]
    cards = [first_card + 7 * number for number in range(100)]
    frames, names = render_sheet(press, sheet_of(press, draws), cards, hundred * 100)
    each = [
        press.render(kind, card, encoded, hundred * 100 + number)
        for number, ((kind, encoded), card) in enumerate(zip(draws, cards, strict=True))
    ]
    assert frames == b"".join(frame for frame, _, _ in each)
    assert [f"{names.stan}{number:02d}" for number in range(100)] == [stan for _, stan, _ in each]
    assert [names.values(number) for number in range(100)] == [values for _, _, values in each]
