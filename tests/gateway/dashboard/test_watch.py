"""What the pages look at: the last minutes of the gateways, and links that were lost."""

from __future__ import annotations

import pytest

from gateway.control_client import GatewayControl
from gateway.dashboard.watch import SECONDS_KEPT, Watch
from tests.gateway.controlling import controlled, runtime_folder
from tests.gateway.dashboard.snapshots import APPROVED, link, snapshot, survey
from tests.gateway.running import meanwhile, new_card, run, running, until


@pytest.fixture
def watch() -> Watch:
    with runtime_folder() as folder:
        return Watch(GatewayControl(folder))


def take(watch: Watch, at: float, count: int) -> None:
    watch.take(survey(snapshot({APPROVED: count})), at, at)


def test_the_last_seconds_are_one_span(watch: Watch) -> None:
    for second, count in enumerate((0, 10, 30, 60), 1):
        take(watch, float(second), count)
    assert watch.last(1.0).rate("visanet") == 30.0
    assert (watch.last(2.0).decided, watch.last(2.0).seconds) == ({"visanet": 50}, 2.0)
    assert watch.last(99.0).decided == {"visanet": 60}
    assert len(watch.spans) == 4


def test_before_the_first_survey_there_is_nothing(watch: Watch) -> None:
    assert (watch.last(60.0).seconds, watch.survey.snapshots) == (0.0, ())


def test_only_some_minutes_are_kept(watch: Watch) -> None:
    for second in range(1, SECONDS_KEPT + 20):
        take(watch, float(second), second)
    assert len(watch.spans) == SECONDS_KEPT


def test_a_link_that_is_gone_is_remembered_for_a_while(watch: Watch) -> None:
    watch.take(survey(snapshot(links=[link(1), link(2)])), 100.0, 1.0)
    watch.take(survey(snapshot(links=[link(2)])), 101.0, 2.0)
    watch.take(survey(snapshot(links=[])), 102.0, 3.0)
    assert [each.link.port for each in watch.lost_links(110.0)] == [40_002, 40_001]
    assert watch.lost_links(1000.0) == []


def test_the_links_of_a_gateway_that_does_not_answer_are_not_lost(watch: Watch) -> None:
    watch.take(survey(snapshot(links=[link(1)])), 100.0, 1.0)
    watch.take(survey(unreachable=(1,)), 101.0, 2.0)
    assert watch.lost_links(102.0) == []


def test_it_follows_a_running_gateway(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def scenario() -> None:
        folder = tmp_path_factory.mktemp("watched")
        with runtime_folder() as runtime:
            async with (
                running(folder, new_card()) as gateway,
                controlled(gateway, runtime) as control,
            ):
                watch = Watch(control, seconds=0.01)
                async with meanwhile(watch.run()):
                    network = await gateway.dial()
                    await until(lambda: len(watch.survey.links) == 1)
                    network.link.close()
                    await until(lambda: bool(watch.lost_links(0.0)))

    run(scenario)
