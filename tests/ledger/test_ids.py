from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.ids import Ids, made_at

times = st.integers(1_704_067_200_000_000, 1_800_000_000_000_000)


@given(st.lists(times | st.just(1_750_000_000_000_000), max_size=50))
def test_ids_only_grow_whatever_the_clock_does(clock: list[int]) -> None:
    ids = Ids()
    made = [ids.next(at) for at in clock]
    assert made == sorted(set(made))
    assert all(0 < each < 1 << 63 for each in made)


def test_one_millisecond_has_room_for_more_than_its_sequence() -> None:
    ids = Ids()
    made = [ids.next(1_750_000_000_000_000) for _ in range(10_000)]
    assert made == sorted(set(made))


def test_later_times_give_greater_ids() -> None:
    earlier, later = Ids(node=1023), Ids(node=0)
    assert earlier.next(1_750_000_000_000_000) < later.next(1_750_000_000_001_000)


def test_two_nodes_never_make_the_same_id() -> None:
    left, right = Ids(node=1), Ids(node=2)
    made = [ids.next(1_750_000_000_000_000) for ids in (left, right) for _ in range(5000)]
    assert len(set(made)) == len(made)


def test_a_restart_goes_on_above_the_last_id() -> None:
    last = Ids(node=5).next(1_750_000_000_000_000)
    assert Ids(node=1, floor=last).next(1_700_000_000_000_000) > last


nodes = st.integers(0, 3)


@given(st.lists(st.tuples(nodes, times, nodes), max_size=40))
def test_writers_that_rise_above_each_others_last_id_make_growing_ids(
    turns: list[tuple[int, int, int]],
) -> None:
    """As they do under the lock of an account: whoever is next goes on from its last id."""
    writers, last = [Ids(node=node) for node in range(4)], 0
    for who, at, wasted in turns:
        writers[wasted].next(at)  # about another account
        writers[who].rise_above(last)
        made = writers[who].next(at)
        assert made > last
        last = made


def test_rising_above_what_it_made_itself_costs_no_time() -> None:
    ids, at = Ids(node=3), 1_750_000_000_000_000
    first = last = ids.next(at)
    for _ in range(1000):
        ids.rise_above(last)
        last = ids.next(at)
    assert last == first + 1000


@given(times, nodes, nodes)
def test_who_moves_to_another_node_goes_on_above_what_it_made(at: int, node: int, to: int) -> None:
    ids = Ids(node=node)
    made = ids.next(at)
    ids.move(to)
    moved = ids.next(at)
    assert moved > made
    assert moved >> 12 & 1023 == to


@pytest.mark.parametrize("node", [-1, 1024])
def test_nodes_have_ten_bits(node: int) -> None:
    with pytest.raises(ValueError, match=r"expected 0\.\.1023"):
        Ids(node=node)
    with pytest.raises(ValueError, match=r"expected 0\.\.1023"):
        Ids().move(node)


@given(times, st.integers(0, 1023))
def test_an_id_tells_when_it_was_made(at: int, node: int) -> None:
    assert made_at(Ids(node=node).next(at)) == at // 1000 * 1000
