"""How commands open the ledger, and tell what is wrong with it: one line on stderr, exit 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from cardrail.keys import KeyFileError
from cardrail.migrating import SchemaRefused, require_newest
from cardrail.settings import SettingsError, masked_url
from gateway.cards import CardRefused
from ledger.database import Database

Url = Annotated[
    str, typer.Option("--ledger", envvar="CARDRAIL_LEDGER", help="The ledger's database URL.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
DEFAULT_URL = "sqlite:///cardrail.db"
_HOW_TO_MAKE = " (a new one is made by `cardrail ledger init`)"


@contextmanager
def opened(
    url: str,
    *,
    is_made: bool = False,
    prepare: Callable[[Database], object] = require_newest,
) -> Iterator[Database]:
    """The database, with every foreseeable failure as one line on stderr and exit 2.

    Only where `is_made` may it be a new one. `prepare` sees to its tables first.
    """
    try:
        database = Database.open(url, must_exist=not is_made)
    except (ValueError, SQLAlchemyError) as error:
        fail(f"{error}{_HOW_TO_MAKE}")
    try:
        prepare(database)
        yield database
    except SchemaRefused as error:
        fail(f"the ledger at {masked_url(url)} {error}")
    except (CardRefused, KeyFileError, SettingsError) as error:
        fail(str(error))
    except Exception as error:
        if not (isinstance(error, SQLAlchemyError) or database.is_operating_error(error)):
            raise
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        fail(f"the ledger at {masked_url(url)}: {reason}{_HOW_TO_MAKE}")
    finally:
        database.close()


def fail(reason: str) -> NoReturn:
    """One line on stderr, exit 2."""
    typer.echo(reason, err=True)
    raise typer.Exit(2)
