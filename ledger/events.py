"""What subscribers are told: facts, written in the transaction that makes them true.

All events of a transaction lie in one row of the shard's outbox, as a JSON array in the order of
their ids. An account's events have growing ids, whichever writer made them: a writer goes on from
the last id of each account that it has locked (`Account.last_id`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False):
    """One fact. `subject_id` is what it is about: an authorization, reversal, clearing or hold.

    `at` is microseconds since the epoch; `data` has names and numbers, never a secret.
    """

    event_id: int
    type: str
    account_id: int
    subject_id: int
    at: int
    data: Mapping[str, str | int | bool]


_decoder = msgspec.json.Decoder(tuple[Event, ...])
_encode = msgspec.json.encode


def encode_events(events: Sequence[Event]) -> str:
    """As they lie in a row's `data`."""
    return _encode(events).decode()


def decode_events(data: str) -> tuple[Event, ...]:
    """The events of a row, oldest first.

    Raises
    ------
    msgspec.DecodeError
        If `data` is none of ours.
    """
    return _decoder.decode(data)
