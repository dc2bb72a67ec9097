"""Second-level layouts of QPX-1 (DOMAIN 3.3), as tables. QPX-1 is synthetic throughout."""

from __future__ import annotations

from types import MappingProxyType

from networks.wire.spec import Element, Encoding, Exposure, Length, Positional, Tagged


def _n(name: str, width: int) -> Element:
    return Element(name, Encoding.ASCII, Length.FIXED, width, numeric=True)


# The QUICPay ID is opaque; it is shown like a PAN because it names a cardholder as well as one.
DE_48 = Tagged(
    tag_digits=2,
    length_digits=3,
    tags=MappingProxyType(
        {
            "01": Element("QUICPay ID", Encoding.KANA, Length.ASCII_3, 20, exposure=Exposure.PAN),
            "02": _n("QUICPay mode", 1),
            "03": _n("Authorization path", 1),
            "04": _n("Payment plan (支払区分)", 2),
            "05": _n("Slip number (伝票番号)", 5),
            "06": _n("Terminal identity (端末識別番号)", 13),
            "07": _n("Device", 1),
            "08": _n("Cardholder verification", 1),
            "09": _n("Allowance remaining", 7),
            "10": _n("Product code (商品コード)", 7),
            "11": _n("Tax and other (税・その他)", 7),
            "12": _n("Original slip number (元伝票番号)", 5),
            "13": Element("Settlement cycle date", Encoding.ASCII, Length.ASCII_3, 8, numeric=True),
        }
    ),
)

DE_90 = Positional(
    MappingProxyType(
        {
            "mti": _n("Original message type", 4),
            "stan": _n("Original STAN", 6),
            "transmission": _n("Original transmission date and time", 10),
            "acquirer": _n("Original acquirer", 11),
            "forwarder": _n("Original forwarder", 11),
        }
    )
)
