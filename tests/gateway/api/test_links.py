"""Links and the live stream over HTTP, of a real gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from gateway.api.app import create_app
from gateway.api.context import OpsContext
from gateway.kept_answers import KEPT_ANSWERS
from networks.wire.pan import synthetic_pan
from networks.wire.session_events import LinkOpened
from tests.gateway.api.ops import context_over
from tests.gateway.controlling import controlled, runtime_folder, survey_until_links
from tests.gateway.running import Running, fresh, run, running
from tests.gateway.samples import purchase

PAN = synthetic_pan(1)


@pytest.fixture
def runtime() -> Iterator[Path]:
    with runtime_folder() as folder:
        yield folder


class Api:
    """The API of a running gateway, over a real socket: streams are answers without an end."""

    def __init__(self, gateway: Running, context: OpsContext, client: httpx.AsyncClient) -> None:
        self.gateway = gateway
        self.context = context
        self.client = client

    async def links(self) -> Any:  # noqa: ANN401 - JSON
        return (await self.client.get("/links")).json()

    async def order(
        self, link_id: str, action: str, key: str = "one-key-of-mine"
    ) -> httpx.Response:
        path = f"/links/{link_id}/{action}"
        return await self.client.post(path, headers={"Idempotency-Key": key})


@asynccontextmanager
async def api_of(folder: Path, runtime: Path) -> AsyncIterator[Api]:
    async with running(folder) as gateway, controlled(gateway, runtime):
        KEPT_ANSWERS.create(gateway.database.engine, checkfirst=True)
        context = context_over(gateway.database, runtime)
        config = uvicorn.Config(create_app(context), port=0, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        port = server.servers[0].sockets[0].getsockname()[1]
        ticking = asyncio.create_task(server.main_loop())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1") as client:
            yield Api(gateway, context, client)
        context.stopping.set()
        server.should_exit = True
        await ticking
        await server.shutdown()


def test_the_links_of_a_gateway(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            assert await api.links() == {"links": [], "workers": [1], "unreachable": []}
            line = await api.gateway.dial()
            line.link.sign_on()
            await survey_until_links(api.context.control, ["signed-on"])
            [link] = (await api.links())["links"]
            assert (link["network"], link["state"]) == ("visanet", "signed-on")
            assert link["peer"].startswith("127.0.0.1:")

    run(scenario)


def test_a_link_is_signed_off_and_on_and_dropped(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            line = await api.gateway.dial()
            line.link.sign_on()
            await survey_until_links(api.context.control, ["signed-on"])
            [link] = (await api.links())["links"]
            answer = await api.order(link["link_id"], "sign-off", "sign-off-once")
            assert answer.status_code == 202
            assert answer.json() == {"link_id": link["link_id"], "action": "sign-off"}
            await survey_until_links(api.context.control, ["signed-off"])
            again = await api.order(link["link_id"], "sign-off", "sign-off-once")
            assert again.content == answer.content
            await api.order(link["link_id"], "sign-on", "sign-on-once")
            await survey_until_links(api.context.control, ["signed-on"])
            await api.order(link["link_id"], "drop", "drop-it-once")
            await survey_until_links(api.context.control, [])
            gone = await api.order(link["link_id"], "drop", "drop-it-twice")
            assert gone.status_code == 404

    run(scenario)


def test_what_a_links_state_forbids(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            line = await api.gateway.dial()
            await survey_until_links(api.context.control, ["connected"])
            line.link.close()
            api.gateway.open_links.add("visanet", line.link, LinkOpened("127.0.0.1", 1))
            ended = (await api.links())["links"][-1]
            refused = await api.order(ended["link_id"], "sign-off")
            assert refused.status_code == 409
            assert refused.json()["type"] == "urn:cardrail:problem:link-state"
            api.gateway.open_links.discard(line.link)

    run(scenario)


def test_a_gateway_that_does_not_answer(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            (runtime / "gateway-2.sock").touch()
            assert (await api.links())["unreachable"] == [2]
            answer = await api.order("2-17-1", "drop")
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:cardrail:problem:unreachable"
            (runtime / "gateway-2.sock").unlink()
            assert (await api.order("2-17-1", "drop")).status_code == 404  # and nothing was kept

    run(scenario)


# --- the live stream ---


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    """What an EventSource would be given."""
    name = ""
    async for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


async def watched(api: Api) -> None:
    """Until the gateway has a reader."""
    while not (await api.context.control.survey()).snapshots[0].feed_readers_count:
        pass


def test_decisions_are_streamed_without_a_pan(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            line = await api.gateway.dial()
            async with api.client.stream("GET", "/stream/decisions") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                await watched(api)
                request = purchase(pan=PAN, **fresh())
                await line.ask(request)
                name, told = await anext(events(answer.aiter_lines()))
            assert name == "decision"
            assert (told["rrn"], told["outcome"], told["response_code"]) == (
                request.rrn,
                "APPROVED",
                "00",
            )
            assert told["pan"] == "400000******0010"
            assert PAN not in json.dumps(told)

    run(scenario)


def test_a_stream_of_one_network(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            visanet, quicpay = await api.gateway.dial(), await api.gateway.dial("quicpay")
            query = {"network": "quicpay"}
            async with api.client.stream("GET", "/stream/decisions", params=query) as answer:
                await watched(api)
                await visanet.ask(purchase(pan=PAN, **fresh()))
                await quicpay.ask(purchase("quicpay", pan=PAN, **fresh()))
                _, told = await anext(events(answer.aiter_lines()))
            assert told["network"] == "quicpay"

    run(scenario)


def test_what_a_slow_reader_is_not_told_is_counted(tmp_path: Path, runtime: Path) -> None:
    async def scenario() -> None:
        async with api_of(tmp_path, runtime) as api:
            line = await api.gateway.dial()
            query = {"most": 20}  # one of each batch
            async with api.client.stream("GET", "/stream/decisions", params=query) as answer:
                await watched(api)
                asked = [line.send(purchase(pan=PAN, **fresh())) for _ in range(8)]
                await asyncio.gather(*asked)
                told = events(answer.aiter_lines())
                counted = 0
                while counted < len(asked):
                    name, data = await anext(told)
                    counted += data["count"] if name == "dropped" else 1
                assert counted == len(asked)

    run(scenario)


def test_streams_end_with_the_process_and_there_are_not_too_many(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.api.stream._READERS_MOST", 1)

    async def scenario() -> None:
        async with (
            api_of(tmp_path, runtime) as api,
            api.client.stream("GET", "/stream/decisions") as answer,
        ):
            await watched(api)
            refused = await api.client.get("/stream/decisions")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:cardrail:problem:too-many"
            api.context.stopping.set()
            assert [each async for each in events(answer.aiter_lines())] == []

    run(scenario)
