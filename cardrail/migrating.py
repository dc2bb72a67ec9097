"""Bring a ledger's tables, and the gateway's beside them, from one revision to another.

A database knows its revision (table `alembic_version`), the program those in `migrations/versions`.
A change of revision is one transaction. Two processes may begin it at once: who comes second waits
for the first one's row or table, and then finds the work done. Within a process one thread at a
time migrates, for so Alembic is made.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from gateway.kept_answers import METADATA
from ledger.database import Database
from ledger.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32)))
_OURS = {*metadata.tables, *METADATA.tables}


class SchemaRefused(Exception):
    """The tables are not such as can be used; the message goes on from "the ledger at ... "."""


class Revision(msgspec.Struct, frozen=True):
    """One step in the tables' history."""

    revision: str
    title: str


def known_revisions(migrations: Path = MIGRATIONS) -> list[str]:
    """Those that this program knows, from the first to the newest."""
    return sorted(path.name[1:5] for path in migrations.glob("versions/r*.py"))


def history(migrations: Path = MIGRATIONS) -> list[Revision]:
    """The same with what each is about."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(migrations)
    return [Revision(each.revision, each.doc) for each in scripts.walk_revisions()][::-1]


def current_revision(database: Database, migrations: Path = MIGRATIONS) -> str:
    """The database's revision; blank for one that is empty.

    Raises
    ------
    SchemaRefused
        If its tables have no revision, or one that this program does not know.
    """
    with database.reading() as connection:
        return _current(connection, known_revisions(migrations))


def require_newest(database: Database, migrations: Path = MIGRATIONS) -> None:
    """Make sure that the tables are those which this program knows.

    Raises
    ------
    SchemaRefused
        If they are older, newer, or not there.
    """
    current, newest = current_revision(database, migrations), known_revisions(migrations)[-1]
    if not current:
        raise SchemaRefused("has no tables (they are made by `cardrail ledger init`)")
    if current != newest:
        raise SchemaRefused(
            f"is at revision {current}, and revision {newest} is needed:"
            " bring it there with `cardrail ledger migrate`"
        )


def bring_up_to_date(database: Database, migrations: Path = MIGRATIONS) -> None:
    """Make the tables, or bring them to the newest revision; where they are, nothing happens.

    Raises
    ------
    SchemaRefused
        As `current_revision`.
    """
    change_revision(database, known_revisions(migrations)[-1], migrations)


def change_revision(database: Database, target: str, migrations: Path = MIGRATIONS) -> str:
    """Bring the tables to revision `target`, forth or back; returns where they were.

    Raises
    ------
    SchemaRefused
        As `current_revision`, if there is no such revision, or no way back to it.
    """
    known = known_revisions(migrations)
    if target not in known:
        raise SchemaRefused(f"has no revision {target}: expected one of {', '.join(known)}")
    before = current_revision(database, migrations)
    if before == target:
        return before
    try:
        return database.run(lambda connection: (_change(connection, target, migrations), ()))
    except DBAPIError:
        # Somebody who began at the same time may have been quicker: then all is as asked.
        if current_revision(database, migrations) != target:
            raise
        return before


def _change(connection: Connection, target: str, migrations: Path) -> str:
    from alembic import command
    from alembic.config import Config

    known = known_revisions(migrations)
    before = _current(connection, known, locked=True)
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if not before or known.index(before) <= known.index(target):
        command.upgrade(config, target)
        return before
    try:
        command.downgrade(config, target)
    except NotImplementedError as error:
        raise SchemaRefused(f"stays at revision {before}: {error}") from None
    return before


def _current(connection: Connection, known: list[str], *, locked: bool = False) -> str:
    tables = set(inspect(connection).get_table_names())
    chosen = select(_VERSIONS.c.version_num)
    if locked:
        chosen = chosen.with_for_update()
    found = connection.scalar(chosen) if _VERSIONS.name in tables else None
    if found is None and tables & _OURS:
        raise SchemaRefused(
            "has tables but no revision: it was made before there were revisions and cannot be"
            " brought to one; make a new ledger under another name with `cardrail ledger init`"
        )
    if found is not None and found not in known:
        raise SchemaRefused(
            f"is at revision {found}, which this program does not know (its newest is"
            f" {known[-1]}): a newer cardrail has brought it there, and is needed to use it"
        )
    return found or ""
