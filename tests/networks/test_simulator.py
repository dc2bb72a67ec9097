"""The engine without sockets: a virtual clock, and a scripted issuer that answers at once."""

import msgspec
import pytest

from networks.beliefs import Belief, Kind
from networks.network import Network
from networks.schedule import Run
from networks.simulator import Simulator
from networks.tally import Phase
from networks.traffic import Course, Purpose, Settlement
from networks.wire.canonical import canonical_for
from networks.wire.messages import (
    AuthorizationRequest,
    CardRequest,
    CardResponse,
    Financial,
    Reversal,
)
from tests.networks.issuer import Answers, Issuer, Script, agreeable, approve, decline, differing
from tests.networks.simulated import COUNTER, NETWORKS, SECOND, forced

ALL_NETWORKS = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
VISANET, QUICPAY = NETWORKS["visanet"], NETWORKS["quicpay"]
RUN = Run(rate=50, seconds=2, seed=5, cards=20)


class Played:
    """A whole run against `script`, in virtual time."""

    def __init__(self, network: Network, script: Script = agreeable, run: Run = RUN) -> None:
        self.issuer = Issuer(network, script)
        self.beliefs: list[Belief] = []
        self.now = 100.0
        self.simulator = Simulator(network, run, self.beliefs.append, begin=100.0, epoch=SECOND)
        self._canonical = canonical_for(network.dialect)
        self._codec = network.dialect.codec
        while not self.simulator.finished:
            self._turn()
        self.simulator.close()

    def _turn(self) -> None:
        due = self.simulator.next_due()
        self.now = max(self.now, due if due is not None else self.now)
        while (message := self.simulator.due(self.now)) is not None:
            answers = self.issuer.answers_to(message)
            if not answers:
                self.simulator.timed_out(message, self.now + 5)
            for answer in answers[:1]:
                self.simulator.answered(message, answer, self.bytes_of(answer), self.now + 0.001)
            for answer in answers[1:]:
                self.simulator.late(answer, self.now + 6)

    def bytes_of(self, answer: CardResponse) -> bytes:
        return self._codec.encode(self._canonical.write(answer))

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.simulator.tally.counts)

    @property
    def is_ok(self) -> bool:
        return self.simulator.kept_its_promises


@ALL_NETWORKS
def test_a_run_begins_exactly_what_was_asked_and_settles_everything(network: Network) -> None:
    played = Played(network)
    assert played.is_ok
    assert played.counts["authorizations"] == 100
    assert played.counts["sent"] == played.counts["answered"] == len(played.issuer.received)
    assert sum(belief.kind is not Kind.INCREMENT for belief in played.beliefs) == 100
    assert all(belief.answered for belief in played.beliefs)


@ALL_NETWORKS
def test_the_same_seed_plays_the_same_messages(network: Network) -> None:
    first, second = (Played(network).issuer.received for _ in range(2))
    other = Played(network, run=msgspec.structs.replace(RUN, seed=6)).issuer.received
    assert first == second != other


@ALL_NETWORKS
def test_totals_are_the_sums_of_the_beliefs(network: Network) -> None:
    played = Played(network, run=Run(rate=200, seconds=5, seed=9, cards=50))
    told = played.simulator.tally.progress(Phase.DONE, 1.0, 0, 0)
    beliefs = played.beliefs
    assert told["held_amount"] == sum(belief.held for belief in beliefs)
    assert told["holds"] == sum(belief.held > 0 for belief in beliefs)
    assert told["cleared_amount"] == sum(belief.cleared for belief in beliefs)
    assert told["credited_amount"] == sum(belief.credited for belief in beliefs)
    cleared = [message for message in played.issuer.received if isinstance(message, Financial)]
    assert told["cleared"] == len([message for message in cleared if not message.is_repeat])


@ALL_NETWORKS
def test_a_lost_answer_is_asked_for_again_word_for_word(network: Network) -> None:
    played = Played(forced(network, COUNTER, course=Course.LOST_ANSWER))
    repeats = played.issuer.of_type("0101")
    assert len(repeats) == played.counts["repeats"] == 100
    originals = {message.rrn: message for message in played.issuer.of_type("0100")}
    assert all(
        msgspec.structs.replace(repeat, mti="0100") == originals[repeat.rrn] for repeat in repeats
    )
    assert played.is_ok


@ALL_NETWORKS
def test_another_answer_to_a_repeat_is_a_broken_promise(network: Network) -> None:
    def fickle(_issuer: Issuer, request: CardRequest) -> Answers:
        answer = approve(request)
        return [differing(answer) if request.is_repeat else answer]

    played = Played(forced(network, COUNTER, course=Course.LOST_ANSWER), fickle)
    assert played.counts["repeats_differing"] == 100
    assert not played.is_ok


@ALL_NETWORKS
def test_a_pretended_timeout_takes_the_hold_back(network: Network) -> None:
    played = Played(forced(network, COUNTER, course=Course.TIMED_OUT))
    reversals = played.issuer.of_type("0420")
    assert len(reversals) == played.counts["reversals"] == 100
    assert all(belief.reversed and not belief.held for belief in played.beliefs)
    originals = {(each.stan, each.transmission) for each in played.issuer.of_type("0100")}
    for each in reversals:
        assert isinstance(each, Reversal)
        assert each.original is not None
        assert (each.original.stan, each.original.transmission) in originals
        assert each.message_reason == ("2502" if network is VISANET else "")


@ALL_NETWORKS
def test_a_cancelled_purchase_quotes_its_approval(network: Network) -> None:
    played = Played(forced(network, COUNTER, course=Course.CANCELLED))
    codes = {belief.approval_code for belief in played.beliefs}
    reversals = played.issuer.of_type("0400")
    assert len(reversals) == 100
    assert {each.approval_code for each in reversals} == codes
    assert {each.message_reason for each in reversals} == ({"2501"} if network is VISANET else {""})
    assert all(not belief.held for belief in played.beliefs)


def test_quicpay_cancels_name_the_slip_of_the_sale() -> None:
    played = Played(forced(QUICPAY, COUNTER, course=Course.CANCELLED))
    slips = {message.slip for message in played.issuer.of_type("0100")}
    for cancel in played.issuer.of_type("0400"):
        assert cancel.original_slip in slips
        assert cancel.slip != cancel.original_slip


def test_a_partial_reversal_keeps_the_replacement() -> None:
    plan = {"course": Course.PARTLY_REVERSED, "settlement": Settlement.NEVER}
    played = Played(forced(VISANET, COUNTER, **plan))
    kept = {}
    for each in played.issuer.of_type("0400"):
        assert isinstance(each, Reversal)
        assert each.message_reason == "2504"
        kept[each.rrn] = each.replacement_amount
    assert {belief.rrn: belief.held for belief in played.beliefs} == kept
    assert played.counts["reversed_partly"] == 100


def test_after_a_timeout_the_network_may_stand_in() -> None:
    def reluctant(_issuer: Issuer, request: CardRequest) -> Answers:
        return [decline(request, "51") if request.mti == "0100" else approve(request)]

    plan = {"course": Course.STOOD_IN, "settlement": Settlement.NEVER}
    played = Played(forced(VISANET, COUNTER, **plan), reluctant)
    advices = played.issuer.of_type("0120")
    assert {advice.stand_in_reason for advice in advices} == {"9020"}
    assert all(belief.stood_in and belief.held == belief.requested for belief in played.beliefs)
    assert {belief.response_code for belief in played.beliefs} == {"51"}


@ALL_NETWORKS
def test_a_reversal_that_overtakes_its_original_must_win(network: Network) -> None:
    plan = forced(network, COUNTER, course=Course.OVERTAKEN)
    honest = Played(plan)
    assert [message.mti for message in honest.issuer.received[:1]] == ["0420"]
    assert honest.is_ok
    assert all(belief.reversed and not belief.held for belief in honest.beliefs)
    forgetful = Played(plan, lambda _issuer, request: [approve(request)])
    assert forgetful.counts["broken_promises"] == 100
    assert not forgetful.is_ok
    assert all(not belief.held for belief in forgetful.beliefs)


@pytest.mark.parametrize(
    ("settlement", "smallest", "largest"),
    [
        (Settlement.EXACT, 1.0, 1.0),
        (Settlement.OVER, 1.0, 1.2),
        (Settlement.UNDER, 0.0, 0.9),
        (Settlement.PARTS, 1.0, 1.0),
        (Settlement.NEVER, 0.0, 0.0),
    ],
)
def test_how_much_of_a_hold_is_cleared(
    settlement: Settlement, smallest: float, largest: float
) -> None:
    played = Played(forced(VISANET, COUNTER, course=Course.PLAIN, settlement=settlement))
    for belief in played.beliefs:
        assert smallest * belief.approved <= belief.cleared + 1
        assert belief.cleared <= largest * belief.approved
        assert belief.held == (belief.approved if settlement is Settlement.NEVER else 0)


def test_parts_of_a_clearing_are_numbered_and_add_up() -> None:
    plan = {"course": Course.PLAIN, "settlement": Settlement.PARTS, "clearing_count": 3}
    played = Played(forced(VISANET, COUNTER, **plan))
    parts: dict[str, list[Financial]] = {}
    for message in played.issuer.of_type("0220"):
        assert isinstance(message, Financial)
        parts.setdefault(message.transaction_id, []).append(message)
    for belief in played.beliefs:
        mine = parts[belief.transaction_id]
        assert sum(message.amount or 0 for message in mine) == belief.approved
        numbered = [(message.clearing_sequence, message.clearing_count) for message in mine]
        if len(mine) == 3:
            assert numbered == [("01", "03"), ("02", "03"), ("03", "03")]


def test_foreign_purchases_are_cleared_in_both_currencies() -> None:
    plan = {"course": Course.PLAIN, "settlement": Settlement.OVER, "over_permille": 1100}
    played = Played(forced(VISANET, ("foreign currency",), **plan))
    for message in played.issuer.of_type("0220"):
        assert message.currency != "392"
        assert message.billing_currency == "392"
        assert {"10", "16"} <= set(message.elements)
    assert all(belief.cleared == belief.approved * 11 // 10 for belief in played.beliefs)


def test_refunds_are_credited_and_hold_nothing() -> None:
    for network in NETWORKS.values():
        played = Played(forced(network, ("refund",), settlement=Settlement.EXACT))
        for belief in played.beliefs:
            assert belief.purpose is Purpose.CREDIT
            assert (belief.held, belief.credited) == (0, belief.requested)


def test_hotels_ask_for_more_and_only_what_is_granted_is_held() -> None:
    def limited(_issuer: Issuer, request: CardRequest) -> Answers:
        is_large = request.message_reason == "3900" and (request.amount or 0) > 4000
        return [decline(request, "61") if is_large else approve(request)]

    plan = {"course": Course.PLAIN, "settlement": Settlement.NEVER, "increments": (3000, 5000)}
    played = Played(forced(VISANET, ("hotel",), **plan), limited)
    roots = {belief.rrn: belief for belief in played.beliefs if not belief.increment_of}
    increments = [belief for belief in played.beliefs if belief.increment_of]
    assert len(increments) == 2 * len(roots) == 200
    assert all(belief.held == belief.approved + 3000 for belief in roots.values())
    for belief in increments:
        assert belief.held == 0
        assert belief.transaction_id == roots[belief.increment_of].transaction_id
        assert belief.approved == (3000 if belief.requested == 3000 else 0)
    assert played.simulator.tally.refused == {"increment 61": 100}


def test_pumps_tell_the_actual_amount() -> None:
    plan = {"course": Course.PLAIN, "settlement": Settlement.NEVER}
    played = Played(forced(VISANET, ("fuel",), **plan))
    for belief in played.beliefs:
        assert belief.requested == 1
        assert belief.held > 1
        assert not belief.hold_chosen_by_issuer
    assert played.counts["completed"] == 100


def test_a_partial_approval_holds_what_was_approved() -> None:
    def half(_issuer: Issuer, request: CardRequest) -> Answers:
        if request.mti != "0100":
            return [approve(request)]
        part = msgspec.structs.replace(approve(request), response_code="10", amount=7)
        return [part]

    plan = {"course": Course.PLAIN, "settlement": Settlement.NEVER}
    played = Played(forced(VISANET, ("partial-approval terminal",), **plan), half)
    assert {belief.held for belief in played.beliefs} == {7}


@ALL_NETWORKS
def test_what_is_never_answered_is_reversed_and_reported(network: Network) -> None:
    def mute(_issuer: Issuer, request: CardRequest) -> Answers:
        return [] if request.mti == "0100" else [approve(request)]

    played = Played(forced(network, COUNTER, course=Course.PLAIN), mute)
    assert played.counts["unanswered"] == played.counts["timeouts"] == 100
    assert all(belief.reversed and not belief.answered for belief in played.beliefs)
    assert not played.is_ok


@ALL_NETWORKS
def test_a_late_answer_counts_but_its_reversal_prevails(network: Network) -> None:
    pending: list[CardResponse] = []

    def slow(_issuer: Issuer, request: CardRequest) -> Answers:
        if request.mti == "0100":
            pending.append(approve(request))
            return []
        return [approve(request), *[pending.pop() for _ in pending[:1]]]

    played = Played(forced(network, COUNTER, course=Course.PLAIN), slow)
    assert played.counts["late"] == 100
    assert played.is_ok
    assert all(belief.answered and not belief.held for belief in played.beliefs)


@ALL_NETWORKS
def test_what_must_arrive_is_sent_again_until_it_is_taken(network: Network) -> None:
    tries: dict[str, int] = {}

    def busy(_issuer: Issuer, request: CardRequest) -> Answers:
        if request.mti[:3] != "022":
            return [approve(request)]
        tries[request.stan] = tries.get(request.stan, 0) + 1
        return [[], [decline(request, "91")], [approve(request)]][min(tries[request.stan], 3) - 1]

    plan = {"course": Course.PLAIN, "settlement": Settlement.EXACT}
    played = Played(forced(network, COUNTER, **plan), busy)
    assert set(tries.values()) == {3}
    assert len(played.issuer.of_type("0221")) == 200
    assert all(belief.cleared == belief.approved for belief in played.beliefs)
    assert played.is_ok


def test_what_is_never_taken_is_given_up_and_reported() -> None:
    def deaf(_issuer: Issuer, request: CardRequest) -> Answers:
        return [] if request.mti[:3] == "022" else [approve(request)]

    plan = {"course": Course.PLAIN, "settlement": Settlement.EXACT}
    played = Played(forced(VISANET, COUNTER, **plan), deaf)
    assert played.counts["unanswered"] == 100
    assert played.simulator.tally.refused == {"clear unanswered": 100}
    assert all(belief.held == belief.approved for belief in played.beliefs)


def test_an_issuer_that_cannot_decide_is_not_followed_up() -> None:
    def overloaded(_issuer: Issuer, request: CardRequest) -> Answers:
        return [decline(request, "91")]

    played = Played(forced(VISANET, COUNTER, course=Course.LOST_ANSWER), overloaded)
    assert {message.mti for message in played.issuer.received} == {"0100"}
    assert played.simulator.tally.declined == {"91": 100}


def test_a_message_that_is_rejected_is_not_sent_again() -> None:
    beliefs: list[Belief] = []
    network = forced(VISANET, COUNTER, course=Course.PLAIN)
    simulator = Simulator(network, RUN, beliefs.append, begin=0.0, epoch=SECOND)
    message = simulator.due(10.0)
    assert message is not None
    simulator.rejected(message, "0134")
    assert simulator.tally.refused == {"open reject 0134": 1}
    assert [belief.rrn for belief in beliefs] == [message.rrn]


def test_a_broken_link_makes_a_repeat_of_the_request() -> None:
    network = forced(VISANET, COUNTER, course=Course.PLAIN)
    simulator = Simulator(network, RUN, lambda _: None, begin=0.0, epoch=SECOND)
    message = simulator.due(0.04)
    assert message is not None
    simulator.lost(message, 0.05)
    simulator.stop()
    repeat = simulator.due(1.0)
    assert repeat == msgspec.structs.replace(message, mti="0101")


def test_abandoning_a_run_leaves_nothing_out() -> None:
    beliefs: list[Belief] = []
    simulator = Simulator(VISANET, RUN, beliefs.append, begin=0.0, epoch=SECOND)
    sent = 0
    while simulator.due(1.0) is not None:
        sent += 1
    simulator.abandon()
    assert len(beliefs) == sent
    assert simulator.finished
    assert not simulator.kept_its_promises


def test_a_repeat_after_a_broken_link_may_be_declined_for_want_of_a_decision() -> None:
    beliefs: list[Belief] = []
    network = forced(VISANET, COUNTER, course=Course.PLAIN)
    simulator = Simulator(network, RUN, beliefs.append, begin=0.0, epoch=SECOND)
    message = simulator.due(0.04)
    assert message is not None
    simulator.lost(message, 0.05)
    simulator.stop()
    repeat = simulator.due(1.0)
    assert repeat is not None
    simulator.answered(repeat, decline(repeat, "91"), b"", 1.1)
    assert [belief.response_code for belief in beliefs] == ["91"]
    assert simulator.finished


def test_abandoning_tells_of_a_timed_out_request_once() -> None:
    beliefs: list[Belief] = []
    network = forced(VISANET, COUNTER, course=Course.PLAIN)
    simulator = Simulator(network, RUN, beliefs.append, begin=0.0, epoch=SECOND)
    message = simulator.due(0.04)
    assert message is not None
    simulator.timed_out(message, 5.0)
    reversal = simulator.due(5.0)
    assert isinstance(reversal, (Reversal, AuthorizationRequest))
    simulator.abandon()
    assert len(beliefs) == len({belief.rrn for belief in beliefs})
    assert message.rrn in {belief.rrn for belief in beliefs}


def test_an_answer_to_nothing_is_ignored() -> None:
    simulator = Simulator(VISANET, RUN, lambda _: None, begin=0.0, epoch=SECOND)
    message = simulator.due(1.0)
    assert message is not None
    simulator.late(approve(message), 1.0)
    assert simulator.tally.counts["late"] == 0
