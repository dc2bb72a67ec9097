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
    assert given.stan == "000199"
    assert given.rrn == "632601" + "0RR" + "999"
    assert given.transaction_id == "4" + "6326" + "05445" + "99999"
    assert (given.slip, given.terminal_identity) == ("01099", "1310000000010")
    assert len(given.quicpay_id) == 17
    assert given.pan[6:15] not in given.quicpay_id


@pytest.mark.parametrize(
    ("serial", "stan", "slip", "head"),
    [
        (0, "000100", "00100", "000"),
        (999_899, "999999", "00999", "0RR"),
        (999_900, "000100", "01000", "0RR"),
        (99_899, "099999", "99999", "02R"),
        (99_900, "100000", "00100", "02R"),
        (46_655_999, "660699", "02799", "ZZZ"),
        (46_656_000, "660700", "02800", "000"),
    ],
)
def test_numbers_wrap(serial: int, stan: str, slip: str, head: str) -> None:
    assert (stan_of(serial), slip_of(serial), head_of(serial)) == (stan, slip, head)


def test_processes_share_no_number() -> None:
    numberings = [Numbering(SECOND, process, 3) for process in range(3)]
    taken = [[each.take() for _ in range(1000)] for each in numberings]
    assert len({serial for numbers in taken for serial in numbers}) == 3000
    first = taken[0][0]
    assert [numbers[99:101] for numbers in taken] == [
        [first + n * 100 + 99, first + n * 100 + 300] for n in range(3)
    ]


def test_a_hundred_is_taken_whole() -> None:
    numbering, other = (Numbering(SECOND, process, 2) for process in range(2))
    first = numbering.take_hundred()
    assert first % 100 == 0
    assert numbering.take() == first + 200
    assert numbering.take_hundred() == first + 400  # the rest of the one that was begun is left
    assert other.take_hundred() == first + 100


@pytest.mark.parametrize("serial", [0, 7_300, 99_900, 999_900, 46_656_000])
def test_the_names_of_a_hundred_differ_in_their_last_two_digits(serial: int) -> None:
    first = particulars(1, 1, SECOND, serial)
    for number in range(100):
        given = particulars(1, 1, SECOND, serial + number)
        for name in ("stan", "rrn", "transaction_id", "slip"):
            assert getattr(given, name) == f"{getattr(first, name)[:-2]}{number:02d}"
        assert given.terminal_identity == first.terminal_identity


def test_a_message_shares_no_name_with_another_of_its_second_or_sale() -> None:
    given = [particulars(1, 1, SECOND, serial) for serial in range(1234, 120_000, 7)]
    assert len({each.stan for each in given}) == len(given)
    assert len({each.rrn for each in given}) == len(given)
    assert len({each.transaction_id for each in given}) == len(given)
    assert len({(each.slip, each.terminal_identity) for each in given}) == len(given)


def test_runs_that_begin_a_second_apart_have_other_numbers() -> None:
    first, second = Numbering(SECOND).take(), Numbering(SECOND + 1).take()
    assert second - first == 12_900
    assert stamp(SECOND).reference_hour == stamp(SECOND + 1).reference_hour == "632601"
