from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cardrail.keys import KeyFileError, key_file_beside, open_vault
from networks.wire.pan import synthetic_pan

PAN = synthetic_pan(1)
GOOD = f"index_key={'ab' * 32}\nencryption_key={'cd' * 32}\n"


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/cardrail.db"


def test_keys_are_made_once_and_kept(tmp_path: Path) -> None:
    first = open_vault(url(tmp_path))
    sealed = first.seal(PAN)
    second = open_vault(url(tmp_path))
    assert second.index(PAN) == first.index(PAN)
    assert second.unseal(sealed) == PAN


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    open_vault(url(tmp_path))
    [path] = tmp_path.iterdir()
    assert path == key_file_beside(url(tmp_path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_ledgers_have_different_keys(tmp_path: Path) -> None:
    vaults = [open_vault(f"sqlite:///{tmp_path}/{name}.db") for name in ("one", "two")]
    assert vaults[0].index(PAN) != vaults[1].index(PAN)


def test_those_who_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        vaults = list(pool.map(open_vault, [url(tmp_path)] * 8))
    assert len({vault.index(PAN) for vault in vaults}) == 1
    assert len(list(tmp_path.iterdir())) == 1, "no draft is left behind"


def test_another_file_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    open_vault(url(tmp_path), path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "index_key=ab\n",
        GOOD.replace("ab", "a", 1),
        GOOD.replace("cd" * 32, "xy" * 32),
        "=\n",
        "\xff",
    ],
)
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="expected index_key=<64 hex digits>") as refused:
        open_vault(url(tmp_path), path)
    assert "abab" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    path.write_text(GOOD)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="others may read it, expected mode 0600"):
        open_vault(url(tmp_path), path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"key file .*gone/cardrail\.db\.keys: No such file"):
        open_vault(url(tmp_path / "gone"))


def test_what_is_no_file_has_its_keys_here() -> None:
    for address in ("sqlite://", "sqlite:///:memory:", "postgresql+psycopg://localhost/x"):
        assert os.fspath(key_file_beside(address)) == "cardrail.keys"
