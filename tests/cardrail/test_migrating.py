"""Revisions bring the tables where the program's metadata are, on both engines; or refuse to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner, Result

from cardrail.ledger_command import ledger_app
from cardrail.migrating import (
    MIGRATIONS,
    SchemaRefused,
    bring_up_to_date,
    change_revision,
    current_revision,
    history,
    known_revisions,
    require_newest,
)
from gateway.cards import create_card_schema
from gateway.kept_answers import METADATA
from ledger.audit import audit
from ledger.commands import Reference
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.tables import metadata
from tests.ledger.books import Books
from tests.ledger.engines import Engine, fresh_ledger

NEWEST = known_revisions()[-1]
NEXT = f"{int(NEWEST) + 1:04}"
NEXT_REVISION = f'''
"""One column more."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "{NEXT}", "{NEWEST}"


def upgrade():
    op.add_column("spending", sa.Column("colour", sa.String, nullable=False, server_default=""))


def downgrade():
    op.drop_column("spending", "colour")
'''
NO_WAY_BACK = NEXT_REVISION.replace(
    'op.drop_column("spending", "colour")', 'raise NotImplementedError("colours would be lost")'
)


@pytest.fixture(params=list(Engine))
def engine(request: pytest.FixtureRequest) -> Engine:
    return cast("Engine", request.param)


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    with fresh_ledger(engine, empty=True) as made:
        yield made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database.open(url)
    yield opened
    opened.close()


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a program that knows one revision more."""
    return with_revision(tmp_path, NEXT_REVISION)


def with_revision(folder: Path, text: str) -> Path:
    made = shutil.copytree(MIGRATIONS, folder / "migrations")
    (made / "versions" / f"r{NEXT}_next.py").write_text(text)
    return made


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(ledger_app, [*arguments, "--ledger", url])


# --- what the revisions make ---


def catalog(connection: Connection) -> dict[str, Any]:
    """Everything that the engine knows of the tables, but for that of the revision.

    A table that SQLite has copied and renamed has its name in quotes.
    """
    look = _LOOKS[connection.dialect.name]
    rows = [tuple(row) for each in look for row in connection.exec_driver_sql(each)]
    rows = [tuple(unquoted(each) for each in row) for row in rows]
    return {row[0]: row[1:] for row in rows if "alembic" not in row[0]}


def unquoted(value: object) -> object:
    return value.replace('"', "") if isinstance(value, str) else value


_LOOKS = {
    # A table's own text has its columns, keys and WITHOUT ROWID; an index's its condition.
    "sqlite": ["SELECT name, tbl_name, sql FROM sqlite_master"],
    "postgresql": [
        """SELECT relname, relkind, reloptions, relpersistence FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace""",
        """SELECT relname || '.' || attname,
                row_number() OVER (PARTITION BY attrelid ORDER BY attnum),
                format_type(atttypid, atttypmod), collname,
                attnotnull, attidentity, pg_get_expr(adbin, adrelid)
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            LEFT JOIN pg_collation ON pg_collation.oid = attcollation
            LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE relnamespace = current_schema()::regnamespace AND attnum > 0
                AND NOT attisdropped""",
        """SELECT 'constraint ' || conname, conrelid::regclass::text, pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = current_schema()::regnamespace""",
        """SELECT 'index ' || indexname, tablename, indexdef FROM pg_indexes
            WHERE schemaname = current_schema()""",
    ],
}


def test_from_nothing_they_make_what_the_metadata_say(engine: Engine, database: Database) -> None:
    bring_up_to_date(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, [metadata, METADATA]) == []  # type: ignore[arg-type] # takes several, too
        found = catalog(connection)
    with fresh_ledger(engine, empty=True) as url:
        other = Database.open(url)
        Ledger(other).create_schema()
        with other.transaction() as connection:
            create_card_schema(connection)
            expected = catalog(connection)
        other.close()
    assert found == expected


def test_rows_collations_and_fill_factors_are_as_asked_for(
    engine: Engine, database: Database
) -> None:
    bring_up_to_date(database)
    with database.reading() as connection:
        found = catalog(connection)
    if engine is Engine.SQLITE:
        assert "WITHOUT ROWID" in found["entries"][-1]
        assert "WHERE state = 'pending'" in found["holds_expiry"][-1]
    else:
        assert found["accounts"][1] == ["fillfactor=50"]
        assert found["accounts.kind"][2] == "C"
        assert "WHERE ((state)::text = 'pending'::text)" in found["index holds_expiry"][-1]


def test_alembic_itself_finds_nothing_to_do(url: str, database: Database) -> None:
    """As somebody who writes a revision asks it, with the configuration of pyproject.toml."""
    bring_up_to_date(database)
    ended = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        cwd=MIGRATIONS.parent.parent,
        env={**os.environ, "CARDRAIL_LEDGER": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (ended.returncode, ended.stdout) == (0, "No new upgrade operations detected.\n"), ended


def test_the_history_is_one_line_and_its_files_are_named_by_it() -> None:
    scripts = [*ScriptDirectory(MIGRATIONS).walk_revisions()][::-1]
    assert [each.revision for each in scripts] == known_revisions()
    assert [each.down_revision for each in scripts] == [None, *known_revisions()[:-1]]
    assert [each.revision for each in history()] == known_revisions()


def test_revisions_know_nothing_of_todays_tables() -> None:
    for path in MIGRATIONS.glob("versions/r*.py"):
        words = path.read_text().split()
        assert not {"ledger.tables", "gateway.cards", "ledger", "gateway"} & set(words), path.name


def test_they_are_in_the_wheel_and_so_is_the_style_of_the_pages(tmp_path: Path) -> None:
    root, copy = MIGRATIONS.parent.parent, tmp_path / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, copy)
    for name in ("cardrail", "gateway", "ledger"):
        shutil.copytree(root / name, copy / name)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('..'))"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "wheel", "zip")
    shipped = tmp_path / "wheel" / "cardrail" / "migrations"
    assert known_revisions(shipped) == known_revisions()
    assert (shipped / "env.py").is_file()
    assert (tmp_path / "wheel" / "gateway" / "dashboard" / "style.css").is_file()


# --- forth, back, twice, and at once ---


def test_what_is_up_to_date_stays_as_it_is(database: Database) -> None:
    assert current_revision(database) == ""
    assert change_revision(database, NEWEST) == ""
    books = Ledger(database)
    with database.reading() as connection:
        before = catalog(connection)
    for _ in range(2):
        bring_up_to_date(database)
        assert change_revision(database, NEWEST) == NEWEST
    books.create_schema()  # finds everything made
    with database.reading() as connection:
        assert catalog(connection) == before
        assert audit(connection).clean
    assert current_revision(database) == NEWEST


def test_a_step_forth_and_back_keeps_what_is_in_the_tables(
    url: str, database: Database, newer: Path
) -> None:
    bring_up_to_date(database)
    books = Books(url)
    books.ask(books.authorize(300))
    assert change_revision(database, NEXT, newer) == NEWEST
    with database.reading() as connection:
        assert "colour" in {each["name"] for each in inspect(connection).get_columns("spending")}
    assert change_revision(database, NEWEST, newer) == NEXT
    require_newest(database)
    books.must_balance()
    books.close()


@pytest.mark.parametrize("earlier", known_revisions()[:-1])
def test_from_every_revision_there_is_a_way_to_the_newest(
    url: str, database: Database, earlier: str
) -> None:
    """With rows in the tables; and back, where there is a way back."""
    bring_up_to_date(database)
    books = Books(url)
    books.ask(books.clear(300))
    with database.reading() as connection:
        newest = catalog(connection)
    assert change_revision(database, earlier) == NEWEST
    with database.reading() as connection:
        assert catalog(connection) != newest
    bring_up_to_date(database)
    with database.reading() as connection:
        assert catalog(connection) == newest
    books.must_balance()
    books.close()


def test_repeats_are_known_again_after_their_keys_have_changed(
    url: str, database: Database
) -> None:
    """Revision 0004 tells the day of request keys that were written before it."""
    bring_up_to_date(database)
    books = Books(url)
    asked = [
        books.authorize(100, books.origin(trace="0115091530000042400552")),
        books.authorize(100, books.origin(trace="no day")),
    ]
    first = books.ledger.apply(asked)
    change_revision(database, "0003")
    bring_up_to_date(database)
    again = [msgspec.structs.replace(each, replayed=True) for each in first]
    assert books.ledger.apply(asked) == again
    cleared = books.clear(100, Reference(approval_code="123456", days=("0115",)))
    assert books.ask(cleared).authorization_id == first[0].authorization_id
    books.close()


def test_a_step_that_has_no_way_back_says_why_and_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    newer = with_revision(tmp_path, NO_WAY_BACK)
    bring_up_to_date(database, newer)
    with pytest.raises(SchemaRefused, match=f"stays at revision {NEXT}: colours would be lost"):
        change_revision(database, NEWEST, newer)
    assert current_revision(database, newer) == NEXT


def test_a_step_that_fails_leaves_everything_as_it_was(database: Database, tmp_path: Path) -> None:
    broken = NEXT_REVISION.replace(
        "\n\ndef downgrade", "    op.drop_table('nothing')\n\ndef downgrade"
    )
    newer = with_revision(tmp_path, broken)
    bring_up_to_date(database)
    with database.reading() as connection:
        before = catalog(connection)
    with pytest.raises(DBAPIError, match="nothing"):
        bring_up_to_date(database, newer)
    with database.reading() as connection:
        assert catalog(connection) == before
    assert current_revision(database) == NEWEST


@pytest.mark.parametrize("attempt", range(2))
def test_several_that_start_at_once_do_not_collide(url: str, attempt: int) -> None:
    command = [sys.executable, "-m", "cardrail", "ledger", "init", "--ledger", url]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ended = [(each.communicate(timeout=100), each.returncode) for each in started]
    assert [(err, code) for (_, err), code in ended] == [("", 0)] * 4, attempt
    assert run(url, "audit").exit_code == 0


# --- what is refused ---


def test_a_newer_database_is_refused_by_every_command(
    url: str, database: Database, newer: Path
) -> None:
    bring_up_to_date(database, newer)
    told = (
        f"is at revision {NEXT}, which this program does not know (its newest is {NEWEST}):"
        " a newer cardrail has brought it there, and is needed to use it\n"
    )
    for command in ("init", "migrate", "seed", "audit", "expire"):
        result = run(url, command)
        assert (result.exit_code, result.stderr) == (2, f"the ledger at {url} {told}")


def test_an_older_database_is_read_after_it_has_been_brought_up_to_date(
    database: Database, newer: Path
) -> None:
    bring_up_to_date(database)
    told = f"is at revision {NEWEST}, and revision {NEXT} is needed: .* `cardrail ledger migrate`"
    with pytest.raises(SchemaRefused, match=told):
        require_newest(database, newer)
    bring_up_to_date(database, newer)
    require_newest(database, newer)


def test_tables_from_before_there_were_revisions_are_refused(url: str, database: Database) -> None:
    Ledger(database).create_schema()
    for command in ("init", "migrate", "audit"):
        result = run(url, command)
        assert result.exit_code == 2
        assert "has tables but no revision" in result.stderr
        assert "make a new ledger under another name with `cardrail ledger init`" in result.stderr


def test_tables_of_somebody_else_are_left_alone(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (number integer)")
    bring_up_to_date(database)
    with database.reading() as connection:
        assert inspect(connection).has_table("theirs")


# --- cardrail ledger migrate ---


def test_migrate_as_a_person_sees_it(url: str, database: Database) -> None:
    ledger = f"ledger {url} "
    titles = [f"  {each.revision}  {each.title}" for each in history()]
    with database.reading():  # so that there is a file
        pass
    assert run(url, "migrate", "--show").stdout.splitlines() == [
        f"{ledger}has no tables yet",
        *titles,
    ]
    assert run(url, "migrate").stdout == f"{ledger}went from no tables to revision {NEWEST}\n"
    assert run(url, "migrate").stdout == f"{ledger}is at revision {NEWEST}, the newest\n"
    assert run(url, "migrate", "--show").stdout.splitlines()[-1] == f"{titles[-1]}  (here)"
    told = json.loads(run(url, "migrate", "--to", NEWEST, "--json").stdout)
    assert (told["before"], told["revision"]) == (NEWEST, NEWEST)
    known = ", ".join(known_revisions())
    refused = run(url, "migrate", "--to", "9999")
    assert refused.exit_code == 2
    expected = f"the ledger at {url} has no revision 9999: expected one of {known}\n"
    assert refused.stderr == expected


def test_the_first_revision_is_not_taken_back(url: str, database: Database) -> None:
    bring_up_to_date(database)
    ended = subprocess.run(
        [sys.executable, "-m", "alembic", "downgrade", "base"],
        cwd=MIGRATIONS.parent.parent,
        env={**os.environ, "CARDRAIL_LEDGER": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 1
    assert "before revision 0001 there are no tables, and no money in them" in ended.stderr
    require_newest(database)
