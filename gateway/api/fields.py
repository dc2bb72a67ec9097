"""Kinds of fields that several resources have."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import Path
from pydantic import AfterValidator, BaseModel, Field, PlainSerializer, WithJsonSchema, create_model

from networks.wire.pan import luhn_digit

_DIGITS = re.compile(r"\d(?:[ -]?\d){12,18}")  # as many as a PAN has
_INT64 = 2**63

Id: TypeAlias = Annotated[
    int,
    Field(ge=-_INT64, lt=_INT64),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,19}$"}),
]
PathId: TypeAlias = Annotated[int, Path(ge=-_INT64, lt=_INT64)]
Minor: TypeAlias = Annotated[int, Field(description="Minor units.")]
Day: TypeAlias = Annotated[int, Field(description="Business day, YYYYMMDD.")]


def moment(at: int) -> datetime:
    """`at`, microseconds since the epoch, as it is shown."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)


def microseconds(moment_: datetime) -> int:
    """The other way; what tells no zone is UTC."""
    if moment_.tzinfo is None:
        moment_ = moment_.replace(tzinfo=UTC)
    return (moment_ - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _fit_to_keep(text: str) -> str:
    """History keeps it, so it must be no place for a card number, however it is spaced."""
    if not text.isprintable():
        raise ValueError("has characters that cannot be printed, expected none")
    for run in _DIGITS.findall(text):
        digits = re.sub(r"\D", "", run)
        if luhn_digit(digits[:-1]) == digits[-1]:
            raise ValueError("looks as if it had a card number in it, expected none")
    return text


Reason: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=200, description="Why; history keeps it."),
    AfterValidator(_fit_to_keep),
]


def model_of(struct: type[msgspec.Struct], **more: Any) -> type[BaseModel]:  # noqa: ANN401 - types of fields
    """The model of a struct of the ledger, for the document; `more` are its properties."""
    fields: dict[str, Any] = {
        field.name: (Id if field.name.endswith("_id") else field.type, ...)
        for field in msgspec.structs.fields(struct)
    }
    fields |= {name: (kind, ...) for name, kind in more.items()}
    return create_model(struct.__name__, __doc__=struct.__doc__, **fields)
