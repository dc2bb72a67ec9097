"""What Alembic runs: the revisions, on the connection it is given or on the ledger's database.

`cardrail.migrating` gives a connection with a transaction open. Without one, which is how Alembic's
own command calls it, the database is that of the settings (CARDRAIL_LEDGER).
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from cardrail.settings import read_settings
from gateway.kept_answers import METADATA
from ledger.database import Database
from ledger.tables import metadata


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=[metadata, METADATA])
    with context.begin_transaction():
        context.run_migrations()


def _run_on_its_own() -> None:
    database = Database.open(read_settings().ledger)
    try:
        with database.transaction() as connection:
            _run(connection)
    finally:
        database.close()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    _run_on_its_own()
else:
    _run(given)
