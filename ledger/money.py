"""Money: integer minor units and an ISO 4217 code. No float comes near it."""

from __future__ import annotations

import iso4217
import msgspec

_BY_NUMBER = {f"{currency.number:03d}": currency.code for currency in iso4217.Currency}
_EXPONENT = {currency.code: currency.exponent or 0 for currency in iso4217.Currency}


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(left, right)
        self.left = left
        self.right = right

    def __str__(self) -> str:
        return f"cannot combine {self.left} with {self.right}"


def alphabetic_code(number: str) -> str:
    """The ISO 4217 letters for a numeric code: ``"392"`` -> ``"JPY"``.

    Raises
    ------
    ValueError
        If no currency has that number.
    """
    try:
        return _BY_NUMBER[number]
    except KeyError:
        raise ValueError("unknown ISO 4217 currency number, expected e.g. 392") from None


class Money(msgspec.Struct, frozen=True, gc=False):
    """`amount` in minor units of `currency` (ISO 4217 letters); may be negative.

    >>> str(Money(1250, "JPY") + Money(50, "JPY")), str(Money(-105, "USD"))
    ('JPY 1,300', 'USD -1.05')
    """

    amount: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._require_same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._require_same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {format_minor_units(self.amount, self.currency)}"

    def _require_same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)


def format_minor_units(amount: int, currency: str) -> str:
    """`amount` with the currency's decimals and thousands separators.

    >>> format_minor_units(1250, "JPY"), format_minor_units(1250, "KWD")
    ('1,250', '1.250')
    """
    exponent = _EXPONENT[currency]
    if not exponent:
        return f"{amount:,}"
    whole, part = divmod(abs(amount), 10**exponent)
    return f"{'-' if amount < 0 else ''}{whole:,}.{part:0{exponent}d}"
