"""What may be shown: first six and last four of a PAN, nothing of a secret, fail closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.wire.masking import cover, hidden_range, mask, mask_pan
from networks.wire.spec import Exposure

PANS = [
    ("4000001234567899", "400000******7899"),
    ("4000000000000", "400000***0000"),
    ("4000001234567899014", "400000*********9014"),
    ("400000000000", "************"),  # twelve digits are no PAN
    ("4", "*"),
    ("", ""),
    ("400000123456789X", "****************"),
    ("400000 1234567899", "*****************"),
]


@pytest.mark.parametrize(("pan", "shown"), PANS)
def test_pans_show_six_and_four_and_anything_else_nothing(pan: str, shown: str) -> None:
    assert mask_pan(pan) == mask(pan, Exposure.PAN) == shown


@given(st.text())
def test_a_secret_shows_its_width_and_an_open_value_itself(value: str) -> None:
    assert mask(value, Exposure.SECRET) == "*" * len(value)
    assert mask(value, Exposure.OPEN) == value


@given(st.text(), st.sampled_from(Exposure))
def test_masking_is_covering_the_hidden_range(value: str, exposure: Exposure) -> None:
    begin, end = hidden_range(value, exposure)
    assert 0 <= begin <= end <= len(value)
    assert cover(value, begin, end) == mask(value, exposure)


@given(st.text(st.sampled_from("0123456789"), min_size=11, max_size=40))
def test_at_most_ten_digits_of_a_number_are_shown(value: str) -> None:
    assert len(mask_pan(value).replace("*", "")) <= 10
