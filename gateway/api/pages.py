"""Pages of long lists: where one ended is where the next begins, whatever was added meanwhile."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Generic, TypeAlias, TypeVar

import msgspec
from fastapi import Query
from pydantic import BaseModel, Field

from gateway.api.problems import Problem, invalid

Limit: TypeAlias = Annotated[int, Query(ge=1, le=200, description="So many at most.")]
Cursor: TypeAlias = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before.")
]

_INT64 = 2**63

Item = TypeVar("Item")
Place = TypeVar("Place")


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(
        description="`cursor` of the next page; null where there is no more. A page may have few"
        " items, or none, and still a next one, where those that were asked for are rare."
    )


def cursor_of(place: object | None) -> str | None:
    """A place in a list as callers have it."""
    if place is None:
        return None
    return urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def place_of(cursor: str | None, kind: type[Place]) -> Place | None:
    """The place that a cursor stands for; ``None`` for the beginning.

    Raises
    ------
    Problem
        If it is none of ours.
    """
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        place = msgspec.json.decode(text, type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise _no_cursor() from None
    numbers = msgspec.to_builtins(place)
    if not all(-_INT64 <= each < _INT64 for each in (numbers if kind is not int else [numbers])):
        raise _no_cursor()
    return place


def _no_cursor() -> Problem:
    return invalid("query.cursor", "expected the `next` of an earlier page")
