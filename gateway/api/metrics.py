"""The metrics of all gateway processes, the ledger and the audit, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from gateway.api.context import OpsContext
from gateway.exposition import Observed, exposition


def metrics_router(context: OpsContext) -> APIRouter:
    """`/metrics`."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics", summary="Metrics in the format of Prometheus", response_class=Response)
    async def metrics(request: Request) -> Response:
        observed = Observed(
            gateways=await context.control.survey(),
            ledger=context.figures.latest,
            audit=context.audits.latest,
        )
        body, content_type = exposition(observed, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    return router
