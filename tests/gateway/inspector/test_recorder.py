"""From the feed into the journal: declines first, bounded, and nothing else suffers for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.control_client import GatewayControl
from gateway.control_messages import Exchanged, Exchanges
from gateway.inspector.annotated import annotate
from gateway.inspector.inspector import Inspector
from gateway.inspector.journal import FILE_NAME, Journal, JournalReader
from gateway.inspector.recorder import Recorder
from gateway.inspector.timeline import Tone
from gateway.inspector.undecided import undecided_timeline
from tests.gateway.controlling import controlled, runtime_folder
from tests.gateway.inspector.exchanges import exchanged
from tests.gateway.running import fresh, new_card, run, running, until
from tests.gateway.samples import purchase

APPROVED, DECLINED = exchanged(), exchanged(code="51")


@contextmanager
def recording(folder: Path, a_second: int) -> Iterator[Recorder]:
    with closing(Journal(folder / FILE_NAME, most=100)) as journal:
        yield Recorder(GatewayControl(folder), journal, a_second=a_second)


def batch(*exchanges: Exchanged, dropped: int = 0) -> Exchanges:
    return Exchanges(1, exchanges, dropped)


def test_declined_ones_are_kept_before_the_others(tmp_path: Path) -> None:
    with recording(tmp_path, a_second=2) as recorder:
        chosen = recorder.choose(batch(APPROVED, APPROVED, DECLINED, DECLINED), 0.0)
        assert chosen == [DECLINED, DECLINED]
        assert recorder.skipped_count == 2


def test_so_many_a_second_are_kept_and_the_rest_is_counted(tmp_path: Path) -> None:
    with recording(tmp_path, a_second=2) as recorder:
        many = batch(*[APPROVED] * 5, dropped=1)
        kept = [len(recorder.choose(many, now)) for now in (0.0, 0.25, 0.5, 9.0)]
        assert kept == [2, 0, 1, 2]
        assert recorder.skipped_count == 4 * 6 - sum(kept)


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
                recorder = Recorder(control, journal, a_second=100)
                task = asyncio.create_task(recorder.run())
                await until(lambda: gateway.feed.readers_count == 1)
                network = await gateway.dial()
                assert [await network.code(each) for each in (asked, asked, unknown)] == [
                    "00",
                    "00",
                    "14",
                ]
                await until(lambda: recorder.kept_count == 3)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                inspector = Inspector(gateway.database, tmp_path / FILE_NAME)
                [found] = inspector.explain(asked.rrn, gateway.records[0].at)
                [step] = found.steps
                assert [each.record.replayed for each in step.exchanges] == [False, True]
                assert ("card", step.exchanges[0].record.pan) in found.facts
                [refused] = inspector.explain(unknown.rrn, 0)
                assert refused.headline == "Declined: no such card"
                assert inspector.latest(1)[0].record.rrn == unknown.rrn

    run(scenario)


def test_a_journal_that_cannot_be_written_costs_only_itself(tmp_path: Path) -> None:
    with recording(tmp_path, a_second=10) as recorder:
        recorder._journal.close()
        recorder._keep([APPROVED])
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
    late = annotate(exchanged(code=code))
    record = replace(late.record, outcome=outcome, explanation=explanation, authorization_id=0)
    with closing(Journal(tmp_path / FILE_NAME, most=100)) as journal:
        journal.add([replace(late, record=record)])
    [found] = map(undecided_timeline, JournalReader(tmp_path / FILE_NAME).of_rrn(record.rrn))
    assert (found.headline, found.tone) == (headline, Tone.BAD)
    assert why in found.answers[0].answer
    assert found.answers[-1].answer.startswith("Nowhere")


def test_a_message_that_is_only_noted_is_no_decline() -> None:
    noted = annotate(exchanged())
    found = undecided_timeline(replace(noted, record=replace(noted.record, outcome="NOTED")))
    assert (found.tone, len(found.answers)) == (Tone.NEUTRAL, 1)
