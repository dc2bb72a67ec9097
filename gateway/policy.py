"""What the issuer has decided beforehand: fees, holds, caps, timers. One frozen value, no clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The issuer's rules in numbers; amounts in minor units of the cards' currency.

    Attributes
    ----------
    home_country
        ISO 3166 numeric; an acquirer elsewhere counts as abroad (DE 19).
    business_day_offset_minutes
        Local time of spending counters and expiry dates, east of UTC.
    fuel_check_below, fuel_hold
        A fuel merchant asking for less than the first only checks the card; the second is held
        until the actual amount comes (DOMAIN 1.9 item 9).
    allowance
        What a QUICPay post-pay card reserves where the request names no amount (DOMAIN 3.1).
    plain_quicpay_cap
        The largest payment in mode 1 (DOMAIN 3.3).
    cash_fee
        Charged when a cash withdrawal is cleared.
    points_per_mille
        Granted for a cleared purchase, per 1,000 minor units.
    deadline_seconds
        How long a request may wait for its decision; then it is answered 91 (DOMAIN 1.10).
    """

    home_country: str = "392"
    business_day_offset_minutes: int = 540
    fuel_check_below: int = 10
    fuel_hold: int = 10_000
    allowance: int = 30_000
    plain_quicpay_cap: int = 20_000
    cash_fee: int = 0
    points_per_mille: int = 10
    deadline_seconds: float = 1.5
