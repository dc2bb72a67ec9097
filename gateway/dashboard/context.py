"""What every page looks at: gathered by tasks of the process, read by whoever has a page open."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.audit_watch import AuditWatch
from gateway.dashboard.alerts import Glance
from gateway.dashboard.last_declines import LastDeclines
from gateway.dashboard.live import LiveEvents
from gateway.dashboard.watch import Watch
from gateway.inspector.inspector import Inspector
from gateway.inspector.recorder import Recorder
from gateway.ledger_watch import LedgerWatch
from gateway.response_codes import ISSUER_UNAVAILABLE
from ledger.database import Database

_WORKING = frozenset({"connected", "signed-on"})
_MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardContext:
    """Of one process. `live` is ``None`` where no broker is named."""

    database: Database
    inspector: Inspector
    watch: Watch
    audits: AuditWatch
    ledger: LedgerWatch
    recorder: Recorder
    declines: LastDeclines
    live: LiveEvents | None

    def glance(self, now: float) -> Glance:
        """What there is to be alarmed about at `now` (seconds since the epoch)."""
        survey, minute = self.watch.survey, self.watch.last(_MINUTE)
        audit, ledger = self.audits.latest, self.ledger.latest
        queued = [each.ledger.waiting_count / each.ledger.capacity for each in survey.snapshots]
        links: dict[str, int] = {}
        for link in survey.links:
            links[link.network] = links.get(link.network, 0) + (link.state in _WORKING)
        lags = () if ledger is None else ledger.lags
        undecided = sum(
            count
            for reason, count in minute.declined.items()
            if reason.response_code == ISSUER_UNAVAILABLE
        )
        decided = sum(minute.decided.values())
        return Glance(
            workers=len(survey.snapshots),
            unreachable=len(survey.unreachable),
            links=links,
            expected=frozenset(
                network.network
                for snapshot in survey.snapshots
                for network in snapshot.networks
                if network.opened_count
            ),
            books_clean=None if audit is None else audit.clean,
            audit_age=None if audit is None else now - audit.at,
            approval=minute.approval_part,
            undecided=undecided,
            undecided_part=undecided / decided if decided else 0.0,
            queue_part=max(queued, default=0.0),
            commit_p99=minute.commit.quantile(0.99),
            lags={each.reader: now - each.since / 1e6 for each in lags if each.since},
            overdue_holds=0 if ledger is None else ledger.overdue_count,
        )
