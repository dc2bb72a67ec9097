"""Whatever is asked of a ledger, in any order: its days reconcile, and its positions agree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.commands import (
    Advise,
    AnyCommand,
    Authorize,
    Clear,
    Fund,
    Origin,
    Purpose,
    Reference,
    Resolve,
    Reverse,
)
from ledger.database import Database
from ledger.ledger import Ledger, Wallet
from ledger.money import Money
from ledger.open_items import open_items
from ledger.reconciliation import reconcile
from ledger.report_lines import Section
from ledger.settlement import settlement_positions
from tests.ledger.books import DAY, NOW
from tests.ledger.engines import Engine, fresh_ledger

DAYS = (20270115, 20270116)
NAMES = ["A", "B", "C", "D"]
EXPIRE = "expire"

# Few names, so that they meet; clearings have few keys too, to be undone and resolved by them.
names = st.sampled_from(NAMES)
keys = st.builds("{}|{}".format, names, st.integers(1, 99))
clearing_keys = st.builds("{}|clearing {}".format, names, st.integers(1, 4))
references = st.builds(Reference, transaction_id=names)
amounts = st.builds(Money, st.integers(1, 400), st.sampled_from(["JPY"] * 19 + ["USD"]))


def common(keys: st.SearchStrategy[str]) -> dict[str, Any]:
    origins = st.builds(
        Origin,
        network=st.sampled_from(["visanet"] * 9 + ["quicpay"]),
        request_key=keys,
        transaction_id=names,
        rrn=names,
        fingerprint=st.just(""),
    )
    return {
        "account_id": st.sampled_from([1] * 6 + [2]),
        "origin": origins,
        "at": st.just(NOW),
        "day": st.sampled_from(DAYS),
    }


requested: dict[str, Any] = {
    **common(keys),
    "purpose": st.sampled_from([Purpose.PURCHASE] * 6 + list(Purpose)),
    "amount": amounts,
    "approval_code": st.just("123456"),
    "expires_at": st.sampled_from([NOW, NOW + DAY, NOW + DAY]),
}
authorizations = st.builds(
    Authorize,
    **requested,
    partial_allowed=st.booleans(),
    increment_of=st.none() | references,
    repeats_within=st.sampled_from([0, 0, 0, DAY]),
)
clearings = st.builds(
    Clear,
    **common(clearing_keys),
    reference=st.sampled_from([references] * 4 + [st.just(Reference())]).flatmap(lambda each: each),
    amount=amounts,
    credit=st.sampled_from([False, False, True]),
    count=st.sampled_from([0, 2]),
    fee=st.sampled_from([0, 5]),
)
advices = st.builds(Advise, **requested, approved=st.booleans(), reference=references)
reversals = st.builds(
    Reverse, **common(keys), reference=references, amount=amounts, replacement=st.none() | amounts
)
undoings = st.builds(
    Clear,
    **common(keys),
    reference=st.just(Reference()),
    amount=st.sampled_from([Money(0, "JPY"), Money(30, "JPY")]),
    undoes=clearing_keys,
)
fundings = st.builds(Fund, **common(keys), amount=amounts, to_value=st.booleans())
resolutions = st.builds(
    Resolve,
    **common(keys),
    clearing_key=clearing_keys,
    reference=st.none() | references,
)
# `one_of` would take each of them once.
weighted: list[st.SearchStrategy[Any]] = [
    *[authorizations] * 8,
    *[clearings] * 10,
    *[undoings, resolutions] * 2,
    *[advices, reversals, fundings, st.just(EXPIRE)],
]
steps = st.sampled_from(weighted).flatmap(lambda chosen: chosen)
stories = st.lists(steps, min_size=20, max_size=50)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("engine", "examples"), [(Engine.SQLITE, 40), (Engine.POSTGRESQL, 10)], ids=str
)
def test_anything_reconciles(engine: Engine, examples: int) -> None:
    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
    @given(stories)
    def run(story: list[AnyCommand | str]) -> None:
        with fresh_ledger(engine) as url:
            database = Database.open(url)
            tell(Ledger(database), story)
            must_reconcile(database)
            database.close()

    run()


def tell(ledger: Ledger, story: list[AnyCommand | str]) -> None:
    ledger.create_schema()
    for number in (1, 2):
        wallet = Wallet(
            account_id=number, currency="JPY", at=NOW, opening_balance=1000, day=DAYS[0]
        )
        ledger.open_wallet(wallet)
    for step in story:
        if isinstance(step, str):
            ledger.expire(NOW)
        else:
            ledger.apply([step])


def must_reconcile(database: Database) -> None:
    with database.reading() as connection:
        settled = settlement_positions(connection)
        report = reconcile(connection, DAYS)
        items = list(open_items(connection, DAYS, 0, limit=1000))
    assert all(each.agrees for each in settled), settled
    assert report.reconciled, report.disagreements
    closing = [each for each in report.lines if each.section is Section.CLOSING]
    owed = sum(each.amount for each in closing if each.day == DAYS[1] and each.item == "settlement")
    assert owed == sum(each.net for each in settled)
    for why in ("forced", "suspense"):
        lines = [
            each for each in report.lines if (each.section, each.item) == (Section.UNMATCHED, why)
        ]
        of_it = [each for each in items if each.why == why]
        assert len(of_it) == sum(line.count for line in lines)
        assert sum(each.amount for each in of_it) == sum(line.amount for line in lines)
