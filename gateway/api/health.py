"""Is this process alive, and can it serve?"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import select

from gateway.api.context import OpsContext
from ledger.tables import accounts


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether requests can be served: every check is `ok`, or says what is wrong."""

    ready: bool
    checks: dict[str, str]


def health_router(context: OpsContext) -> APIRouter:
    """`/healthz` and `/readyz`; neither is versioned, for probes are configured once."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Whether the process answers")
    async def healthz() -> Health:
        return Health()

    @router.get(
        "/readyz",
        summary="Whether requests can be served",
        responses={HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness}},
    )
    def readyz(response: Response) -> Readiness:
        checks = {"ledger": _ledger(context)}
        ready = all(told == "ok" for told in checks.values())
        if not ready:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Readiness(ready=ready, checks=checks)

    return router


def _ledger(context: OpsContext) -> str:
    try:
        with context.database.reading() as connection:
            connection.execute(select(accounts.c.account_id).limit(1)).first()
    except Exception as error:
        if not context.database.is_operating_error(error):
            raise
        return "the database does not answer"
    return "ok"
