"""Links of every gateway process: what they are, and what an operator does to them."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

import anyio.from_thread
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from gateway.api.context import OpsContext
from gateway.api.problems import Problem, not_found
from gateway.api.writes import Writes, Writing
from gateway.control_client import CommandRefused, WorkerUnreachable
from gateway.control_messages import LinkAction
from gateway.open_links import UnknownLink
from gateway.operator_commands import Act
from gateway.snapshot import LinkSnapshot


class LinkView(BaseModel):
    """One link of a network."""

    link_id: str = Field(description="Never used again.")
    network: str
    peer: str = Field(description="The address that it came from.")
    state: str
    opened_at: datetime
    unanswered_count: int = Field(description="Requests under way on it.")


class Links(BaseModel):
    """The links of all gateway processes that answer."""

    links: list[LinkView]
    workers: list[int] = Field(description="The gateway processes that answer.")
    unreachable: list[int] = Field(description="Those that do not, whose links nobody knows.")


class Begun(BaseModel):
    """The action was begun; the list of links shows what came of it."""

    link_id: str
    action: LinkAction


def links_router(context: OpsContext) -> APIRouter:
    """`/links`."""
    router = APIRouter(tags=["links"], prefix="/links")
    writes = Writes(context)

    @router.get("", summary="The links of all gateway processes")
    async def list_() -> Links:
        found = await context.control.survey()
        return Links(
            links=[_view(each) for each in found.links],
            workers=[each.worker for each in found.snapshots],
            unreachable=[*found.unreachable],
        )

    @router.post(
        "/{link_id}/{action}",
        summary="Sign off, sign on, or drop a link",
        response_model=Begun,
        status_code=HTTPStatus.ACCEPTED,
    )
    def command(
        link_id: str, action: LinkAction, writing: Annotated[Writing, Depends()]
    ) -> Response:
        """Signing off and on asks the network, which has to agree; dropping asks nobody."""

        def work(_act: Act) -> Begun:
            try:
                anyio.from_thread.run(context.control.command, link_id, action)
            except UnknownLink as error:
                raise not_found(str(error)) from None
            except CommandRefused as error:
                raise Problem(HTTPStatus.CONFLICT, "link-state", str(error)) from None
            except WorkerUnreachable as error:
                told = f"{error}: whether it was begun, the list of links tells"
                raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "unreachable", told) from None
            return Begun(link_id=link_id, action=action)

        return writes.once(writing, None, work, HTTPStatus.ACCEPTED)

    return router


def _view(link: LinkSnapshot) -> LinkView:
    return LinkView(
        link_id=link.link_id,
        network=link.network,
        peer=f"{link.host}:{link.port}",
        state=link.state,
        opened_at=datetime.fromtimestamp(link.opened_at, UTC),
        unanswered_count=link.unanswered_count,
    )
