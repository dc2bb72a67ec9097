"""A running gateway's control socket, and the client that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.control import ControlServer
from gateway.control_client import GatewayControl, Survey
from gateway.snapshot import LinkSnapshot, NetworkSnapshot, Snapshot
from tests.gateway.running import Running


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """With a path that is short enough for a socket; a test's own may not be."""
    with TemporaryDirectory(prefix="cardrail-run-") as folder:
        yield Path(folder)


@asynccontextmanager
async def controlled(
    gateway: Running, runtime: Path, worker: int = 1
) -> AsyncIterator[GatewayControl]:
    """`gateway` answers in `runtime` as that worker."""

    def snapshot() -> Snapshot:
        return msgspec.structs.replace(gateway.telemetry.snapshot(), worker=worker)

    server = ControlServer(snapshot, gateway.open_links, gateway.feed)
    await server.open(runtime, worker)
    try:
        yield GatewayControl(runtime)
    finally:
        await server.close()


async def survey_until_links(control: GatewayControl, states: list[str]) -> Survey:
    """The first survey whose links are in those states; the test's own timeout ends it else."""
    while True:
        survey = await control.survey()
        if [link.state for link in survey.links] == states:
            return survey


def network_of(survey: Survey, name: str = "visanet") -> NetworkSnapshot:
    """What the only gateway tells of a network."""
    [snapshot] = survey.snapshots
    return next(each for each in snapshot.networks if each.network == name)


def only_link(survey: Survey) -> LinkSnapshot:
    """The only link there is."""
    [link] = survey.links
    return link
