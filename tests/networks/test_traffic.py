"""What the networks carry: deterministic, valid on the wire, in the proportions of the tables."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.network import Network
from networks.numbering import RRNS_AN_HOUR, Numbering
from networks.quicpay_sim import mix as quicpay_mix
from networks.quicpay_sim.merchants import TERMINALS
from networks.traffic import (
    SPOILED,
    Course,
    Place,
    Plan,
    Prices,
    Pricing,
    Purpose,
    Settlement,
    Spoiled,
    Weighted,
    draw_card,
    shop_name,
)
from networks.visanet_sim import merchants, mix
from networks.wire.canonical import canonical_for
from networks.wire.messages import CardRequest
from networks.wire.pan import luhn_digit, synthetic_pan
from networks.wire.stamps import stamp
from tests.networks.simulated import NETWORKS, SECOND, plans

SEEDS = st.integers(0, 2**32 - 1)
ALL_NETWORKS = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


def encoded(network: Network, message: CardRequest) -> bytes:
    return network.dialect.codec.encode(canonical_for(network.dialect).write(message))


@ALL_NETWORKS
@pytest.mark.no_cover
@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_one_seed_is_one_stream_of_messages(network: Network, seed: int) -> None:
    first, second = (
        [encoded(network, plan.request) for plan in plans(network, seed, 20)] for _ in range(2)
    )
    assert first == second
    assert first != [encoded(network, plan.request) for plan in plans(network, seed + 1, 20)]


@ALL_NETWORKS
@pytest.mark.no_cover
@given(seed=SEEDS)
@settings(max_examples=40, deadline=None)
def test_every_message_survives_the_wire(network: Network, seed: int) -> None:
    codec, canonical = network.dialect.codec, canonical_for(network.dialect)
    for plan in plans(network, seed, 25):
        for message in (plan.request, *later_messages(network, plan)):
            fields = canonical.write(message)
            wire = codec.encode(fields)
            decoded = codec.decode(wire)
            assert {key: decoded[key] for key in fields} == dict(fields)
            read = canonical.read(decoded)
            assert isinstance(read, CardRequest)
            assert codec.encode(canonical.write(read)) == wire
            named = (read.pan, read.stan, read.rrn, read.amount, read.transaction_id)
            assert named == (
                message.pan,
                message.stan,
                message.rrn,
                message.amount,
                message.transaction_id,
            )


def later_messages(network: Network, plan: Plan) -> list[CardRequest]:
    names = Numbering(500_000).take(SECOND + 60)
    request = plan.request
    built = [
        network.time_out(request, names),
        network.cancel(request, names, "A1B2C3"),
        network.clear(request, names, 1200, "A1B2C3", (0, 0)),
    ]
    if network.stand_in and network.increment and network.complete:
        built += [
            network.cancel(request, names, "A1B2C3", 400),
            network.clear(request, names, 700, "A1B2C3", (1, 3)),
            network.stand_in(request, names),
            network.increment(request, names, 5000),
            network.complete(request, names, 4321, "A1B2C3"),
        ]
    return built


@ALL_NETWORKS
def test_names_of_messages_are_unique(network: Network) -> None:
    requests = [plan.request for plan in plans(network, 7, 5000)]
    assert len({request.rrn for request in requests}) == len(requests)
    assert len({(request.stan, request.transmission) for request in requests}) == len(requests)
    identifiers = {request.transaction_id for request in requests}
    assert len(identifiers) == (len(requests) if network.name == "visanet" else 1)


@ALL_NETWORKS
def test_amounts_are_valid_and_heavy_tailed(network: Network) -> None:
    drawn = list(plans(network, 3, 5000))
    amounts = sorted(plan.request.amount or 0 for plan in drawn if plan.purpose is Purpose.PURCHASE)
    assert amounts[0] >= 1
    assert amounts[-1] < 10**12
    median, mean = amounts[len(amounts) // 2], sum(amounts) / len(amounts)
    assert mean > 1.5 * median
    for plan in drawn:
        moneyless = plan.purpose in (Purpose.VERIFICATION, Purpose.INQUIRY)
        assert (plan.request.amount == 0) is moneyless


def shares(counted: Counter[str]) -> dict[str, float]:
    return {value: number / counted.total() for value, number in counted.items()}


@pytest.mark.parametrize(
    ("network", "weights"),
    [
        ("visanet", {channel.value: weight for channel, weight in mix.CHANNELS.items()}),
        ("quicpay", {channel.value: weight for channel, weight in quicpay_mix.CHANNELS.items()}),
    ],
)
def test_channels_come_in_their_proportions(network: str, weights: dict[str, float]) -> None:
    drawn = Counter(str(plan.channel) for plan in plans(NETWORKS[network], 11, 20_000))
    assert shares(drawn) == pytest.approx(
        {channel: weight / sum(weights.values()) for channel, weight in weights.items()}, abs=0.012
    )


@ALL_NETWORKS
def test_every_course_and_settlement_of_a_network_happens(network: Network) -> None:
    drawn = list(plans(network, 5, 20_000))
    courses = mix.COURSES if network.name == "visanet" else quicpay_mix.COURSES
    assert {plan.course for plan in drawn} == set(courses)
    cleared = {plan.settlement for plan in drawn if plan.purpose is Purpose.PURCHASE}
    assert {Settlement.EXACT, Settlement.NEVER} <= cleared
    assert not any(plan.increments or plan.completion for plan in drawn) or network.increment


def test_partial_reversals_are_only_planned_in_the_cards_currency() -> None:
    for plan in plans(NETWORKS["visanet"], 5, 20_000):
        if plan.course in (Course.PARTLY_REVERSED, Course.STOOD_IN):
            assert plan.request.currency == "392"


def test_cards_are_the_seeded_ones_but_for_a_few() -> None:
    random = Random(1)
    seeded = {synthetic_pan(number) for number in range(1, 101)}
    drawn = [draw_card(random, 100) for _ in range(20_000)]
    assert all(card.pan[-1] == luhn_digit(card.pan[:-1]) for card in drawn)
    assert {card.pan for card in drawn if card.spoiled is not Spoiled.UNKNOWN_CARD} == seeded
    assert not any(card.pan in seeded for card in drawn if card.spoiled is Spoiled.UNKNOWN_CARD)
    assert all(
        (card.expiry == "3012") is (card.spoiled is not Spoiled.WRONG_EXPIRY) for card in drawn
    )
    found = shares(Counter(card.spoiled.value for card in drawn))
    assert found == pytest.approx({key.value: share for key, share in SPOILED.items()}, abs=0.004)


def test_what_the_issuer_cannot_refuse_is_never_spoiled() -> None:
    seeded = {synthetic_pan(number) for number in range(1, 11)}
    for network in NETWORKS.values():
        for plan in plans(network, 2, 5000, cards=10):
            if plan.request.mti != "0100":
                assert plan.request.pan in seeded


@pytest.mark.parametrize(
    ("pricing", "endings"),
    [
        (Pricing.TEN, {"0"}),
        (Pricing.HUNDRED, {"00"}),
        (Pricing.THOUSAND, {"000"}),
        (Pricing.CHARM, {"80", "00"}),
    ],
)
def test_prices_end_as_their_kind_does(pricing: Pricing, endings: set[str]) -> None:
    random, prices = Random(9), Prices(3000, 1.0, 500_000, pricing)
    drawn = [prices.draw(random) for _ in range(2000)]
    width = len(next(iter(endings)))
    assert {str(amount)[-width:] for amount in drawn} == endings
    assert all(0 < amount <= 500_000 for amount in drawn)


def test_shop_names_have_the_layout_of_element_43() -> None:
    name = shop_name("A RATHER LONG NAME", Place("OF A BRANCH SOMEWHERE", "SOME LONG CITY NAME"))
    assert name == "A RATHER LONG NAME OF A BSOME LONG CITJP"
    foreign = [shop for abroad in merchants.FOREIGN for shop in abroad.merchants]
    for shop in foreign:
        assert len(shop.name) == 40
        assert shop.name.isascii()


def test_kana_names_are_half_width_and_terminals_are_distinct() -> None:
    for terminal in TERMINALS:
        assert len(terminal.name.encode("shift_jis")) == len(terminal.name) == 40
        assert (len(terminal.terminal), len(terminal.identity), len(terminal.merchant)) == (
            8,
            13,
            15,
        )
    assert len({terminal.identity for terminal in TERMINALS}) == len(TERMINALS)
    assert len({terminal.terminal for terminal in TERMINALS}) == len(TERMINALS)


def test_foreign_amounts_are_converted_half_up() -> None:
    dollars = merchants.FOREIGN[0]
    assert (dollars.billed(10_000), dollars.billed(1)) == (15_023, 2)


def test_stans_wrap_and_references_go_on() -> None:
    numbering = Numbering(999_998)
    last, first = numbering.take(SECOND), numbering.take(SECOND)
    assert (last.stan, first.stan) == ("999999", "000001")
    assert (last.rrn, first.rrn) == ("632601999999", "632601A00000")
    assert first.transaction_id == "363260544500000"
    assert len(first.transaction_id) == 15


def test_references_of_an_hour_come_round_only_after_millions() -> None:
    numbering = Numbering(RRNS_AN_HOUR - 2)
    assert numbering.take(SECOND).rrn == "632601ZZZ999"
    assert numbering.take(SECOND).rrn == "632601000000"
    assert RRNS_AN_HOUR > 3600 * 9000


def test_times_are_written_for_greenwich_and_for_japan() -> None:
    written = stamp(SECOND)
    assert (written.transmission, written.local_time, written.local_date) == (
        "1122013045",
        "103045",
        "1122",
    )


def test_a_table_of_one_value_always_gives_it() -> None:
    assert Weighted({"only": 0.2}).pick(Random(1)) == "only"
