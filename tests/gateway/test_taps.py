# ruff: noqa: ANN401 - fields of a message are given by name
"""A QUICPay device tapped twice: same terminal, same slip, within three seconds (DOMAIN 3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.authorize import authorize
from gateway.reversals import reverse
from ledger.commands import Authorize, Decision
from ledger.outcomes import Outcome
from networks.wire.messages import AuthorizationRequest, CardRequest, OriginalData
from networks.wire.pan import synthetic_pan
from tests.gateway.running import BALANCE, Running, fresh, run, running
from tests.gateway.samples import AT, card, case, financial, purchase, reversal

CARD = {"pan": synthetic_pan(1)}


def tap(**changes: Any) -> AuthorizationRequest:
    return purchase("quicpay", **{**CARD, **fresh(), **changes})


def decide(gateway: Running, request: AuthorizationRequest, at: int = AT, **of: Any) -> Decision:
    """The ledger's answer to `request` at `at`, of card 1 or of another."""
    known = case(card(**{"card_id": 1, "account_id": 10, **of}), "quicpay")
    command = authorize(request, msgspec.structs.replace(known, at=at))
    assert isinstance(command, Authorize)
    return gateway.other_ledger.apply([command])[0]


def named(request: CardRequest) -> OriginalData:
    return OriginalData("0100", request.stan, request.transmission, request.acquirer)


def test_a_second_tap_gets_the_first_ones_answer_and_no_second_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            first, second = tap(), tap()
            answers = [await line.answer(each) for each in (first, second)]
            assert [each.response_code for each in answers] == ["00", "00"]
            assert answers[0].approval_code == answers[1].approval_code
            assert answers[1].stan == second.stan
            assert (gateway.balances(), gateway.holds_count()) == ((BALANCE, 1_250), 1)
            repeated = await line.answer(msgspec.structs.replace(second, mti="0101"))
            assert repeated.approval_code == answers[0].approval_code
            assert [record.replayed for record in gateway.records] == [False, True, True]
            assert len({record.authorization_id for record in gateway.records}) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("microseconds", "holds"),
    [(0, 1), (3_000_000, 1), (-3_000_000, 1), (3_000_001, 2), (-3_000_001, 2)],
)
def test_three_seconds_make_the_difference(tmp_path: Path, microseconds: int, holds: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            decide(gateway, tap())
            decide(gateway, tap(), AT + microseconds)
            assert gateway.holds_count() == holds

    run(scenario)


@pytest.mark.parametrize(
    "changes",
    [
        {"slip": "00322"},
        {"slip": ""},
        {"terminal_identity": "1310012345679"},
        {"terminal_identity": ""},
        {"amount": 1251},
        {"processing_code": "200000"},
    ],
)
def test_another_sale_is_no_repeat(tmp_path: Path, changes: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            assert not decide(gateway, tap()).replayed
            assert not decide(gateway, tap(**changes)).replayed

    run(scenario)


def test_another_card_is_no_repeat_even_on_the_same_account(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            assert not decide(gateway, tap()).replayed
            assert not decide(gateway, tap(), card_id=2).replayed

    run(scenario)


def test_a_declined_tap_is_declined_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, balance=100) as gateway:
            first, second = (decide(gateway, tap(), AT + n) for n in (0, 1))
            assert first.outcome is second.outcome is Outcome.INSUFFICIENT_FUNDS
            assert second.replayed

    run(scenario)


@pytest.mark.parametrize("which", [0, 1])
def test_the_reversal_of_either_tap_reverses_the_sale(tmp_path: Path, which: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            taps = [tap(), tap()]
            for each in taps:
                await line.ask(each)
            back = reversal("quicpay", **CARD, original=named(taps[which]), mti="0420")
            assert await line.code(back) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


@pytest.mark.parametrize("which", [0, 1])
def test_what_a_sale_has_posted_comes_back_by_either_tap(tmp_path: Path, which: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            taps = [financial("quicpay", **CARD, **fresh()) for _ in range(2)]
            assert [await line.code(each) for each in taps] == ["00", "00"]
            assert gateway.balances() == (BALANCE - 1_250, 0)
            original = msgspec.structs.replace(named(taps[which]), mti="0200")
            back = reversal("quicpay", **CARD, original=original, mti="0420")
            assert await line.code(back) == "00"
            assert gateway.balances() == (BALANCE, 0)

    run(scenario)


def test_a_tap_after_the_sale_was_reversed_is_decided_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            first = tap()
            await line.ask(first)
            await line.ask(reversal("quicpay", **CARD, original=named(first), mti="0420"))
            again = await line.answer(tap())
            assert again.response_code == "00"
            assert (gateway.balances(), gateway.holds_count()) == ((BALANCE, 1_250), 2)

    run(scenario)


def test_a_tap_whose_own_reversal_came_first_is_declined(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as gateway:
            line = await gateway.dial("quicpay")
            first, second = tap(), tap()
            await line.ask(first)
            await line.ask(reversal("quicpay", **CARD, original=named(second), mti="0420"))
            assert await line.code(second) == "05"
            assert gateway.balances() == (BALANCE, 1_250)

    run(scenario)


def test_a_reversal_names_no_sale() -> None:
    """A slip number comes again one day; a reversal means one message."""
    assert reverse(reversal("quicpay"), case(network="quicpay")).reference.transaction_id == ""
