"""Where cards are used on the VisaNet-like network: trades with invented shops, places, prices.

Prices follow what such trades charge in Japan: the median of a basket, and how its price ends.
"""

from __future__ import annotations

from itertools import product

from networks.traffic import Merchant, Place, Prices, Pricing, Trade, shop_name

_CHARM, _TEN, _HUNDRED, _THOUSAND = (
    Pricing.CHARM,
    Pricing.TEN,
    Pricing.HUNDRED,
    Pricing.THOUSAND,
)

COUNTER = (
    Trade("5499", ("KONBINI", "EKI KONBINI", "MINI MART"), Prices(620, 0.6, 12_000)),
    Trade("5411", ("SUPER MARUYAMA", "FOOD HALL", "YASAI ICHIBA"), Prices(2_300, 0.6, 40_000)),
    Trade("5814", ("CAFE AOI", "GYUDON HAYATE", "BURGER YOKO"), Prices(780, 0.4, 8_000, _TEN)),
    Trade("5812", ("IZAKAYA TORI", "SUSHI HAMA", "RAMEN KITA"), Prices(3_200, 0.7, 80_000, _TEN)),
    Trade("5912", ("KUSURI MIDORI", "DRUG SAKURA"), Prices(1_600, 0.7, 30_000)),
    Trade("5311", ("DEPATO HIKARI", "HYAKKATEN"), Prices(6_800, 0.9, 300_000, _HUNDRED)),
    Trade("5651", ("FUKU STUDIO", "KIMONO MODERN"), Prices(5_900, 0.7, 120_000, _CHARM)),
    Trade("5732", ("DENKI TOWER", "CAMERA PLAZA"), Prices(12_800, 1.1, 400_000, _CHARM)),
    Trade("4111", ("TETSUDO TICKET", "METRO PASS"), Prices(1_320, 0.9, 60_000, _TEN)),
    Trade("4121", ("TAXI KUMO",), Prices(2_100, 0.6, 30_000, _HUNDRED)),
)
ONLINE = (
    Trade("5942", ("BOOKS ONLINE", "MANGA DIRECT"), Prices(2_480, 0.7, 50_000, _CHARM)),
    Trade("5691", ("WEAR DIRECT", "KUTSU NET"), Prices(6_980, 0.7, 90_000, _CHARM)),
    Trade("5734", ("PC PARTS ONLINE",), Prices(14_800, 1.0, 400_000, _CHARM)),
    Trade("7922", ("TICKET NET", "LIVE HALL"), Prices(8_800, 0.5, 60_000, _HUNDRED)),
    Trade("5816", ("GAME COINS",), Prices(1_200, 0.9, 30_000, _TEN)),
)
SUBSCRIPTIONS = (
    Trade("4899", ("VIDEO MONTHLY", "MUSIC STREAM"), Prices(1_180, 0.4, 4_000, _TEN)),
    Trade("4814", ("MOBILE BILL",), Prices(4_800, 0.5, 30_000)),
    Trade("5968", ("COFFEE CLUB", "YOGURT CLUB"), Prices(2_980, 0.4, 12_000, _CHARM)),
)
CASH_MACHINES = (Trade("6011", ("ATM",), Prices(15_000, 0.7, 100_000, _THOUSAND)),)
PUMPS = (Trade("5542", ("SELF FUEL 24H", "SELF SS"), Prices(4_600, 0.5, 14_000)),)
HOTELS = (Trade("7011", ("HOTEL UMINO", "RYOKAN YAMA"), Prices(12_400, 0.5, 90_000, _HUNDRED)),)

TOWNS = (
    Place("SHIBUYA 1", "TOKYO"),
    Place("SHINJUKU", "TOKYO"),
    Place("UENO", "TOKYO"),
    Place("UMEDA", "OSAKA"),
    Place("NAMBA", "OSAKA"),
    Place("SAKAE", "NAGOYA"),
    Place("TENJIN", "FUKUOKA"),
    Place("ODORI", "SAPPORO"),
    Place("KOKUBUNCHO", "SENDAI"),
    Place("MINATOMIRAI", "YOKOHAMA"),
)
NOWHERE = (Place("", "TOKYO"), Place("", "OSAKA"))


def shops(trades: tuple[Trade, ...], places: tuple[Place, ...], first: int) -> tuple[Merchant, ...]:
    """Every trade's shops in every place, numbered from `first`."""
    pairs = (
        (trade, name, place) for trade in trades for name, place in product(trade.names, places)
    )
    return tuple(
        Merchant(
            category=trade.category,
            name=shop_name(name, place),
            terminal=f"T{number:07d}",
            identity=f"MERCHANT{number:07d}",
            country_number=place.country_number,
            prices=trade.prices,
        )
        for number, (trade, name, place) in enumerate(pairs, start=first)
    )


class Abroad:
    """Shops that charge another currency, with its rate."""

    __slots__ = ("currency", "merchants", "rate_millionths")

    def __init__(
        self, currency: str, rate_millionths: int, merchants: tuple[Merchant, ...]
    ) -> None:
        self.currency = currency  # ISO 4217 number
        self.rate_millionths = rate_millionths  # yen for a minor unit, in millionths
        self.merchants = merchants

    def billed(self, amount: int) -> int:
        """Yen for `amount` minor units of the currency, half up."""
        return (amount * self.rate_millionths + 500_000) // 1_000_000


def _abroad(
    currency: str, rate_millionths: int, prices: Prices, place: Place, first: int
) -> Abroad:
    names = (("5812", "DINER 42"), ("5812", "BISTRO LINDEN"), ("5999", "CITY GIFTS"))
    trades = tuple(Trade(category, (name,), prices) for category, name in names)
    return Abroad(currency, rate_millionths, shops(trades, (place,), first))


FOREIGN = (
    _abroad("840", 1_502_300, Prices(3_200, 0.8, 60_000), Place("", "NEW YORK", "US", "840"), 9001),
    _abroad("978", 1_631_000, Prices(2_800, 0.8, 60_000), Place("", "PARIS", "FR", "250"), 9101),
    _abroad("410", 108_500, Prices(21_000, 0.8, 700_000), Place("", "SEOUL", "KR", "410"), 9201),
    _abroad(
        "702", 1_152_400, Prices(2_400, 0.8, 60_000), Place("", "SINGAPORE", "SG", "702"), 9301
    ),
)
