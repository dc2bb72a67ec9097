"""The rules that `tables.py` states of itself."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import Float, Numeric, PrimaryKeyConstraint, Table, UniqueConstraint

from ledger import rows
from ledger.tables import metadata

STRUCTS: dict[str, type[msgspec.Struct]] = {
    "accounts": rows.Account,
    "authorizations": rows.Authorization,
    "holds": rows.Hold,
    "spending": rows.Spending,
    "reversals": rows.Reversal,
    "clearings": rows.Clearing,
    "entries": rows.Entry,
    "events": rows.EventRow,
    "positions": rows.Position,
    "points": rows.Points,
    "requests": rows.Request,
}
TABLES = [pytest.param(table, id=table.name) for table in metadata.sorted_tables]


def test_every_table_has_its_struct() -> None:
    assert set(STRUCTS) == set(metadata.tables)


@pytest.mark.parametrize("table", [pytest.param(metadata.tables[n], id=n) for n in STRUCTS])
def test_columns_stand_in_the_order_of_the_fields(table: Table) -> None:
    fields = [field.name for field in msgspec.structs.fields(STRUCTS[table.name])]
    assert fields == [column.name for column in table.columns]


@pytest.mark.parametrize("table", TABLES)
def test_the_account_is_in_every_key(table: Table) -> None:
    kinds = (PrimaryKeyConstraint, UniqueConstraint)
    keys = [each.columns for each in table.constraints if isinstance(each, kinds)]
    assert keys
    assert all("account_id" in key for key in keys)
    assert not any(index.unique for index in table.indexes)


@pytest.mark.parametrize("table", TABLES)
def test_no_floats_sequences_or_foreign_keys(table: Table) -> None:
    for column in table.columns:
        assert not isinstance(column.type, (Float, Numeric))
        assert column.autoincrement is not True
        assert column.default is None
        assert column.nullable is False
    assert not table.foreign_keys
