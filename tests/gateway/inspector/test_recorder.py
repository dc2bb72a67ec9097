"""From the feed into the journal: everything, bounded, and nothing else suffers for it."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.control_client import GatewayControl
from gateway.control_messages import Exchanges
from gateway.inspector.annotated import annotate, cover
from gateway.inspector.inspector import Inspector
from gateway.inspector.journal import FILE_NAME, Journal, JournalReader
from gateway.inspector.recorder import Recorder
from gateway.inspector.timeline import Tone
from gateway.inspector.undecided import undecided_timeline
from tests.gateway.controlling import controlled, runtime_folder
from tests.gateway.inspector.exchanges import exchanged
from tests.gateway.running import fresh, meanwhile, new_card, run, running, until
from tests.gateway.samples import purchase


def test_a_running_gateways_messages_are_found_by_their_timelines(tmp_path: Path) -> None:
    asked, unknown = purchase(pan=new_card().pan, **fresh()), purchase(**fresh())

    async def scenario() -> None:
        with (
            runtime_folder() as runtime,
            closing(Journal(tmp_path / FILE_NAME, most=100)) as journal,
        ):
            async with (
                running(tmp_path, new_card()) as gateway,
                controlled(gateway, runtime) as control,
            ):
                recorder = Recorder(control, journal)
                async with meanwhile(recorder.run()):
                    await until(lambda: gateway.feed.readers_count == 1)
                    network = await gateway.dial()
                    assert [await network.code(each) for each in (asked, asked, unknown)] == [
                        "00",
                        "00",
                        "14",
                    ]
                    await until(lambda: recorder.kept_count == 3)
                inspector = Inspector(gateway.database, tmp_path / FILE_NAME)
                [found] = inspector.explain(asked.rrn, gateway.records[0].at)
                [step] = found.steps
                assert [each.record.replayed for each in step.exchanges] == [False, True]
                assert ("card", step.exchanges[0].record.pan) in found.facts
                [refused] = inspector.explain(unknown.rrn, 0)
                assert refused.headline == "Declined: no such card"
                assert inspector.latest(1)[0].record.rrn == unknown.rrn

    run(scenario)


def test_every_message_of_a_busy_gateway_is_kept(tmp_path: Path) -> None:
    """Not a sample: a thousand in a moment, each with its own bytes."""
    count = 1000

    async def scenario() -> None:
        with (
            runtime_folder() as runtime,
            closing(Journal(tmp_path / FILE_NAME, most=10_000)) as journal,
        ):
            async with (
                running(tmp_path, new_card(), balance=10**9) as gateway,
                controlled(gateway, runtime) as control,
            ):
                recorder = Recorder(control, journal)
                async with meanwhile(recorder.run()):
                    await until(lambda: gateway.feed.readers_count == 1)
                    network = await gateway.dial()
                    asked = [purchase(pan=new_card().pan, **fresh()) for _ in range(count)]
                    for start in range(0, count, 100):
                        answered = map(network.code, asked[start : start + 100])
                        assert {*await asyncio.gather(*answered)} == {"00"}
                    await until(lambda: recorder.kept_count + recorder.skipped_count == count)
                assert recorder.skipped_count == 0
                reader = JournalReader(tmp_path / FILE_NAME)
                for each in asked:
                    [found] = reader.of_rrn(each.rrn)
                    shown = {line.field: line.value for line in found.request.lines}
                    assert (shown["11"], shown["37"]) == (each.stan, each.rrn)
                    assert found.response.lines

    run(scenario)


def test_what_a_busy_feed_has_dropped_is_counted(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME, most=100)) as journal:
        recorder = Recorder(GatewayControl(tmp_path), journal)
        recorder.keep(Exchanges(1, (exchanged(), exchanged()), 5))
        assert (recorder.kept_count, recorder.skipped_count) == (2, 5)


def test_a_journal_that_cannot_be_written_costs_only_itself(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / FILE_NAME, most=100)) as journal:
        recorder = Recorder(GatewayControl(tmp_path), journal)
    recorder.keep(Exchanges(1, (exchanged(),), 0))
    assert (recorder.kept_count, recorder.skipped_count) == (0, 1)


@pytest.mark.parametrize(
    ("code", "outcome", "explanation", "headline", "why"),
    [
        ("91", "UNAVAILABLE", "not decided before the deadline",
         "Declined: not decided before the deadline", "There was no decision in time"),
        ("30", "FORMAT_INVALID", "data element 4 (amount): missing or implausible",
         "Declined: data element 4 (amount): missing or implausible",
         "The check \u201cMandatory elements are there and plausible\u201d found that."),
    ],
)  # fmt: skip
def test_what_the_ledger_never_decided_is_told_by_the_message_alone(
    tmp_path: Path, code: str, outcome: str, explanation: str, headline: str, why: str
) -> None:
    late = cover(exchanged(code=code))
    record = replace(late.record, outcome=outcome, explanation=explanation, authorization_id=0)
    with closing(Journal(tmp_path / FILE_NAME, most=100)) as journal:
        journal.add([replace(late, record=record)])
    [found] = map(undecided_timeline, JournalReader(tmp_path / FILE_NAME).of_rrn(record.rrn))
    assert (found.headline, found.tone) == (headline, Tone.BAD)
    assert why in found.answers[0].answer
    assert found.answers[-1].answer.startswith("Nowhere")


def test_a_message_that_is_only_noted_is_no_decline() -> None:
    noted = annotate(cover(exchanged()))
    found = undecided_timeline(replace(noted, record=replace(noted.record, outcome="NOTED")))
    assert (found.tone, len(found.answers)) == (Tone.NEUTRAL, 1)
