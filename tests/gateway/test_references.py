from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.approval_codes import ApprovalCodes
from gateway.references import origin_of, trace_of, trace_of_original
from networks.wire.messages import OriginalData
from tests.gateway.samples import purchase, reversal


@pytest.mark.parametrize("acquirer_in_de_90", ["400552", "00000400552"])
@pytest.mark.parametrize("acquirer", ["400552", "00400552"])
def test_a_reversals_de_90_gives_the_trace_of_its_original(
    acquirer: str, acquirer_in_de_90: str
) -> None:
    original = purchase(acquirer=acquirer)
    named = OriginalData("0100", original.stan, original.transmission, acquirer_in_de_90)
    assert trace_of_original(named) == trace_of(original)


def test_without_de_90_there_is_no_trace() -> None:
    assert trace_of_original(None) == ""


@pytest.mark.parametrize("mti", ["0100", "0101", "0102", "0103"])
def test_a_repeat_has_the_key_of_its_original(mti: str) -> None:
    found, original = (origin_of(each, "visanet", 7) for each in (purchase(mti=mti), purchase()))
    assert found.is_repeat == (mti[3] in "13")
    assert msgspec.structs.replace(found, is_repeat=False) == original


@pytest.mark.parametrize(
    "changes",
    [
        {"mti": "0120"},
        {"transmission": "1122013046"},
        {"stan": "000102"},
        {"acquirer": "400553"},
        {"rrn": "632601000102"},
    ],
)
def test_another_request_has_another_key(changes: dict[str, Any]) -> None:
    assert (
        origin_of(purchase(**changes), "visanet", 7).request_key
        != origin_of(purchase(), "visanet", 7).request_key
    )


def test_another_card_has_another_key() -> None:
    keys = {origin_of(purchase(), "visanet", card_id).request_key for card_id in (7, 8)}
    assert len(keys) == 2


@pytest.mark.parametrize(
    "changes",
    [{"amount": 1251}, {"processing_code": "010000"}, {"merchant": "ANOTHER"}, {"currency": "840"}],
)
def test_the_fingerprint_tells_another_request_under_the_same_key(changes: dict[str, Any]) -> None:
    first, second = (origin_of(each, "visanet", 7) for each in (purchase(), purchase(**changes)))
    assert first.request_key == second.request_key
    assert first.fingerprint != second.fingerprint


def test_a_reversal_is_a_request_of_its_own() -> None:
    request = reversal(stan="000101")
    assert (
        origin_of(request, "visanet", 7).request_key
        != origin_of(purchase(), "visanet", 7).request_key
    )


def test_approval_codes_are_six_characters_and_distinct() -> None:
    codes = ApprovalCodes(1_795_312_245_000)
    given = {codes.next() for _ in range(50_000)}
    assert len(given) == 50_000
    assert all(len(code) == 6 and code.isascii() and code.isalnum() for code in given)


def test_a_restarted_run_begins_elsewhere() -> None:
    assert ApprovalCodes(1).next() != ApprovalCodes(1000).next()
