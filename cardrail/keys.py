"""The two keys of the PAN vault: from the settings, or from a file beside the ledger.

The file is made on first use, with random keys and mode 0600. Whoever loses it loses every card
of its ledger, so it is never replaced, and a file that others could read is refused.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from gateway.vault import KEY_BYTES, PanVault

_NAMES = ("index_key", "encryption_key")
_DEFAULT_FILE = "cardrail.keys"  # for a ledger that is no file
_SQLITE = "sqlite:///"


class KeyFileError(Exception):
    """The key file cannot be used; says which file and what was expected."""


def key_file_beside(ledger_url: str) -> Path:
    """Where the keys of the ledger at `ledger_url` are kept.

    >>> str(key_file_beside("sqlite:////var/lib/cardrail.db"))
    '/var/lib/cardrail.db.keys'
    >>> str(key_file_beside("postgresql+psycopg://localhost/cardrail"))
    'cardrail.keys'
    """
    database = ledger_url.removeprefix(_SQLITE).partition("?")[0]
    if not ledger_url.startswith(_SQLITE) or database in ("", ":memory:"):
        return Path(_DEFAULT_FILE)
    return Path(f"{database}.keys")


def open_vault(ledger_url: str, key_file: Path | None = None) -> PanVault:
    """The vault of a ledger's cards; makes its keys if there are none yet.

    Raises
    ------
    KeyFileError
        If the key file cannot be read or made, others may read it, or it holds no keys.
    """
    path = key_file or key_file_beside(ledger_url)
    try:
        if not path.exists():
            _make(path)
        return PanVault(*_read(path))
    except OSError as error:
        raise KeyFileError(f"key file {path}: {error.strerror}") from None


def _make(path: Path) -> None:
    """Write whole, then link: a second process starting now sees no half-written file."""
    text = "".join(f"{name}={secrets.token_hex(KEY_BYTES)}\n" for name in _NAMES)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # the other process was first: its keys count
    finally:
        draft.unlink()


def _read(path: Path) -> list[bytes]:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"key file {path}: others may read it, expected mode 0600")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        values = dict(line.split("=", 1) for line in lines if line)
        keys = [bytes.fromhex(values[name]) for name in _NAMES]
    except (ValueError, KeyError):
        keys = []
    if [len(key) for key in keys] != [KEY_BYTES] * len(_NAMES):
        expected = " and ".join(f"{name}=<{2 * KEY_BYTES} hex digits>" for name in _NAMES)
        raise KeyFileError(f"key file {path}: expected {expected}")
    return keys
