"""DE 39 as a table: what a code means, whether it approves, whether asking again makes sense.

Codes and retry categories follow public lists (DOMAIN 1.8). Where those disagree the stricter
category stands here. At most fifteen retries in thirty days are usual for what may be retried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Retry(IntEnum):
    """Whether the same request may be sent again (the networks' decline categories)."""

    APPROVED = 0
    NEVER = 1
    LATER = 2
    WITH_OTHER_DATA = 3
    GENERIC = 4  # the issuer has not said why, so nobody can tell


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """One value of DE 39."""

    code: str
    meaning: str
    retry: Retry

    @property
    def approves(self) -> bool:
        """Whether the request was granted, be it in part."""
        return self.retry is Retry.APPROVED


_APPROVED, _NEVER, _LATER = Retry.APPROVED, Retry.NEVER, Retry.LATER
_DATA, _GENERIC = Retry.WITH_OTHER_DATA, Retry.GENERIC

RESPONSE_CODES: Mapping[str, ResponseCode] = MappingProxyType(
    {
        code: ResponseCode(code, meaning, retry)
        for code, meaning, retry in (
            ("00", "approved", _APPROVED),
            ("01", "refer to issuer", _GENERIC),
            ("03", "invalid merchant", _NEVER),
            ("04", "pick up card", _NEVER),
            ("05", "do not honor", _GENERIC),
            ("06", "error", _GENERIC),
            ("07", "pick up card, special condition", _NEVER),
            ("10", "partial approval", _APPROVED),
            ("11", "approved, VIP", _APPROVED),
            ("12", "invalid transaction", _NEVER),
            ("13", "invalid amount", _GENERIC),
            ("14", "no such card", _DATA),
            ("15", "no such issuer", _NEVER),
            ("19", "re-enter transaction", _LATER),
            ("21", "no action taken", _GENERIC),
            ("25", "original not found", _GENERIC),
            ("30", "format error", _GENERIC),
            ("41", "lost card", _NEVER),
            ("43", "stolen card", _NEVER),
            ("51", "insufficient funds", _LATER),
            ("54", "expired card", _DATA),
            ("55", "incorrect PIN", _DATA),
            ("57", "not permitted to cardholder", _NEVER),
            ("58", "not permitted to terminal", _GENERIC),
            ("59", "suspected fraud", _LATER),
            ("61", "amount limit exceeded", _LATER),
            ("62", "restricted card", _NEVER),
            ("63", "security violation", _GENERIC),
            ("65", "count limit exceeded", _LATER),
            ("68", "response received too late", _GENERIC),
            ("75", "PIN tries exceeded", _LATER),
            ("76", "original does not match", _GENERIC),
            ("77", "original data inconsistent", _GENERIC),
            ("78", "blocked or no account", _NEVER),
            ("81", "PIN cryptography error", _GENERIC),
            ("82", "negative CVV or cryptogram result", _DATA),
            ("85", "no reason to decline", _APPROVED),
            ("86", "PIN cannot be verified", _LATER),
            ("91", "issuer or switch inoperative", _LATER),
            ("92", "no route to issuer", _GENERIC),
            ("93", "violation of law", _NEVER),
            ("96", "system malfunction", _LATER),
            ("1A", "strong customer authentication required", _DATA),
            ("6P", "verification failed", _DATA),
            ("N0", "force stand-in", _GENERIC),
            ("N3", "cash service not available", _LATER),
            ("N4", "cash request exceeds issuer limit", _LATER),
            ("N7", "CVV2 failure", _DATA),
            ("N8", "exceeds preauthorized amount", _GENERIC),
            ("P5", "PIN change refused", _GENERIC),
            ("P6", "unsafe PIN", _GENERIC),
            ("Q1", "card authentication failed", _GENERIC),
            ("R0", "stop this payment", _NEVER),
            ("R1", "revocation of authorization", _NEVER),
            ("R3", "revocation of all authorizations", _NEVER),
            ("Z3", "declined offline, unable to go online", _GENERIC),
        )
    }
)
