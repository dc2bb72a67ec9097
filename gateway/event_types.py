"""What is published of each event: the data that subscribers may rely on (docs/EVENTS.md).

Identifiers have up to 63 bits, which numbers in JSON do not carry everywhere, and so are decimal
strings; one that an event does not have is left out. Amounts are whole numbers in minor units.
More names may come to the data of a type, so a subscriber passes over those it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

Id: TypeAlias = Annotated[str, Meta(pattern="^[0-9]{1,19}$")]
Amount: TypeAlias = Annotated[
    int, Meta(description="Minor units of `currency`; 0 if it was declined or refused.")
]
Currency: TypeAlias = Annotated[str, Meta(description="ISO 4217.", pattern="^[A-Z]{3}$")]
Available: TypeAlias = Annotated[
    int, Meta(description="What the account had left to spend after it, in minor units.")
]
PointsPending: TypeAlias = Annotated[
    int, Meta(description="The points that the hold may expect from now on, in all.")
]
Outcome: TypeAlias = Annotated[str, Meta(description="APPROVED, or why not.")]
RequestKey: TypeAlias = Annotated[
    str, Meta(description="What the network's repeats of this request have in common.")
]
Manner: TypeAlias = Annotated[str, Meta(description="How it was posted (docs/REPORTS.md).")]
PointsGranted: TypeAlias = Annotated[
    int, Meta(description="Points granted for good; below zero where they are taken back.")
]
PointsFound: TypeAlias = Annotated[
    int, Meta(description="Points granted earlier whose hold is known only now.")
]


class AuthorizationData(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization or advice, and what was answered."""

    network: str
    rrn: str
    request_key: RequestKey
    purpose: str
    outcome: Outcome
    amount: Amount
    currency: Currency
    hold_id: Id | UnsetType = UNSET
    points_pending: PointsPending
    available: Available


class ClearingData(msgspec.Struct, frozen=True, kw_only=True):
    """A clearing record, or money put into a wallet, and what became of it."""

    network: str
    authorization_id: Id | UnsetType = UNSET
    hold_id: Id | UnsetType = UNSET
    manner: Manner
    outcome: Outcome
    credit: bool
    amount: Amount
    currency: Currency
    points: PointsGranted
    points_found: PointsFound | UnsetType = UNSET
    points_pending: PointsPending
    available: Available


class ReversalData(msgspec.Struct, frozen=True, kw_only=True):
    """A reversal; without an authorization if it came before its original."""

    network: str
    authorization_id: Id | UnsetType = UNSET
    hold_id: Id | UnsetType = UNSET
    outcome: Outcome
    amount: Amount
    currency: Currency
    points_pending: PointsPending
    available: Available


class ExpiryData(msgspec.Struct, frozen=True, kw_only=True):
    """A hold whose time was over; `amount` is what it released."""

    hold_id: Id
    amount: Amount
    currency: Currency
    points_pending: PointsPending
    available: Available


class EventType(msgspec.Struct, frozen=True):
    """What an event of a type says, what its `subject` is, and its data."""

    says: str
    subject: str
    data: type[msgspec.Struct]


EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "authorization.approved": EventType(
            "An authorization was approved.", "authorization", AuthorizationData
        ),
        "authorization.declined": EventType(
            "An authorization was declined, or an advice refused.",
            "authorization",
            AuthorizationData,
        ),
        "authorization.advised": EventType(
            "The network has told of a decision that was taken without us.",
            "authorization",
            AuthorizationData,
        ),
        "authorization.repeated": EventType(
            "A request came again under another key, and got the stored answer.",
            "authorization",
            AuthorizationData,
        ),
        "reversal.applied": EventType("A reversal was taken.", "reversal", ReversalData),
        "clearing.posted": EventType("A clearing record was posted.", "clearing", ClearingData),
        "clearing.refused": EventType("A clearing record was refused.", "clearing", ClearingData),
        "clearing.undone": EventType("A posted clearing was taken back.", "clearing", ClearingData),
        "clearing.resolved": EventType(
            "A person has told what a clearing is about.", "clearing", ClearingData
        ),
        "wallet.funded": EventType("Money was put into a wallet.", "clearing", ClearingData),
        "hold.expired": EventType("A hold's time was over.", "hold", ExpiryData),
    }
)
