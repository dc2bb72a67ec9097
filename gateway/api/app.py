"""The application: every resource on one FastAPI app."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from gateway.api.accounts import accounts_router
from gateway.api.authorizations import authorizations_router
from gateway.api.cards import card_changes_router, cards_router
from gateway.api.context import OpsContext
from gateway.api.doors import BODY_MOST, Doors
from gateway.api.exceptions import exceptions_router
from gateway.api.health import health_router
from gateway.api.holds import holds_router
from gateway.api.links import links_router
from gateway.api.metrics import metrics_router
from gateway.api.problems import PROBLEMS, install
from gateway.api.reissues import reissues_router
from gateway.api.reports import reports_router
from gateway.api.stream import stream_router

VERSION = "1"
PREFIX = f"/api/v{VERSION}"

_RESOURCES = (
    links_router,
    authorizations_router,
    accounts_router,
    holds_router,
    cards_router,
    reissues_router,
    card_changes_router,
    exceptions_router,
    reports_router,
    stream_router,
)
_DESCRIPTION = """\
For the person on call: links, authorizations, holds, cards, exceptions and reports of one issuer.

Amounts are integers in minor units of an ISO 4217 currency, times are UTC, business days YYYYMMDD,
and ids are decimal texts (63 bits are more than a JavaScript number has). Errors are
`application/problem+json` (RFC 9457). Every write needs an `Idempotency-Key`.
"""


def create_app(context: OpsContext) -> FastAPI:
    """The API over `context`; pages are mounted on it by whoever runs it."""
    app = FastAPI(
        title="Cardrail operations",
        version=VERSION,
        description=_DESCRIPTION,
        docs_url=None,  # its pages load scripts from elsewhere; the document itself is here
        redoc_url=None,
    )
    install(app, context.database)
    app.add_middleware(Doors, hosts=context.hosts)
    app.include_router(health_router(context))
    app.include_router(metrics_router(context))
    api = APIRouter(prefix=PREFIX, responses=PROBLEMS, max_body_size=BODY_MOST)
    for router in _RESOURCES:
        api.include_router(router(context))
    app.include_router(api)
    return app
