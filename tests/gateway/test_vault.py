from __future__ import annotations

import pytest

from gateway.vault import PanVault, VaultError
from networks.wire.pan import synthetic_pan

PAN = synthetic_pan(1)
VAULT = PanVault(b"i" * 32, b"e" * 32)


def test_a_sealed_pan_comes_back() -> None:
    assert VAULT.unseal(VAULT.seal(PAN)) == PAN


def test_two_seals_of_one_pan_differ_and_hide_it() -> None:
    first, second = VAULT.seal(PAN), VAULT.seal(PAN)
    assert first != second
    assert PAN.encode() not in first


def test_the_index_is_one_per_pan_and_key() -> None:
    other_key = PanVault(b"j" * 32, b"e" * 32)
    assert VAULT.index(PAN) == VAULT.index(PAN)
    assert len(VAULT.index(PAN)) == 32
    assert len({VAULT.index(PAN), VAULT.index(synthetic_pan(2)), other_key.index(PAN)}) == 3


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"short",
        VAULT.seal(PAN)[:-1],
        VAULT.seal(PAN)[:-1] + b"\x00\x00",
        PanVault(b"i" * 32, b"f" * 32).seal(PAN),
    ],
    ids=["empty", "short", "cut", "changed", "another key"],
)
def test_what_these_keys_did_not_seal_is_refused(broken: bytes) -> None:
    with pytest.raises(VaultError, match="sealed PAN"):
        VAULT.unseal(broken)


@pytest.mark.parametrize(
    ("keys", "named"), [((b"i" * 31, b"e" * 32), "index"), ((b"i" * 32, b""), "encryption")]
)
def test_a_key_of_another_length_is_refused(keys: tuple[bytes, bytes], named: str) -> None:
    with pytest.raises(VaultError, match=f"{named} key: expected 32 bytes"):
        PanVault(*keys)


def test_its_repr_shows_no_key() -> None:
    assert "i" * 8 not in repr(VAULT)
