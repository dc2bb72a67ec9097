"""What names a message, and that no two are named alike."""

from __future__ import annotations

import pytest

from loadtest.numbering import Numbering, head_of, particulars, slip_of, stan_of
from networks.wire.stamps import stamp

SECOND = 1_795_311_045  # 2026-11-22 01:30:45 UTC


def test_particulars_have_the_widths_of_their_elements() -> None:
    given = particulars(card=7, amount=1234, second=SECOND, serial=999_999)
    assert given.pan == "4000000000000077"
    assert (given.transmission, given.local_time, given.local_date) == (
        "1122013045",
        "103045",
        "1122",
    )
    assert given.amount == "000000001234"
    assert given.stan == "000001"
    assert given.rrn == "632601" + "0RR" + "999"
    assert given.transaction_id == "4" + "6326" + "05445" + "99999"
    assert (given.slip, given.terminal_identity) == ("00010", "1310000000010")
    assert len(given.quicpay_id) == 17
    assert given.pan[6:15] not in given.quicpay_id


@pytest.mark.parametrize(
    ("serial", "stan", "slip", "head"),
    [
        (0, "000001", "00001", "000"),
        (999_998, "999999", "00009", "0RR"),
        (999_999, "000001", "00010", "0RR"),
        (99_998, "099999", "99999", "02R"),
        (99_999, "100000", "00001", "02R"),
        (46_655_999, "656046", "56466", "ZZZ"),
        (46_656_000, "656047", "56467", "000"),
    ],
)
def test_numbers_wrap(serial: int, stan: str, slip: str, head: str) -> None:
    assert (stan_of(serial), slip_of(serial), head_of(serial)) == (stan, slip, head)


def test_processes_share_no_number() -> None:
    numberings = [Numbering(SECOND, process, 3) for process in range(3)]
    taken = [[each.take() for _ in range(1000)] for each in numberings]
    assert len({serial for numbers in taken for serial in numbers}) == 3000
    first = taken[0][0]
    assert [numbers[:2] for numbers in taken] == [[first + n, first + n + 3] for n in range(3)]


def test_a_message_shares_no_name_with_another_of_its_second_or_sale() -> None:
    given = [particulars(1, 1, SECOND, serial) for serial in range(1234, 120_000, 7)]
    assert len({each.stan for each in given}) == len(given)
    assert len({each.rrn for each in given}) == len(given)
    assert len({each.transaction_id for each in given}) == len(given)
    assert len({(each.slip, each.terminal_identity) for each in given}) == len(given)


def test_runs_that_begin_a_second_apart_have_other_numbers() -> None:
    first, second = Numbering(SECOND).take(), Numbering(SECOND + 1).take()
    assert second - first == 12_960
    assert stamp(SECOND).reference_hour == stamp(SECOND + 1).reference_hour == "632601"
