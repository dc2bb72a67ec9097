"""A server whose commits wait for ever, before or after they have become durable.

Each gives the name of the event that such a commit waits for, and lets commits go on at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests import postgresql

_WAITS_BEFORE = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(600); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait();
"""


@contextmanager
def commits_wait_before(url: str) -> Iterator[str]:
    """In a trigger that runs as a transaction ends: a killed server has not done it."""
    server = postgresql.server()
    server.execute_in(url, _WAITS_BEFORE)
    try:
        yield "PgSleep"
    finally:
        server.start()
        server.execute_in(url, "DROP TRIGGER waits ON events")


@contextmanager
def commits_wait_after(_url: str) -> Iterator[str]:
    """For a replica that there is not: a killed server has done it, and has told nobody."""
    server = postgresql.server()
    server.configure({"synchronous_standby_names": "nobody"})
    try:
        yield "SyncRep"
    finally:
        server.start()
        server.configure({"synchronous_standby_names": ""})


def until_some_process_waits(url: str, event: str) -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    ends = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < ends:
            found = connection.execute(f"{asked} AND wait_event = '{event}'".encode()).fetchone()
            if found is not None and found[0]:
                return
    pytest.fail(f"nothing waits for {event}")
