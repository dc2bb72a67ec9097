"""How times, amounts and codes are said."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from gateway.response_codes import response_code
from ledger.commands import Purpose
from ledger.money import format_minor_units
from ledger.outcomes import Outcome
from ledger.rows import Authorization
from networks.wire.response_codes import RESPONSE_CODES, Retry

_RETRY = {
    Retry.APPROVED: "",
    Retry.NEVER: "the same request will never be approved",
    Retry.LATER: "the same request may be approved later",
    Retry.WITH_OTHER_DATA: "it may be approved with other data",
    Retry.GENERIC: "the network is not told more",
}


def money(amount: int, currency: str) -> str:
    """``JPY 1,250``."""
    return f"{currency} {format_minor_units(amount, currency)}"


def when(at: int) -> str:
    """A time in microseconds to the second, UTC."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def clock(at: int) -> str:
    """A time in microseconds within its day, to the millisecond."""
    shown = datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%H:%M:%S")
    return f"{shown}.{at // 1000 % 1000:03}"


def code_of(row: Authorization) -> str:
    """The DE 39 that answered it; an advice is acknowledged."""
    return response_code(row.network, Outcome[row.outcome], Purpose(row.purpose))


def code_in_words(code: str) -> str:
    """A DE 39 and what it means."""
    known = RESPONSE_CODES.get(code)
    return code if known is None else f"{code}, {known.meaning}"


def retry_in_words(code: str) -> str:
    """Whether it makes sense to ask again; blank where nobody would."""
    known = RESPONSE_CODES.get(code)
    return "" if known is None else _RETRY[known.retry]


def details_in(text: str) -> dict[str, str]:
    """The details of a row."""
    found: dict[str, str] = msgspec.json.decode(text)
    return found
