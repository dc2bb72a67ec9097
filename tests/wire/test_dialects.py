"""What the tables of both dialects promise."""

from __future__ import annotations

import pytest

from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, QUICPAY, VISANET
from networks.wire.spec import Encoding, Exposure, Length

BOTH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
# PCI DSS 3.3 and DOMAIN: security.
NEVER_SHOWN = {
    "visanet": {"14", "34", "35", "36", "45", "48", "52", "55", "96", "105", "126", "127", "152"},
    "quicpay": {"14", "34", "35", "36", "45", "48", "52", "55", "96", "127"},
}
VISANET_FORMS = [
    ("2", Encoding.BCD, Length.BINARY_DIGITS, 19),
    ("4", Encoding.BCD, Length.FIXED, 12),
    ("22", Encoding.BCD, Length.FIXED, 4),
    ("28", Encoding.EBCDIC, Length.FIXED, 9),
    ("34", Encoding.BINARY, Length.BINARY_BYTES_2, 65_535),
    ("35", Encoding.BCD, Length.BINARY_DIGITS, 37),
    ("43", Encoding.EBCDIC, Length.FIXED, 40),
    ("44", Encoding.EBCDIC, Length.BINARY_BYTES, 25),
    ("52", Encoding.BINARY, Length.FIXED, 8),
    ("55", Encoding.BINARY, Length.BINARY_BYTES, 255),
    ("60", Encoding.BINARY, Length.BINARY_BYTES, 6),
    ("61", Encoding.BCD, Length.BINARY_DIGITS, 36),
    ("90", Encoding.BCD, Length.FIXED, 42),
    ("95", Encoding.EBCDIC, Length.FIXED, 42),
]
QUICPAY_FORMS = [
    ("2", Encoding.ASCII, Length.ASCII_2, 19),
    ("4", Encoding.ASCII, Length.FIXED, 12),
    ("43", Encoding.KANA, Length.FIXED, 40),
    ("48", Encoding.KANA, Length.ASCII_3, 999),
    ("60", Encoding.ASCII, Length.ASCII_2, 3),
    ("64", Encoding.BINARY, Length.FIXED, 8),
    ("90", Encoding.ASCII, Length.FIXED, 42),
]
FORMS = [(VISANET, *row) for row in VISANET_FORMS] + [(QUICPAY, *row) for row in QUICPAY_FORMS]


@pytest.mark.parametrize(("dialect", "key", "encoding", "length", "width"), FORMS)
def test_forms(dialect: Dialect, key: str, encoding: Encoding, length: Length, width: int) -> None:
    element = dialect.elements[key]
    assert (element.encoding, element.length, element.width) == (encoding, length, width)


@BOTH
def test_every_element_of_two_bitmaps_is_defined_but_the_indicator_of_a_third(
    dialect: Dialect,
) -> None:
    assert {str(number) for number in range(2, 129) if number != 65} <= dialect.elements.keys()
    assert "65" not in dialect.elements


def test_only_visanet_has_a_third_bitmap() -> None:
    third = {str(number) for number in [*range(130, 150), 152]}
    assert third <= VISANET.elements.keys()
    assert not third & QUICPAY.elements.keys()
    assert {VISANET.elements[key].encoding for key in third} == {Encoding.BINARY}


@BOTH
def test_sensitive_elements_are_never_open(dialect: Dialect) -> None:
    assert dialect.elements["2"].exposure is Exposure.PAN
    for key in NEVER_SHOWN[dialect.name]:
        assert dialect.elements[key].exposure is Exposure.SECRET


@BOTH
def test_composite_elements_have_parts(dialect: Dialect) -> None:
    composite = {key for key, element in dialect.elements.items() if element.parts is not None}
    assert (
        composite
        == {
            "visanet": {"44", "54", "55", "60", "61", "62", "63", "90", "95", "104", "123", "126"},
            "quicpay": {"48", "90"},
        }[dialect.name]
    )


@BOTH
def test_management_codes_have_a_purpose(dialect: Dialect) -> None:
    codes = dialect.management
    for code in (codes.sign_on, codes.sign_off, codes.echo, codes.cutover):
        assert code in codes.purposes
    assert all(len(code) == 3 and code.isdecimal() for code in codes.purposes)


@BOTH
def test_the_specification_is_complete_for_pyiso8583(dialect: Dialect) -> None:
    spec = dialect.pyiso8583_spec
    numbers = {str(number) for number in range(2, 193) if number != 65}
    assert spec.keys() == numbers | {"h", "t", "p", "1"}
    assert spec["h"]["max_len"] == 0
