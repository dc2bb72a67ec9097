"""What each lamp says, by what is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.audit_watch import AuditResult, AuditWatch
from gateway.control_client import GatewayControl
from gateway.dashboard.alerts import alerts
from gateway.dashboard.context import DashboardContext
from gateway.dashboard.last_declines import LastDeclines
from gateway.dashboard.live import LiveEvents
from gateway.dashboard.overview_markup import age, alert_list, declines, lamps, tiles, verdict
from gateway.dashboard.watch import Watch
from gateway.inspector.inspector import Inspector
from gateway.inspector.journal import FILE_NAME, Journal
from gateway.inspector.recorder import Recorder
from gateway.ledger_watch import LedgerFigures, LedgerWatch
from gateway.publishing_terms import BrokerAddress
from ledger.audit import AuditReport, Disagreement
from ledger.outbox_watch import Lag
from tests.gateway.dashboard.snapshots import APPROVED, NO_FUNDS, link, snapshot, survey
from tests.ledger.books import Books

NOW = 1000.0


@pytest.fixture
def context(tmp_path: Path) -> Iterator[DashboardContext]:
    """Of a process that has just started."""
    control = GatewayControl(tmp_path)
    with (
        closing(Books(f"sqlite:///{tmp_path}/ledger.db")) as books,
        closing(Journal(tmp_path / FILE_NAME, most=1)) as journal,
    ):
        yield DashboardContext(
            database=books.database,
            inspector=Inspector(books.database, tmp_path / FILE_NAME),
            watch=Watch(control),
            audits=AuditWatch(books.database, seconds=60.0),
            ledger=LedgerWatch(books.database, seconds=5.0),
            recorder=Recorder(control, journal),
            declines=LastDeclines(control),
            live=LiveEvents(BrokerAddress.of("mqtt://127.0.0.1:1"), "cardrail"),
        )


def said(context: DashboardContext) -> dict[str, tuple[str, str]]:
    """Tone and value of each lamp."""
    found = re.findall(
        r'class="card (\w+)" data-lamp="(\w+)">.*?class="value">(.*?)</p>', lamps(context, NOW)
    )
    return {name: (tone, value) for tone, name, value in found}


def audited(context: DashboardContext, *wrong: Disagreement) -> None:
    report = AuditReport({"entries": 12_000}, {}, wrong)
    context.audits._latest = AuditResult(at=NOW - 30, seconds=0.2, report=report)


def told(context: DashboardContext, *lags: Lag) -> None:
    context.ledger._latest = LedgerFigures(
        at=NOW, hold_ages=(), overdue_count=0, lags=lags, unnumbered_count=0, clearing_lags={}
    )


def test_before_anything_is_known_no_lamp_is_green(context: DashboardContext) -> None:
    assert said(context) == {
        "visanet": ("bad", "no link"),
        "quicpay": ("bad", "no link"),
        "books": ("unknown", "not audited yet"),
        "approved": ("unknown", "no requests"),
        "gateway": ("bad", "down"),
        "events": ("unknown", "not looked at yet"),
    }


def test_when_all_is_well_every_lamp_is_green(context: DashboardContext) -> None:
    links = [link(1), link(2, "quicpay")]
    context.watch.take(survey(snapshot({APPROVED: 0}, links=links)), NOW - 1, 1.0)
    context.watch.take(survey(snapshot({APPROVED: 9, NO_FUNDS: 1}, links=links)), NOW, 2.0)
    audited(context)
    told(context, Lag("mqtt", 0, 0), Lag("points", 1, int((NOW - 2) * 1e6)))
    assert context.live is not None
    context.live.is_connected = True
    assert said(context) == {
        "visanet": ("good", "1 link up"),
        "quicpay": ("good", "1 link up"),
        "books": ("good", "balance"),
        "approved": ("good", "90.0%"),
        "gateway": ("good", "1 process"),
        "events": ("good", "published"),
    }
    found = alerts(context.glance(NOW))
    assert found == []
    assert "All is well" in verdict(found, context.glance(NOW))
    assert "51, insufficient funds" in declines(context.watch.last(60.0))
    assert "answers a second" in tiles(context)


def test_what_is_wrong_is_told(context: DashboardContext) -> None:
    context.watch.take(survey(snapshot(links=[link(1, state="signed-off")])), NOW - 1, 1.0)
    context.watch.take(
        survey(snapshot({NO_FUNDS: 4}, links=[link(1, state="signed-off")]), unreachable=(2,)),
        NOW,
        2.0,
    )
    audited(context, Disagreement("posted", "account <17>", "5", "4"))
    told(context, Lag("mqtt", 900, int((NOW - 300) * 1e6)))
    assert context.live is not None
    context.live.is_connected = True
    assert said(context) == {
        "visanet": ("bad", "signed off"),
        "quicpay": ("bad", "no link"),
        "books": ("bad", "1 disagree"),
        "approved": ("warning", "0.0%"),
        "gateway": ("bad", "1 process"),
        "events": ("warning", "5 min behind"),
    }
    assert "account &lt;17&gt;" in lamps(context, NOW)
    found = alerts(context.glance(NOW))
    assert {each.name for each in found} == {
        "CardrailBooksDoNotBalance",
        "CardrailNetworkDown",
        "CardrailWorkerDown",
        "CardrailApprovalsLow",
        "CardrailReaderBehind",
    }
    assert "no link of visanet takes requests" in alert_list(found)
    assert "5 alerts" in verdict(found, context.glance(NOW))


def test_a_lost_link_is_told_beside_those_that_work(context: DashboardContext) -> None:
    context.watch.take(survey(snapshot(links=[link(1), link(2)])), NOW - 9, 1.0)
    context.watch.take(survey(snapshot(links=[link(2)])), NOW - 5, 2.0)
    assert said(context)["visanet"] == ("warning", "1 link up")
    assert "127.0.0.1:40001 lost 5 s ago" in lamps(context, NOW)


@pytest.mark.parametrize(
    ("readers", "tone", "value"),
    [((), "unknown", "not published"), (("mqtt",), "bad", "no broker")],
)
def test_events_need_a_publisher_and_a_broker(
    context: DashboardContext, readers: tuple[str, ...], tone: str, value: str
) -> None:
    told(context, *(Lag(each, 0, 0) for each in readers))
    assert said(context)["events"] == (tone, value)


@pytest.mark.parametrize(
    ("seconds", "told_"),
    [(-1.0, "0 s"), (59.0, "59 s"), (130.0, "2 min"), (7300.0, "2 h"), (200_000.0, "2 d")],
)
def test_ages_are_rough(seconds: float, told_: str) -> None:
    assert age(seconds) == told_
