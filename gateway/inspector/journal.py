"""The last exchanges, masked: a small SQLite file that `cardrail ops` writes and anybody reads.

It is for looking into, and no record of anything: bounded, and forgotten without harm. Nothing
unmasked gets in (`annotated`). The file is its owner's alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock

import msgspec

from gateway.inspector.annotated import Covered, Exchange, annotate

FILE_NAME = "journal.db"
_FOUND_MOST = 50
_encode = msgspec.msgpack.encode
_decoder = msgspec.msgpack.Decoder(Covered)

_VERSION = 2
_SCHEMA = f"""\
CREATE TABLE IF NOT EXISTS exchanges (
    number INTEGER PRIMARY KEY, rrn TEXT NOT NULL, account_id INTEGER NOT NULL,
    authorization_id INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS exchanges_rrn ON exchanges (rrn);
CREATE INDEX IF NOT EXISTS exchanges_account ON exchanges (account_id, authorization_id);
PRAGMA user_version = {_VERSION};
"""


class Journal:
    """Keeps the last `most` exchanges in the file `path`; safe to use from several threads.

    What another version has kept is thrown away.

    Raises
    ------
    sqlite3.Error
        If the file cannot be written, here and in `add`.
    """

    def __init__(self, path: Path, *, most: int) -> None:
        self._most = most
        self._lock = Lock()
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")  # lost with the machine, if need be
        if self._connection.execute("PRAGMA user_version").fetchone()[0] not in (0, _VERSION):
            self._connection.execute("DROP TABLE IF EXISTS exchanges")
        self._connection.executescript(_SCHEMA)

    def add(self, exchanges: Sequence[Covered]) -> None:
        """Keep them, and forget what is too many."""
        rows = [_row(each) for each in exchanges]
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO exchanges (rrn, account_id, authorization_id, data)"
                " VALUES (?, ?, ?, ?)",
                rows,
            )
            self._connection.execute(
                "DELETE FROM exchanges WHERE number <= (SELECT max(number) FROM exchanges) - ?",
                (self._most,),
            )
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class JournalReader:
    """Reads the journal at `path`, whoever writes it; where there is none, nothing is found."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of_rrn(self, rrn: str) -> list[Exchange]:
        """The exchanges of an RRN, oldest first."""
        return self._find("rrn = ?", (rrn,))

    def of_account(
        self, account_id: int, authorization_ids: Sequence[int], rrns: Sequence[str]
    ) -> list[Exchange]:
        """Those of one account about any of these authorizations, or of any of these RRNs."""
        ids, names = (",".join("?" * len(each)) for each in (authorization_ids, rrns))
        return self._find(
            f"account_id = ? AND (authorization_id IN ({ids}) OR rrn IN ({names}))",
            (account_id, *authorization_ids, *rrns),
        )

    def latest(self, count: int) -> list[Exchange]:
        """The newest, oldest of them first."""
        return self._find("1", (), count)

    def _find(
        self, condition: str, values: Sequence[int | str], most: int = _FOUND_MOST
    ) -> list[Exchange]:
        """What cannot be read, or is another version's, is not there."""
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as connection:
                found = connection.execute(
                    f"SELECT data FROM exchanges WHERE {condition} ORDER BY number DESC LIMIT ?",  # noqa: S608 - conditions of this class
                    (*values, most),
                ).fetchall()
            return [annotate(_decoder.decode(data)) for (data,) in reversed(found)]
        except (sqlite3.Error, msgspec.MsgspecError):
            return []


def _row(exchange: Covered) -> tuple[str, int, int, bytes]:
    record = exchange.record
    return record.rrn, record.account_id, record.authorization_id, _encode(exchange)
