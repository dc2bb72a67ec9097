from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import CurrencyMismatch, Money, alphabetic_code, format_minor_units


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0, "JPY", "0"),
        (1250, "JPY", "1,250"),
        (-1250, "JPY", "-1,250"),
        (0, "USD", "0.00"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (-123456, "USD", "-1,234.56"),
        (1250, "KWD", "1.250"),
        (10**15, "JPY", "1,000,000,000,000,000"),
    ],
)
def test_amounts_show_the_decimals_of_their_currency(amount: int, currency: str, text: str) -> None:
    assert format_minor_units(amount, currency) == text
    assert str(Money(amount, currency)) == f"{currency} {text}"


@given(st.integers(-(10**18), 10**18), st.sampled_from(["JPY", "USD", "KWD"]))
def test_no_digit_is_lost(amount: int, currency: str) -> None:
    text = format_minor_units(amount, currency)
    assert int(text.replace(",", "").replace(".", "")) == amount


def test_money_adds_up_within_one_currency() -> None:
    assert Money(3, "JPY") + Money(4, "JPY") == Money(7, "JPY")
    assert Money(3, "JPY") - Money(4, "JPY") == -Money(1, "JPY")


@pytest.mark.parametrize("operation", ["__add__", "__sub__"])
def test_currencies_do_not_mix(operation: str) -> None:
    with pytest.raises(CurrencyMismatch, match="cannot combine JPY with USD"):
        getattr(Money(1, "JPY"), operation)(Money(1, "USD"))


def test_numeric_currency_codes() -> None:
    assert [alphabetic_code(number) for number in ("392", "840", "978")] == ["JPY", "USD", "EUR"]
    with pytest.raises(ValueError, match=r"expected e\.g\. 392"):
        alphabetic_code("000")
