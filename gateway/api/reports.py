"""Reports: settlement positions, reconciliation, and the last audit."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from gateway.api.context import OpsContext, now
from gateway.api.fields import Day, model_of
from gateway.api.problems import Problem
from ledger.audit import Disagreement
from ledger.open_items import OpenItem, open_items
from ledger.reconciliation import PENDING_DAYS, reconcile
from ledger.reconciliation_checks import Check
from ledger.report_lines import Line
from ledger.settlement import SettlementPosition, Within, settlement_positions

_DAYS_MOST = 31
_SHOWN_MOST = 100


def _date(day: int) -> int:
    try:
        datetime.strptime(str(day), "%Y%m%d")  # noqa: DTZ007 - a day is in no time zone
    except ValueError:
        raise ValueError("expected a date as YYYYMMDD") from None
    return day


DayQuery: TypeAlias = Annotated[int, AfterValidator(_date), Query(ge=20000101, le=29991231)]

PositionView = model_of(SettlementPosition, net=int, agrees=bool)
LineView = model_of(Line)
CheckView = model_of(Check, agrees=bool)
ItemView = model_of(OpenItem)
DisagreementView = model_of(Disagreement)


class Positions(BaseModel):
    """What is owed to each network; `agree` tells whether three ways to work it out do."""

    agree: bool
    positions: list[PositionView]  # type: ignore[valid-type] # made from the ledger's struct


class ReconciliationView(BaseModel):
    """Authorizations, clearings and general ledger of business days side by side."""

    reconciled: bool
    days: list[Day]
    pending_days: int
    lines: list[LineView]  # type: ignore[valid-type] # made from the ledger's struct
    checks: list[CheckView]  # type: ignore[valid-type] # made from the ledger's struct
    details: list[ItemView] | None  # type: ignore[valid-type] # made from the ledger's struct


class AuditView(BaseModel):
    """The last replay of the books against their balances."""

    at: datetime
    seconds: float = Field(description="How long it took.")
    clean: bool = Field(description="Whether the books balance.")
    counts: dict[str, int] = Field(description="Rows of each table.")
    disagreements_count: int
    disagreements: list[DisagreementView]  # type: ignore[valid-type] # made from the ledger's struct


def reports_router(context: OpsContext) -> APIRouter:
    """`/reports`."""
    router = APIRouter(tags=["reports"], prefix="/reports")

    @router.get("/position", summary="What is owed to each network for each business day")
    def position(
        first: DayQuery | None = None,
        last: DayQuery | None = None,
        network: Annotated[str | None, Query(pattern=r"^[a-z0-9_-]{1,20}$")] = None,
    ) -> Positions:
        with context.database.reading() as connection:
            found = settlement_positions(connection, Within(first, last, network))
        rows = [{**_plain(each), "net": each.net, "agrees": each.agrees} for each in found]
        return Positions(agree=all(each.agrees for each in found), positions=rows)

    @router.get("/reconciliation", summary="Whether business days are reconciled")
    def reconciliation(
        day: Annotated[
            list[DayQuery] | None,
            Query(max_length=_DAYS_MOST, description="Again for more; else today."),
        ] = None,
        *,
        pending_days: Annotated[int, Query(ge=0, le=366)] = PENDING_DAYS,
        details: Annotated[bool, Query(description="Name the records behind it.")] = False,
        limit: Annotated[int, Query(ge=1, le=1000)] = _SHOWN_MOST,
    ) -> ReconciliationView:
        days = day or [context.business_day(now())]
        with context.database.reading() as connection:
            found = reconcile(connection, days, pending_days=pending_days)
            items = None
            if details:
                items = [*open_items(connection, found.days, pending_days, limit=limit)]
        return ReconciliationView(
            reconciled=found.reconciled,
            days=[*found.days],
            pending_days=found.pending_days,
            lines=[*map(_plain, found.lines)],
            checks=[{**_plain(each), "agrees": each.agrees} for each in found.checks],
            details=None if items is None else [*map(_plain, items)],
        )

    @router.get("/audit", summary="Whether the books balanced when they were last audited")
    def audit() -> AuditView:
        latest = context.audits.latest
        if latest is None:
            told = "the books have not been audited yet since this process began"
            headers = {"Retry-After": "1"}
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not-yet", told, headers=headers)
        report = latest.report
        return AuditView(
            at=datetime.fromtimestamp(latest.at, UTC),
            seconds=latest.seconds,
            clean=latest.clean,
            counts=report.counts,
            disagreements_count=len(report.disagreements),
            disagreements=[*map(_plain, report.disagreements[:_SHOWN_MOST])],
        )

    return router


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(struct)
