"""Which amount of a message counts: DE 4, 6, 61.3 and 95.1 in the cardholder's currency.

Requests here have passed `checks.refuse_format`: amount and currencies are there.
"""

from __future__ import annotations

from functools import lru_cache

from ledger.money import Money, alphabetic_code
from networks.wire.messages import CardRequest, Reversal

currency_letters = lru_cache(maxsize=256)(alphabetic_code)


def letters_or_blank(number: str) -> str:
    """DE 49 as letters, for a request whose currency need not be one."""
    try:
        return currency_letters(number)
    except ValueError:
        return ""


def billed(request: CardRequest) -> Money:
    """What the cardholder is asked for: the network's conversion where there is one."""
    if request.billing_amount is not None:
        return Money(request.billing_amount, currency_letters(request.billing_currency))
    return Money(request.amount or 0, currency_letters(request.currency))


def replacement(request: Reversal) -> Money | None:
    """What a partly reversed transaction really came to; ``None`` if nothing is left of it.

    Where only the merchant's amount is replaced, it is converted as the original was.
    """
    whole = billed(request)
    if request.replacement_billing_amount:
        return Money(request.replacement_billing_amount, whole.currency)
    if not request.replacement_amount:
        return None
    return Money(_in_proportion(request, request.replacement_amount), whole.currency)


def merchant_amount(request: CardRequest, approved: int) -> int:
    """`approved`, minor units billed, in the merchant's currency (DE 4 of a partial approval)."""
    if not request.billing_amount:
        return approved
    return approved * (request.amount or 0) // request.billing_amount


def _in_proportion(request: CardRequest, amount: int) -> int:
    if not request.billing_amount or not request.amount:
        return amount
    return amount * request.billing_amount // request.amount
