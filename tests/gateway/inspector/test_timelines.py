# ruff: noqa: E501 - a row of a table is a case
"""Stories of a purchase, and what its timeline answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from gateway.inspector.inspector import NothingFound
from gateway.inspector.timeline import Tone, Verdict
from ledger.commands import Reference
from ledger.house import Placement
from ledger.life_cycle import NotRecorded
from ledger.outbox import Reader
from ledger.outcomes import Outcome
from tests.gateway.inspector.stories import Story
from tests.ledger.books import DAY, NOW, named

WHY_DECLINED = "Why was this declined?"
WHERE = "Where did the money go?"
WHY_UNMATCHED = "Why is this unmatched?"
NEXT = "What happens next?"

# fmt: off
STORIES: list[tuple[str, Callable[[Story], int], str, Tone, list[str]]] = [
    # what happens, its headline, and the titles of its steps
    ("held",        lambda s: s.happen(s.authorize(300)),
     "JPY 300 held", Tone.GOOD, ["Purchase approved"]),
    ("in part",     lambda s: s.happen(s.authorize(1300, partial=True)),
     "JPY 1,000 held", Tone.GOOD, ["Purchase approved in part"]),
    ("declined",    lambda s: s.happen(s.authorize(1300)),
     "Declined: JPY 1,300 asked, JPY 1,000 available", Tone.BAD, ["Purchase declined"]),
    ("cleared",     lambda s: s.happen(s.authorize(300, s.origin("A")), s.clear(280, named("A"))),
     "JPY 280 cleared", Tone.GOOD, ["Purchase approved", "Cleared"]),
    ("in parts",    lambda s: s.happen(s.authorize(300, s.origin("A")), s.clear(100, named("A"), part=(1, 2))),
     "JPY 200 held", Tone.GOOD, ["Purchase approved", "Cleared in part"]),
    ("reversed",    lambda s: s.happen(s.authorize(300, s.origin("A")), s.reverse(named("A"))),
     "JPY 300 given back", Tone.NEUTRAL, ["Purchase approved", "Reversal"]),
    ("late",        lambda s: s.happen(s.authorize(300, s.origin("A")), s.reverse(named("A")), s.clear(300, named("A"))),
     "JPY 300 cleared", Tone.GOOD, ["Purchase approved", "Reversal", "Cleared late"]),
    ("increased",   lambda s: s.happen(s.authorize(300, s.origin("A")), s.authorize(50, s.origin("A"), increment_of=named("A"))),
     "JPY 350 held", Tone.GOOD, ["Purchase approved", "Increment approved"]),
    ("repeated",    lambda s: s.happen(s.authorize(10, s.origin("A")), s.authorize(10, s.origin("A"), repeats_within=1000)),
     "JPY 10 held", Tone.GOOD, ["Purchase approved", "The same again, under another key: the first one's answer"]),
    ("advised",     lambda s: s.happen(s.advise(300)),
     "JPY 300 held", Tone.GOOD, ["Advice of the network's decision"]),
    ("inquiry",     lambda s: s.happen(s.authorize(0, purpose=s.INQUIRY)),
     "Inquiry approved, nothing held", Tone.GOOD, ["Inquiry approved"]),
    ("taken back",  lambda s: s.happen(s.authorize(300, s.origin("A")), s.clear(300, named("A"), s.origin(key="c")), s.clear(0, undoes="c")),
     "JPY 300 cleared", Tone.GOOD, ["Purchase approved", "Cleared", "Clearing taken back"]),
]
# fmt: on


@pytest.mark.parametrize(
    ("happens", "headline", "tone", "titles"),
    [each[1:] for each in STORIES],
    ids=[each[0] for each in STORIES],
)
def test_a_story_has_its_headline_and_its_steps(
    story: Story, happens: Callable[[Story], int], headline: str, tone: Tone, titles: list[str]
) -> None:
    found = story.timeline(happens(story))
    assert (found.headline, found.tone) == (headline, tone)
    assert [step.title for step in found.steps] == titles


def test_a_decline_tells_its_check_its_code_and_whether_to_ask_again(story: Story) -> None:
    declined = story.happen(story.authorize(1300))
    told = story.answer(declined, WHY_DECLINED)
    for part in (
        "JPY 1,300 asked, JPY 1,000 available.",
        "The ledger found that by the check \u201cThe money is there\u201d",
        "DE 39 51, insufficient funds: the same request may be approved later.",
    ):
        assert part in told
    assert story.answer(declined, WHERE) == "Nowhere: nothing was held and nothing has moved."
    [step] = story.timeline(declined).steps
    verdicts = [each.verdict for each in step.checks]
    assert (verdicts.count(Verdict.DECLINED), verdicts[-1]) == (1, Verdict.NOT_REACHED)


def test_a_refusal_of_the_gateway_is_told_as_its_own(story: Story) -> None:
    refused = replace(
        story.authorize(10, refusal=Outcome.NOT_PERMITTED),
        refusal_reason="e-commerce is switched off",
    )
    told = story.answer(story.happen(refused), WHY_DECLINED)
    assert told.startswith("E-commerce is switched off. The gateway found that by the check")


def test_the_money_is_followed_from_account_to_account(story: Story) -> None:
    held = story.happen(
        story.authorize(300, story.origin("A")),
        story.clear(280, named("A"), fee=5),
        story.clear(80, named("A"), credit=True),
    )
    found = story.timeline(held)
    legs = [
        (leg.kind, leg.origin, leg.to, leg.amount, leg.balance)
        for step in found.steps
        for leg in step.legs
    ]
    assert legs == [
        ("clearing", "wallet", "settlement with visanet", "JPY 280", "JPY 720"),
        ("fee", "wallet", "fees", "JPY 5", "JPY 715"),
        ("credit", "settlement with visanet", "wallet", "JPY 80", "JPY 795"),
    ]
    assert story.answer(held, WHERE) == (
        "The hold ended with its clearing; JPY 205 left the wallet in all."
    )


def test_what_is_cleared_beyond_the_wallets_money_is_lent(story: Story) -> None:
    held = story.happen(story.authorize(900, story.origin("A")), story.clear(1200, named("A")))
    [_, step] = story.timeline(held).steps
    assert [(leg.origin, leg.to, leg.amount) for leg in step.legs] == [
        ("wallet", "settlement with visanet", "JPY 1,200"),
        ("lent by the house", "wallet", "JPY 200"),
    ]


def test_what_came_back_leaves_nothing_moved(story: Story) -> None:
    held = story.happen(
        story.authorize(300, story.origin("A")),
        story.clear(300, named("A"), story.origin(key="c")),
        story.clear(0, undoes="c"),
    )
    assert story.answer(held, WHERE) == (
        "The hold ended with its clearing; what had left the wallet has come back to it."
    )


def test_a_pending_hold_tells_when_it_ends(story: Story) -> None:
    held = story.happen(story.authorize(300))
    assert story.answer(held, NEXT) == (
        "JPY 300 waits for its clearing; if none comes, it ends on 2027-01-22 08:00:00 UTC."
    )
    assert "is past its time" in story.answer(held, NEXT, NOW + 8 * DAY)
    assert story.answer(held, WHERE) == (
        "JPY 300 is held in the wallet until 2027-01-22 08:00:00 UTC; nothing has been posted."
    )


def test_an_expired_hold_tells_when_it_was_released(story: Story) -> None:
    held = story.happen(story.authorize(300))
    assert story.ledger.expire(NOW + 7 * DAY + 60_000_000) == 1
    found = story.timeline(held)
    assert (found.headline, found.tone) == ("JPY 300 expired uncleared", Tone.WARNING)
    assert [step.title for step in found.steps] == ["Purchase approved", "Hold expired"]
    assert found.steps[-1].at == NOW + 7 * DAY + 60_000_000
    assert [each.type for each in found.steps[-1].events] == ["hold.expired"]


def test_a_forced_clearing_is_laid_beside_what_it_may_be_about(story: Story) -> None:
    story.happen(story.authorize(70, story.origin("A", trace="T1")))
    story.happen(story.clear(70, Reference(), story.origin("B")))
    unmatched = story.last_subject()
    found = story.timeline(unmatched)
    assert (found.headline, found.tone) == ("JPY 70 cleared without a match", Tone.WARNING)
    [answer] = [each for each in found.answers if each.question == WHY_UNMATCHED]
    assert answer.answer == (
        "No authorization matches, so the debit was posted without a hold: 1 of the account has"
        " something in common with it. A person can match it."
    )
    [line] = answer.details
    assert "same amount; RRN rrn-1 and not rrn-2, transaction id A and not B" in line


def test_a_credit_in_suspense_tells_where_it_lies(story: Story) -> None:
    credit = story.clear(70, Reference(), credit=True)
    story.happen(credit)
    unmatched = story.last_subject()
    assert story.answer(unmatched, WHERE) == "JPY 70 lies in suspense."
    assert story.answer(unmatched, WHY_UNMATCHED).endswith("can match it, or write it off.")
    [step] = story.timeline(unmatched).steps
    [leg] = step.legs
    assert (leg.origin, leg.to, leg.balance) == ("settlement with visanet", "suspense", "")
    story.happen(story.resolve(credit))
    assert story.answer(unmatched, WHERE) == "JPY 70 went to the fees."
    assert story.timeline(unmatched).headline == "Clearing"


def test_a_clearing_that_a_person_has_matched_is_part_of_the_purchase(story: Story) -> None:
    held = story.happen(story.authorize(70, story.origin("A")))
    clearing = story.clear(70, Reference())
    story.happen(clearing, story.resolve(clearing, named("A")))
    titles = [step.title for step in story.timeline(held).steps]
    assert titles == ["Purchase approved", "Cleared", "Resolved by a person"]


def test_a_reversal_that_came_first_is_told_alone_and_then_with_its_original(story: Story) -> None:
    story.happen(story.reverse(named("A")))
    alone = story.timeline(story.last_subject())
    assert (alone.headline, alone.tone) == ("Reversal without an original", Tone.WARNING)
    assert [step.title for step in alone.steps] == ["Reversal before its original"]
    stopped = story.happen(story.authorize(10, story.origin("A")))
    assert story.timeline(stopped).headline == "Declined: its reversal came first"
    assert len(story.timeline(stopped).steps) == 2


def test_our_own_reversal_is_told_as_ours(story: Story) -> None:
    withdrawal = replace(
        story.reverse(named("A"), withdraws=True), details={"reason": "decided after the deadline"}
    )
    held = story.happen(story.authorize(10, story.origin("A")), withdrawal)
    first, second = story.timeline(held).steps
    assert ("marked", "withdrawn by us") in first.facts
    assert (second.title, second.tone) == ("Withdrawn by us", Tone.WARNING)


def test_events_tell_who_has_read_them(story: Story) -> None:
    held = story.happen(story.authorize(10))
    outbox = Placement().outbox(0)
    mqtt = Reader(story.database, outbox, "mqtt", events_at_once=16)
    batch = mqtt.fetch()
    assert batch is not None
    assert mqtt.acknowledge(batch)
    later = Reader(story.database, outbox, "points", events_at_once=16)
    assert later.fetch() is not None
    [event] = story.timeline(held).steps[0].events
    assert (event.read_by, event.awaited_by) == (("mqtt",), ("points",))
    assert story.answer(held, "Who has not heard of it?").endswith("yet: points.")


def test_an_rrn_finds_each_life_cycle_once(story: Story) -> None:
    """An increment has its original's RRN; another network's purchase is another story."""
    first = story.origin("A")
    increment = replace(story.origin("A"), rrn=first.rrn)
    other = replace(story.origin("B"), rrn=first.rrn, network="quicpay")
    story.happen(
        story.authorize(10, first),
        story.authorize(5, increment, increment_of=named("A")),
        story.authorize(1, other),
    )
    found = story.inspector.explain(first.rrn, NOW)
    assert [(each.network, each.headline) for each in found] == [
        ("visanet", "JPY 15 held"),
        ("quicpay", "JPY 1 held"),
    ]
    [only] = story.inspector.explain(first.rrn, NOW, network="quicpay")
    assert only.rrn == first.rrn


def test_the_rrn_of_a_later_message_finds_its_purchase(story: Story) -> None:
    reversal = story.reverse(named("A"))
    story.happen(story.authorize(10, story.origin("A")), reversal)
    [found] = story.inspector.explain(reversal.origin.rrn, NOW)
    assert found.headline == "JPY 10 given back"


@pytest.mark.parametrize("rrn", ["rrn-99", "4000000000000010"])
def test_what_nobody_knows_is_not_repeated(story: Story, rrn: str) -> None:
    """Somebody may have asked by a PAN."""
    with pytest.raises(NothingFound) as caught:
        story.inspector.explain(rrn, NOW)
    assert rrn not in str(caught.value)
    with pytest.raises(NotRecorded):
        story.timeline(1)
