"""What a reader has met before must not change what it says of the next text."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from networks.wire.dialects import QUICPAY
from networks.wire.errors import DecodeError
from networks.wire.parts_access import PartsAccess
from networks.wire.parts_reading import PartsReader
from tests.wire.vectors import vector

WANTED = ("01", "02", "05", "06", "12")
FIRST = vector("quicpay", "tap").fields["48"]
OTHERS = st.lists(
    st.tuples(st.integers(0, len(FIRST) - 1), st.sampled_from("0129A ｱ１")),
    max_size=4,
)


def outcome(text: str, *before: str) -> tuple[str, ...] | str:
    """The parts of `text`, or the error, by a reader that has read the texts `before`."""
    read: PartsReader = PartsAccess(QUICPAY, "48").reader(WANTED)
    for each in before:
        read(each)
    try:
        return read(text)
    except DecodeError as error:
        return str(error)


def test_a_repeated_text_gives_the_same() -> None:
    parts = vector("quicpay", "tap").subfields["48"]
    expected = tuple(parts.get(tag, "") for tag in WANTED)
    assert outcome(FIRST) == outcome(FIRST, FIRST) == outcome(FIRST, FIRST, FIRST) == expected


def test_tags_of_the_same_lengths_in_another_order_give_the_same() -> None:
    one, other = "0200120500500123", "0500500123020012"
    assert outcome(other, one) == outcome(one, other) == outcome(one) == ("", "2", "00123", "", "")


@given(changes=OTHERS)
@example(changes=[(24, "2")])  # another tag of the same length
@example(changes=[(27, "A")])  # a letter for a digit that is wanted
@example(changes=[(27, "１")])  # noqa: RUF001 - a digit, but not of the alphabet
def test_texts_of_one_length_are_told_apart(changes: list[tuple[int, str]]) -> None:
    characters = list(FIRST)
    for at, character in changes:
        characters[at] = character
    text = "".join(characters)
    assert outcome(text, FIRST) == outcome(text)
