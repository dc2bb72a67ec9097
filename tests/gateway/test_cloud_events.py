"""What is published of each event, and that the AsyncAPI document describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fastjsonschema
import msgspec
import pytest
from sqlalchemy import select

from gateway.asyncapi import document
from gateway.cloud_events import CloudEvents, decode_cloud_event
from gateway.duplicates import Duplicates
from gateway.event_types import EVENT_TYPES
from ledger.database import Database
from ledger.events import Event, decode_events
from ledger.ledger import Ledger
from ledger.tables import events
from tests.ledger.books import DAY, NOW, Books, named
from tests.ledger.engines import Engine, fresh_ledger
from tests.ledger.two_days import TwoDays

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.json"
EVENT = Event(
    event_id=9_007_199_254_740_993,  # no double has this value
    type="clearing.posted",
    account_id=42,
    subject_id=17,
    at=NOW + 5,
    data={"network": "visanet", "amount": 300, "hold_id": 2**62, "authorization_id": 0},
)


def test_an_event_becomes_a_cloud_event_on_its_topic() -> None:
    message = CloudEvents("rail/test", 3).message(EVENT)
    assert message.topic == "rail/test/3/clearing/posted"
    assert json.loads(message.payload) == {
        "specversion": "1.0",
        "id": "9007199254740993",
        "source": "/rail/test/3",
        "type": "cardrail.clearing.posted",
        "subject": "17",
        "time": "2027-01-15T08:00:00.000005Z",
        "datacontenttype": "application/json",
        "partitionkey": "42",
        "data": {"network": "visanet", "amount": 300, "hold_id": "4611686018427387904"},
    }
    assert decode_cloud_event(message.payload).partitionkey == "42"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b'{"specversion": "0.3"}',
        CloudEvents("cardrail", 0).message(EVENT).payload.replace(b'"42"', b"42"),
    ],
)
def test_what_is_none_of_ours_is_not_taken_for_an_event(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_cloud_event(payload)


# --- duplicates ---


def test_duplicates_are_told_by_source_and_id_among_the_last() -> None:
    def came(number: int, shard: int = 0) -> bool:
        event = msgspec.structs.replace(EVENT, event_id=number)
        payload = CloudEvents("cardrail", shard).message(event).payload
        return duplicates.came_before(decode_cloud_event(payload))

    duplicates = Duplicates(most=3)
    assert [came(1), came(2), came(1), came(3), came(2)] == [False, False, True, False, True]
    assert not came(1, shard=1)
    assert [came(2), came(3), came(1)] == [True, True, False]  # 1 was the oldest of four


# --- the document ---


@pytest.fixture(scope="module")
def told() -> list[Event]:
    """Events as a ledger writes them, of every type."""
    with fresh_ledger(Engine.SQLITE) as url, fresh_ledger(Engine.SQLITE) as another:
        database = Database.open(another)
        Ledger(database).create_schema()
        TwoDays(database).tell()
        books = Books(url)
        books.ask(books.authorize(5, books.origin("A")))
        books.ask(books.authorize(5, books.origin("A"), repeats_within=1))
        books.ask(books.authorize(9_999))
        books.ask(books.advise(7))
        books.ask(books.reverse(named("B")))  # before its original
        books.ledger.expire(NOW + 7 * DAY)
        with database.reading() as connection:
            rows = connection.scalars(select(events.c.data)).all()
        found = books.told() + [event for row in rows for event in decode_events(row)]
        books.close()
        database.close()
    return found


def test_the_document_is_up_to_date() -> None:
    """It is made by `cardrail asyncapi > docs/asyncapi.json`."""
    assert json.loads(DOCUMENT.read_text()) == document(version("cardrail"))


def test_every_reference_of_the_document_leads_somewhere() -> None:
    made = document("1.0.0")
    references = [*references_of(made)]
    assert len(references) > 3 * len(EVENT_TYPES)
    for reference in references:
        place: Any = made
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def references_of(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        if "$ref" in part:
            yield part["$ref"]
        for each in part.values():
            yield from references_of(each)
    elif isinstance(part, list):
        for each in part:
            yield from references_of(each)


def test_events_are_as_the_document_describes_them(told: list[Event]) -> None:
    made = document("1.0.0")
    valid = {name: validator(made, name) for name in EVENT_TYPES}
    made_events = CloudEvents("cardrail", 3)
    for event in told:
        message = made_events.message(event)
        valid[event.type](json.loads(message.payload))
        address = made["channels"][event.type]["address"]
        assert message.topic == address.format(shard=3)
    assert {event.type for event in told} == {*EVENT_TYPES}


def test_no_data_is_published_that_the_document_does_not_describe(told: list[Event]) -> None:
    for event in told:
        assert event.data.keys() <= {*EVENT_TYPES[event.type].data.__struct_fields__}


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", 5), ("type", "cardrail.clearing.posted"), ("time", None), ("data", {}), ("source", 0)],
)
def test_the_document_tells_what_is_no_event(told: list[Event], name: str, value: object) -> None:
    approved = next(each for each in told if each.type == "authorization.approved")
    payload = json.loads(CloudEvents("cardrail", 0).message(approved).payload)
    valid = validator(document("1.0.0"), approved.type)
    assert valid(payload)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        valid({**payload, name: value})


def validator(made: dict[str, Any], event_type: str) -> Callable[[object], object]:
    schema = made["components"]["messages"][event_type]["payload"]
    compiled: Callable[[object], object] = fastjsonschema.compile({**made, **schema})
    return compiled
