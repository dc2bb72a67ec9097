# ruff: noqa: ANN401, E501 - fields of a message or card are given by name; a row of a table is a case
"""Over real sockets, with the real ledger: what each network sends and gets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.cards import CardControls, CardKind, CardState, Channel
from ledger.house import AccountKind
from networks.wire.messages import AdditionalAmount, Administrative, FileUpdate, OriginalData
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, code_of, fresh, new_card, run, running, until
from tests.gateway.samples import advice, financial, purchase, reversal

NETWORKS = pytest.mark.parametrize("network", ["visanet", "quicpay"])
CARD = {"pan": synthetic_pan(1)}


@NETWORKS
def test_a_purchase_is_approved_and_held(tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial(network)
            request = purchase(network, **CARD)
            answer = await line.answer(request)
            assert answer.mti == "0110"
            assert answer.response_code == "00"
            assert len(answer.approval_code) == 6
            assert (answer.stan, answer.rrn, answer.amount) == (request.stan, request.rrn, 1250)
            assert gateway.balances() == (BALANCE, 1250)
            [record] = gateway.records
            assert (record.outcome, record.response_code) == ("APPROVED", "00")
            assert record.approval_code == answer.approval_code
            assert (record.pan, record.account_id) == ("400000******0010", 10)

    run(scenario)


# fmt: off
DECLINED = [
    # network    card                                                     request                                                 code
    ("visanet", {},                                                      {"pan": synthetic_pan(2)},                              "14"),
    ("visanet", {"state": CardState.RESTRICTED},                         {},                                                     "62"),
    ("visanet", {"state": CardState.LOST},                               {},                                                     "41"),
    ("visanet", {"state": CardState.STOLEN},                             {},                                                     "43"),
    ("visanet", {"state": CardState.CLOSED},                             {},                                                     "78"),
    ("visanet", {"expiry": "2001"},                                      {"expiry": "2001"},                                     "54"),
    ("visanet", {},                                                      {"expiry": "3011"},                                     "54"),
    ("visanet", {"controls": CardControls(amount_limit=1000)},           {},                                                     "61"),
    ("visanet", {"controls": CardControls(day_amount=1000)},             {},                                                     "61"),
    ("visanet", {"controls": CardControls(day_count=0)},                 {},                                                     "65"),
    ("visanet", {"controls": CardControls(frozenset({"5411"}))},         {},                                                     "57"),
    ("visanet", {"controls": CardControls(blocked_channels=frozenset({Channel.CONTACTLESS}))}, {},                               "57"),
    ("visanet", {},                                                      {"amount": BALANCE + 1},                                "51"),
    ("visanet", {},                                                      {"currency": "840"},                                    "12"),
    ("visanet", {},                                                      {"processing_code": "990000"},                          "12"),
    ("visanet", {},                                                      {"amount": 0},                                          "13"),
    ("visanet", {},                                                      {"amount": None},                                       "30"),
    ("visanet", {},                                                      {"currency": "001"},                                    "30"),
    ("visanet", {},                                                      {"message_reason": "3900"},                             "25"),
    ("quicpay", {},                                                      {"pan": synthetic_pan(2)},                              "14"),
    ("quicpay", {"kind": CardKind.POST_PAY},                             {"quicpay_mode": "1", "amount": 20_001},                "61"),
    ("quicpay", {},                                                      {"quicpay_mode": "1"},                                  "57"),
    ("quicpay", {},                                                      {"payment_plan": "61"},                                 "57"),
    ("quicpay", {},                                                      {"processing_code": "900000"},                          "57"),
    ("quicpay", {},                                                      {"amount": BALANCE + 1},                                "51"),
    ("quicpay", {},                                                      {"processing_code": "300000"},                          "12"),
]
# fmt: on


@pytest.mark.parametrize(("network", "card", "request_", "code"), DECLINED)
def test_each_decline(
    tmp_path: Path, network: str, card: dict[str, Any], request_: dict[str, Any], code: str
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, new_card(**card)) as gateway:
            line = await gateway.dial(network)
            answer = await line.answer(purchase(network, **{**CARD, **request_}))
            assert (answer.response_code, answer.approval_code) == (code, "")
            assert gateway.balances() == (BALANCE, 0)
            assert gateway.records[0].response_code == code
            assert gateway.records[0].explanation

    run(scenario)


# fmt: off
ASKED = [
    # what                     request                                             code  amounts told
    ("verification",  {"amount": 0, "condition": "51"},                   "85", ()),
    ("inquiry",       {"processing_code": "300000", "amount": 0},         "00", (("02", BALANCE), ("01", BALANCE))),
    ("refund",        {"processing_code": "200000"},                      "00", ()),
    ("credit",        {"processing_code": "260000"},                      "00", ()),
]
# fmt: on


@pytest.mark.parametrize(("what", "request_", "code", "amounts"), ASKED)
def test_what_is_approved_without_a_hold(
    tmp_path: Path,
    what: str,
    request_: dict[str, Any],
    code: str,
    amounts: tuple[tuple[str, int], ...],
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            answer = await line.answer(purchase(**CARD, **request_))
            assert answer.response_code == code, what
            expected = tuple(AdditionalAmount("00", kind, "392", each) for kind, each in amounts)
            assert answer.additional_amounts == expected
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_the_validity_of_a_quicpay_card_is_answered_00(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            assert await line.code(purchase("quicpay", **CARD, processing_code="310000")) == "00"

    run(scenario)


def test_a_post_pay_card_reserves_an_allowance(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, new_card(kind=CardKind.POST_PAY)) as gateway:
            line = await gateway.dial("quicpay")
            request = purchase("quicpay", **CARD, processing_code="900000", amount=0)
            assert await line.code(request) == "00"
            assert gateway.balances() == (BALANCE, 30_000)

    run(scenario)


@NETWORKS
def test_a_repeat_gets_the_stored_answer_byte_for_byte(tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial(network)
            first = await line.ask(purchase(network, **CARD))
            again = await line.ask(purchase(network, **CARD, mti="0101"))
            other_line = await gateway.dial(network)
            elsewhere = await other_line.ask(purchase(network, **CARD))
            assert first.response_bytes == again.response_bytes == elsewhere.response_bytes
            assert gateway.balances() == (BALANCE, 1250)
            assert [record.replayed for record in gateway.records] == [False, True, True]

    run(scenario)


def test_a_balance_that_twelve_digits_cannot_say_is_not_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=10**12) as gateway:
            line = await gateway.dial()
            inquiry = purchase(**CARD, **fresh(), processing_code="300000", amount=0)
            answer = await line.answer(inquiry)
            assert (answer.response_code, answer.additional_amounts) == ("00", ())

    run(scenario)


def test_a_repeated_inquiry_tells_the_balance_of_then(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            inquiry = purchase(**CARD, **fresh(), processing_code="300000", amount=0)
            first = await line.ask(inquiry)
            await line.ask(purchase(**CARD))
            again = await line.ask(msgspec.structs.replace(inquiry, mti="0101"))
            assert again.response_bytes == first.response_bytes

    run(scenario)


def test_two_links_at_once_with_the_same_request_make_one_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            lines = [await gateway.dial() for _ in range(4)]
            waiting = [line.send(purchase(**CARD)) for line in lines]
            answers = {(await each).response_bytes for each in waiting}
            assert len(answers) == 1
            assert gateway.holds_count() == 1
            assert gateway.balances() == (BALANCE, 1250)

    run(scenario)


def test_the_same_key_with_another_amount_is_a_conflict(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            await line.ask(purchase(**CARD))
            assert await line.code(purchase(**CARD, amount=99)) == "12"
            assert gateway.balances() == (BALANCE, 1250)

    run(scenario)


def test_a_partial_approval_tells_both_amounts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=800) as gateway:
            line = await gateway.dial()
            answer = await line.answer(purchase(**CARD, partial_approval="1"))
            assert (answer.response_code, answer.amount) == ("10", 800)
            assert answer.additional_amounts == (AdditionalAmount("00", "57", "392", 1250),)
            assert len(answer.approval_code) == 6
            assert gateway.balances() == (800, 800)
            assert await line.code(purchase(**CARD, **fresh(), partial_approval="1")) == "51"

    run(scenario)


def test_a_partial_approval_in_foreign_currency(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=7_500) as gateway:
            line = await gateway.dial()
            foreign: dict[str, Any] = {"currency": "840", "amount": 10_000}
            billing: dict[str, Any] = {"billing_currency": "392", "billing_amount": 15_000}
            request = purchase(**CARD, **foreign, **billing, partial_approval="1")
            answer = await line.answer(request)
            assert (answer.amount, answer.billing_amount) == (5_000, 7_500)
            assert answer.additional_amounts == (AdditionalAmount("00", "57", "840", 10_000),)
            assert gateway.balances() == (7_500, 7_500)

    run(scenario)


def test_an_increment_adds_to_its_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            hotel = {**CARD, "merchant_category": "7011"}
            await line.ask(purchase(**hotel, amount=10_000))
            more = purchase(**hotel, **fresh(), amount=5_000, message_reason="3900")
            assert await line.code(more) == "00"
            assert (gateway.balances(), gateway.holds_count()) == ((BALANCE, 15_000), 1)

    run(scenario)


def test_a_fuel_pump_holds_a_full_tank_and_completes_with_what_was_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            pump = {**CARD, "merchant_category": "5542"}
            answer = await line.answer(purchase(**pump, amount=1))
            assert (answer.response_code, answer.amount) == ("00", 1)
            assert gateway.balances() == (BALANCE, 10_000)
            taken: dict[str, Any] = {"amount": 6_400, "stand_in_reason": "", "response_source": ""}
            completion = advice(**pump, **taken, approval_code=answer.approval_code)
            assert await line.code(msgspec.structs.replace(completion, **fresh())) == "00"
            assert gateway.balances() == (BALANCE, 6_400)

    run(scenario)


@NETWORKS
@pytest.mark.parametrize("mti", ["0400", "0420"])
def test_a_reversal_releases_the_hold(tmp_path: Path, network: str, mti: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial(network)
            request = purchase(network, **CARD)
            await line.ask(request)
            back = reversal(network, **CARD, mti=mti, original=named(request), approval_code="")
            first = await line.ask(back)
            assert first.response.mti == f"04{mti[2]}0"[:2] + str(int(mti[2]) + 1) + "0"
            assert code_of(first) == "00"
            assert gateway.balances() == (BALANCE, 0)
            again = await line.ask(msgspec.structs.replace(back, mti=f"{mti[:3]}1"))
            assert again.response_bytes == first.response_bytes

    run(scenario)


@NETWORKS
def test_a_reversal_that_comes_first_declines_its_original(tmp_path: Path, network: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial(network)
            request = purchase(network, **CARD)
            assert await line.code(reversal(network, **CARD, original=named(request))) == "00"
            answer = await line.answer(request)
            assert (answer.response_code, answer.approval_code) == ("05", "")
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_partial_reversal_leaves_what_was_used(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            await line.ask(purchase(**CARD))
            assert await line.code(reversal(**CARD, replacement_amount=400)) == "00"
            assert gateway.balances() == (BALANCE, 400)

    run(scenario)


@NETWORKS
def test_what_was_approved_in_stand_in_is_held_even_below_zero(
    tmp_path: Path, network: str
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=1_000) as gateway:
            line = await gateway.dial(network)
            assert await line.code(advice(network, **CARD, authorization_path="2")) == "00"
            assert gateway.balances() == (1_000, 1_250)

    run(scenario)


def test_a_stand_in_decline_replaces_our_own_approval(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            await line.ask(purchase(**CARD))
            assert await line.code(advice(**CARD, response_code="05", approval_code="")) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_clearing_advice_posts_against_its_hold_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            answer = await line.answer(purchase(**CARD))
            cleared = financial(
                **CARD, mti="0220", stan="000113", approval_code=answer.approval_code
            )
            first = await line.ask(cleared)
            again = await line.ask(msgspec.structs.replace(cleared, mti="0221"))
            assert first.response.mti == "0230"
            assert first.response_bytes == again.response_bytes
            assert gateway.balances() == (BALANCE - 1_250, 0)

    run(scenario)


def test_a_clearing_in_parts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            await line.ask(purchase(**CARD))
            balances = []
            for part, amount in (("01", 500), ("02", 400), ("03", 500)):
                request = financial(
                    **{**CARD, **fresh()},
                    mti="0220",
                    amount=amount,
                    clearing_sequence=part,
                    clearing_count="03",
                )
                assert await line.code(request) == "00"
                balances.append(gateway.balances())
            assert balances == [(99_500, 750), (99_100, 350), (98_600, 0)]

    run(scenario)


def test_a_clearing_without_an_authorization_is_posted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=1_000) as gateway:
            line = await gateway.dial()
            assert await line.code(financial(**CARD, mti="0220")) == "00"
            assert gateway.balances() == (0, 0)
            assert gateway.owed() == 250

    run(scenario)


def test_a_refund_pays_when_it_is_cleared(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            refund = {**CARD, "processing_code": "200000"}
            await line.ask(purchase(**refund))
            assert gateway.balances() == (BALANCE, 0)
            assert await line.code(financial(**refund, mti="0220", stan="000113")) == "00"
            assert gateway.balances() == (BALANCE + 1_250, 0)

    run(scenario)


# fmt: off
SINGLE = [
    # request                                       code  balance
    ({},                                            "00", BALANCE - 1_250),
    ({"processing_code": "010000"},                 "00", BALANCE - 1_250 - 110),
    ({"processing_code": "200000"},                 "00", BALANCE + 1_250),
    ({"processing_code": "300000", "amount": 0},    "00", BALANCE),
    ({"amount": BALANCE + 1},                       "51", BALANCE),
]
# fmt: on


@pytest.mark.parametrize(("request_", "code", "balance"), SINGLE)
def test_a_single_message_holds_and_posts_at_once(
    tmp_path: Path, request_: dict[str, Any], code: str, balance: int
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            first = await line.ask(financial(**CARD, **request_))
            again = await line.ask(financial(**CARD, **request_, mti="0201"))
            assert first.response.mti == "0210"
            assert code_of(first) == code
            assert first.response_bytes == again.response_bytes
            assert gateway.balances() == (balance, 0)

    run(scenario)


# fmt: off
UNDONE = [
    # request                                                     fee  points
    ({},                                                          0,   12),
    ({"processing_code": "010000"},                               110, 0),
    ({"processing_code": "200000"},                               0,   0),
    ({"amount": BALANCE + 5, "partial_approval": "1"},            0,   1000),
]
# fmt: on


@pytest.mark.parametrize(("request_", "fee", "points"), UNDONE)
def test_a_reversed_single_message_comes_back_once_with_its_fee_and_points(
    tmp_path: Path, request_: dict[str, Any], fee: int, points: int
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            request = financial(**CARD, **request_)
            await line.ask(request)
            assert gateway.balances() != (BALANCE, 0)
            assert (gateway.house(AccountKind.FEE), gateway.points()) == (fee, points)
            for mti in ("0400", "0401", "0420"):
                back = reversal(**CARD, **repeated(request), mti=mti, original=named(request))
                assert await line.code(back) == "00"
            assert gateway.balances() == (BALANCE, 0)
            assert (gateway.house(AccountKind.FEE), gateway.points()) == (0, 0)

    run(scenario)


def test_a_partly_reversed_single_message_pays_back_the_difference_then_the_rest(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            request = financial(**CARD)
            await line.ask(request)
            for left, points in ((400, 3), (0, 0)):
                back = reversal(**CARD, original=named(request), replacement_amount=left or None)
                assert await line.code(back) == "00"
                assert gateway.balances() == (BALANCE - left, 0)
                assert gateway.points() == points

    run(scenario)


def test_a_single_message_reversed_between_its_hold_and_its_posting_posts_nothing(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            lines = [await gateway.dial() for _ in range(2)]
            request = financial(**CARD)
            with gateway.database.transaction():  # the hold is written with the reversal behind it
                waiting = lines[0].send(request)
                await until(lambda: gateway.processors["visanet"].waiting_count == 1)
                back = lines[1].send(reversal(**CARD, original=named(request)))
                await until(lambda: gateway.processors["visanet"].waiting_count == 2)
            await asyncio.gather(waiting, back)
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_reversed_single_message_that_was_declined_pays_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            request = financial(**CARD, amount=BALANCE + 1)
            await line.ask(request)
            back = reversal(**CARD, amount=BALANCE + 1, original=named(request))
            assert await line.code(back) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_partial_reversal_may_be_followed_by_the_full_one(tmp_path: Path) -> None:
    """Both have the numbers of their original, as VisaNet-like networks write them."""

    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            request = purchase(**CARD)
            await line.ask(request)
            numbers: dict[str, Any] = {"stan": request.stan, "original": named(request)}
            assert await line.code(reversal(**CARD, **numbers, replacement_amount=400)) == "00"
            assert gateway.balances() == (BALANCE, 400)
            assert await line.code(reversal(**CARD, **numbers)) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_cleared_purchase_is_not_paid_back_by_a_reversal(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            await line.ask(purchase(**CARD))
            await line.ask(financial(**CARD, mti="0220", stan="000113"))
            assert await line.code(reversal(**CARD)) == "00"
            assert gateway.balances() == (BALANCE - 1_250, 0)

    run(scenario)


@pytest.mark.parametrize("build", [reversal, advice, financial])
def test_messages_about_an_unknown_card_are_answered_14(tmp_path: Path, build: Any) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            assert await line.code(build(pan=synthetic_pan(99))) == "14"
            assert gateway.records[0].outcome == "INSTRUMENT_UNKNOWN"

    run(scenario)


def test_administrative_messages_and_file_updates_are_acknowledged(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            when: dict[str, Any] = {
                "transmission": "1122013045",
                "stan": "000114",
                "rrn": "632601000114",
            }
            note = (await line.ask(Administrative(mti="0620", **when, text="hello"))).response
            assert isinstance(note, Administrative)
            assert (note.mti, note.response_code) == ("0630", "00")
            update = FileUpdate(
                mti="0302", **when, pan=CARD["pan"], update_code="1", file_name="E2"
            )
            answer = (await line.ask(update)).response
            assert isinstance(answer, FileUpdate)
            assert (answer.mti, answer.response_code) == ("0312", "00")
            assert [record.outcome for record in gateway.records] == ["NOTED", "NOTED"]

    run(scenario)


def test_a_card_issued_while_the_gateway_runs_is_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial()
            request = purchase(pan=synthetic_pan(2))
            assert await line.code(request) == "14"
            gateway.issue([new_card(2)])
            assert await line.code(request) == "00"
            assert gateway.balances(20) == (BALANCE, 1_250)

    run(scenario)


def repeated(request: Any) -> dict[str, Any]:
    """The amount and processing code that a reversal repeats."""
    return {"amount": request.amount, "processing_code": request.processing_code}


def named(request: Any) -> OriginalData:
    """How a DE 90 names `request`."""
    return OriginalData(
        request.mti, request.stan, request.transmission, request.acquirer, request.forwarder
    )
