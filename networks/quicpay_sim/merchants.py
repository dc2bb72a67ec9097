"""Where phones and cards are tapped: QUICPay+ merchants with half-width katakana names (DE 43)."""

from __future__ import annotations

from itertools import product

import msgspec

from networks.traffic import Place, Prices, Pricing, Trade, shop_name

TRADES = (
    Trade("5499", ("ｺﾝﾋﾞﾆ ｱｵｲ", "ｴｷ ｽﾄｱ"), Prices(560, 0.6, 15_000)),
    Trade("5814", ("ｶﾌｪ", "ｷﾞｭｳﾄﾞﾝ ﾊﾔﾃ", "ﾊﾟﾝ ｺｳﾎﾞｳ"), Prices(720, 0.4, 8_000, Pricing.TEN)),
    Trade("5411", ("ｽｰﾊﾟｰ ﾏﾙﾔﾏ", "ﾔｵﾔ ﾐﾄﾞﾘ"), Prices(2_100, 0.6, 40_000)),
    Trade("5912", ("ｸｽﾘ ﾐﾄﾞﾘ", "ﾄﾞﾗｯｸﾞ ｻｸﾗ"), Prices(1_500, 0.7, 30_000)),
    Trade("5812", ("ｲｻﾞｶﾔ ﾄﾘ", "ﾗｰﾒﾝ ｷﾀ"), Prices(2_400, 0.7, 60_000, Pricing.TEN)),
    Trade("4121", ("ｸﾓ ﾀｸｼｰ",), Prices(1_900, 0.6, 30_000, Pricing.HUNDRED)),
    Trade("5942", ("ｼｮﾃﾝ ﾌﾐ",), Prices(1_650, 0.6, 20_000, Pricing.TEN)),
    Trade("5732", ("ﾃﾞﾝｷ ﾀﾜｰ",), Prices(9_800, 1.0, 250_000, Pricing.CHARM)),
)
PLACES = (
    Place("ｼﾌﾞﾔ", "ﾄｳｷｮｳ"),
    Place("ｼﾝｼﾞｭｸ", "ﾄｳｷｮｳ"),
    Place("ﾏﾙﾉｳﾁ", "ﾄｳｷｮｳ"),
    Place("ｳﾒﾀﾞ", "ｵｵｻｶ"),
    Place("ｻｶｴ", "ﾅｺﾞﾔ"),
    Place("ﾃﾝｼﾞﾝ", "ﾌｸｵｶ"),
    Place("ｵｵﾄﾞｵﾘ", "ｻｯﾎﾟﾛ"),
    Place("ﾖｺﾊﾏ", "ﾖｺﾊﾏ"),
)
_INSTALLERS = ("13100", "27200", "40100")
_TERMINALS_EACH = 4


class Terminal(msgspec.Struct, frozen=True):
    """One tap terminal of a shop.

    Attributes
    ----------
    identity
        端末識別番号, 13 digits: five of the installing company, eight of the terminal.
    kind
        DE 60: ``RC`` keeps sales and sends them later, ``TH`` does everything online.
    """

    category: str
    name: str
    terminal: str
    identity: str
    merchant: str
    kind: str
    prices: Prices


def _terminals() -> tuple[Terminal, ...]:
    pairs = (
        (trade, shop_name(name, place))
        for trade in TRADES
        for name, place in product(trade.names, PLACES)
    )
    return tuple(
        Terminal(
            category=trade.category,
            name=name,
            terminal=f"{_INSTALLERS[shop % 3][:3]}{shop:04d}{lane}",
            identity=f"{_INSTALLERS[shop % 3]}{shop * 10 + lane:08d}",
            merchant=f"QP{shop:013d}",
            kind="RC" if shop % 4 == 0 else "TH",
            prices=trade.prices,
        )
        for shop, (trade, name) in enumerate(pairs, start=1)
        for lane in range(_TERMINALS_EACH)
    )


TERMINALS = _terminals()
