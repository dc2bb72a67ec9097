"""DE 39 against the lists of DOMAIN 1.8, and what coded values mean."""

from __future__ import annotations

import pytest

from networks.wire.dialects import DIALECTS
from networks.wire.meanings import amount_meaning, meaning, message_meaning, processing_meaning
from networks.wire.response_codes import RESPONSE_CODES, Retry

TO_SUPPORT = (
    "00 01 03 04 07 41 43 05 06 10 11 12 13 14 15 19 21 25 76 77 30 51 54 55 57 58 59 61 62 63 65 "
    "68 75 78 81 82 85 86 91 92 93 96 1A 6P N0 N3 N4 N7 N8 P5 P6 Q1 R0 R1 R3 Z3"
)
RETRIES = {
    Retry.APPROVED: "00 10 11 85",
    Retry.NEVER: "03 04 07 12 15 41 43 57 62 78 93 R0 R1 R3",
    Retry.LATER: "19 51 59 61 65 75 86 91 96 N3 N4",
    Retry.WITH_OTHER_DATA: "14 54 55 82 N7 1A 6P",
}


def test_every_code_of_the_domain_is_there() -> None:
    assert set(RESPONSE_CODES) == set(TO_SUPPORT.split())
    assert all(code == entry.code and entry.meaning for code, entry in RESPONSE_CODES.items())


@pytest.mark.parametrize("code", RESPONSE_CODES)
def test_retry_categories_follow_the_networks(code: str) -> None:
    listed = [retry for retry, codes in RETRIES.items() if code in codes.split()]
    assert RESPONSE_CODES[code].retry is (listed[0] if listed else Retry.GENERIC)
    assert RESPONSE_CODES[code].approves is (code in RETRIES[Retry.APPROVED].split())


MTIS = [
    ("0100", "authorization request"),
    ("0101", "authorization request, repeat"),
    ("0302", "file update request, from the issuer"),
    ("0303", "file update request, from the issuer, repeat"),
    ("0420", "reversal advice"),
    ("0105", "authorization request, from somebody else"),
    ("0999", ""),
    ("", ""),
]
PROCESSING = [
    ("000000", "purchase"),
    ("013000", "cash from credit"),
    ("301020", "balance inquiry from savings to checking"),
    ("990020", "to checking"),
    ("", ""),
]
AMOUNTS = [
    ("000000001250", "392", "JPY 1250"),
    ("000000001250", "840", "USD 12.50"),
    ("000000000005", "840", "USD 0.05"),
    ("000000001250", "414", "KWD 1.250"),
    ("000000000000", "392", "JPY 0"),
    ("000000001250", "001", ""),
    ("0000000012F0", "392", ""),
]


@pytest.mark.parametrize(("mti", "expected"), MTIS)
def test_meaning_of_message_types(mti: str, expected: str) -> None:
    assert message_meaning(mti) == expected


@pytest.mark.parametrize(("code", "expected"), PROCESSING)
def test_meaning_of_processing_codes(code: str, expected: str) -> None:
    assert processing_meaning(code) == expected


@pytest.mark.parametrize(("amount", "currency", "expected"), AMOUNTS)
def test_meaning_of_amounts(amount: str, currency: str, expected: str) -> None:
    assert amount_meaning(amount, currency) == expected


FIELDS = [
    ("visanet t", "0810", "network management response"),
    ("visanet p", "8020000000000001", "bits 1 11 64"),
    ("visanet 1", "0000000000000001", "bits 128"),
    ("visanet 1", "80000000000000004000000000000000", "bits 65 130"),
    ("visanet 3", "260000", "original credit"),
    ("visanet 22", "9010", "magnetic stripe, whole"),
    ("visanet 22", "9910", ""),
    ("visanet 25", "59", "electronic commerce"),
    ("visanet 39", "51", "insufficient funds"),
    ("visanet 39", "ZZ", ""),
    ("visanet 44.1", "5", "issuer"),
    ("visanet 49", "392", "JPY"),
    ("visanet 50", "000", ""),
    ("visanet 54.currency", "840", "USD"),
    ("visanet 54.type", "57", "original amount"),
    ("visanet 60.8", "02", "recurring"),
    ("visanet 63.3", "3900", "incremental"),
    ("visanet 63.4", "9020", "issuer timeout"),
    ("visanet 70", "071", "sign-on"),
    ("visanet 70", "999", ""),
    ("quicpay 70", "401", "negative-list version"),
    ("quicpay 48.04", "10", "lump sum (一括)"),
    ("quicpay 44.1", "5", ""),
    ("visanet 11", "000001", ""),
]


@pytest.mark.parametrize(("name", "value", "expected"), FIELDS)
def test_meaning_of_coded_values(name: str, value: str, expected: str) -> None:
    dialect, field = name.split()
    assert meaning(DIALECTS[dialect], field, value, {}) == expected


def test_an_amount_is_read_in_the_currency_beside_it() -> None:
    fields = {"49": "840", "51": "392"}
    assert meaning(DIALECTS["visanet"], "4", "000000000100", fields) == "USD 1.00"
    assert meaning(DIALECTS["visanet"], "5", "000000000100", fields) == ""
    assert meaning(DIALECTS["visanet"], "6", "000000000100", fields) == "JPY 100"
