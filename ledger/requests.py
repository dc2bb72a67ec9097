"""Where an authorization is, for a message that names its RRN and no account.

Ids are unique with their account only, and accounts lie on their shards. Here an RRN finds both:
its rows lie in a bucket that follows from the RRN alone, on whatever shard that bucket is. They
are written from events; what has been authorized can be found as soon as its reader has come by.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection, select

from ledger.commands import sent_on
from ledger.database import Database
from ledger.events import Event
from ledger.house import Placement
from ledger.row_sets import Change, Insert, Row
from ledger.rows import Authorization, Request
from ledger.tables import authorizations, requests

READER = "requests"
EVENTS_AT_ONCE = 1024

# Few enough for new rows to come together, as RRNs grow, and enough for any number of shards.
_BUCKETS = 1024


def bucket_of(rrn: str) -> int:
    """The `account_id` under which an RRN is looked up."""
    return -1 - int.from_bytes(blake2b(rrn.encode(), digest_size=8).digest()) % _BUCKETS


def keep_requests(
    databases: Sequence[Database], placement: Placement, events: Sequence[Event]
) -> None:
    """Make the authorizations among `events` findable; those that are already stay as they are.

    `databases` are those of the shards. A bucket may be on another shard than the events, so that
    each has a transaction of its own, and the events are acknowledged after all: at least once.
    """
    by_shard: defaultdict[int, list[Row]] = defaultdict(list)
    for event in events:
        if "request_key" in event.data and event.data["rrn"]:
            request = _request(event)
            row = msgspec.structs.astuple(request)
            by_shard[placement.shard_of(request.account_id)].append(row)
    for shard, rows in by_shard.items():
        insert = Insert(requests, sorted(rows), if_missing=True)
        databases[shard].run(partial(_only, insert))


def find_by_rrn(connection: Connection, rrn: str, *, network: str = "") -> list[Request]:
    """The authorizations of that RRN, which several may share; of one network, if it is named.

    `connection` is to the shard of the RRN's bucket.
    """
    found = (
        select(requests)
        .where(requests.c.account_id == bucket_of(rrn), requests.c.rrn == rrn)
        .order_by(requests.c.network, requests.c.wallet_id, requests.c.authorization_id)
    )
    if network:
        found = found.where(requests.c.network == network)
    return [Request(*row) for row in connection.execute(found)]


def read_authorization(connection: Connection, request: Request) -> Authorization:
    """What was asked and answered; `connection` is to the shard of its wallet."""
    row = connection.execute(
        select(authorizations).where(
            authorizations.c.sent_on == sent_on(request.request_key),
            authorizations.c.account_id == request.wallet_id,
            authorizations.c.network == request.network,
            authorizations.c.request_key == request.request_key,
        )
    ).one()
    return Authorization(*row)


def _request(event: Event) -> Request:
    rrn = str(event.data["rrn"])
    return Request(
        bucket_of(rrn),
        rrn,
        str(event.data["network"]),
        event.account_id,
        event.subject_id,
        str(event.data["request_key"]),
    )


def _only(insert: Insert, _connection: Connection) -> tuple[None, list[Change]]:
    return None, [insert]
