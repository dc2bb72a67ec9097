"""The vault: the only place where a PAN turns into what may be stored (PCI DSS 3.5.1, 3.5.1.1).

A card is found by a keyed index (HMAC-SHA-256 over the whole PAN) and its PAN can be brought back
from an AES-GCM ciphertext. Both keys come from outside and are shown nowhere.
"""

from __future__ import annotations

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random, 96 bits


class VaultError(ValueError):
    """A sealed PAN that these keys cannot open, or keys that are none."""


class PanVault:
    """Indexes, seals and unseals PANs with two independent keys of 32 bytes.

    Raises
    ------
    VaultError
        If a key has another length.
    """

    __slots__ = ("_cipher", "_mac")

    def __init__(self, index_key: bytes, encryption_key: bytes) -> None:
        for name, key in (("index", index_key), ("encryption", encryption_key)):
            if len(key) != KEY_BYTES:
                raise VaultError(f"{name} key: expected {KEY_BYTES} bytes, got {len(key)}")
        self._mac = hmac.new(index_key, digestmod="sha256")
        self._cipher = AESGCM(encryption_key)

    def index(self, pan: str) -> bytes:
        """The 32 bytes by which the card of `pan` is found; nothing else is needed to decide.

        By a copied state and not `hmac.digest`, which lets go of the interpreter's lock each time:
        on the hot path, getting it back from a busy ledger thread takes tens of microseconds.
        """
        mac = self._mac.copy()
        mac.update(pan.encode())
        return mac.digest()

    def seal(self, pan: str) -> bytes:
        """Nonce and ciphertext; two seals of one PAN differ."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, pan.encode(), None)

    def unseal(self, sealed: bytes) -> str:
        """The PAN again.

        Raises
        ------
        VaultError
            If `sealed` is damaged or was sealed with another key.
        """
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, ciphertext, None).decode()
        except (InvalidTag, ValueError):
            raise VaultError("sealed PAN: damaged, or sealed with another key") from None
