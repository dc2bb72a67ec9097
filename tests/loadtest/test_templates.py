"""A patched template is what the real codec would have made, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.numbering import particulars
from loadtest.targets import TARGETS, Target
from loadtest.templates import Press, frame_of, patch
from loadtest.traffic import KINDS, Kind
from networks.wire.canonical import canonical_for
from networks.wire.framing import FrameBuffer
from networks.wire.matching import DEFAULT_MATCH
from networks.wire.messages import CardRequest
from networks.wire.respond import respond

EACH_KIND = pytest.mark.parametrize(
    ("target", "kind"),
    [(target, kind) for name, target in TARGETS.items() for kind in KINDS[name]],
    ids=lambda value: value.name,
)
SECOND = 1_795_311_045


def decoded(target: Target, frame: bytes) -> CardRequest:
    """The message in `frame`, as the other end reads it."""
    (payload,) = FrameBuffer(target.dialect.framing).feed(frame)
    _, message = target.dialect.header.split(payload)
    read = canonical_for(target.dialect).read(target.dialect.codec.decode(message))
    assert isinstance(read, CardRequest)
    return read


@EACH_KIND
@given(
    card=st.integers(1, 999_999_999),
    amount=st.integers(1, 999_999_999_999),
    second=st.integers(1_600_000_000, 2_500_000_000),
    serial=st.integers(0, 2**40),
)
def test_a_rendered_message_is_the_encoded_one(
    target: Target, kind: Kind, card: int, amount: int, second: int, serial: int
) -> None:
    press = press_of(target)
    press.turn_to(second)
    number = KINDS[target.name].index(kind)
    frame, stan, values = press.render(number, card, press.encode_amount(amount), serial)
    expected = particulars(card, amount, second, serial)
    assert frame == frame_of(target, kind, expected)
    assert stan == expected.stan
    answer = respond(kind.build(expected), response_code="00")
    assert (values[0], stan, *values[1:]) == (
        answer.mti,
        *(getattr(answer, name) for name in DEFAULT_MATCH),
    )


_PRESSES: dict[str, Press] = {}


def press_of(target: Target) -> Press:
    """One for all examples, so that what it keeps has to be right for the next one."""
    if target.name not in _PRESSES:
        _PRESSES[target.name] = Press(target, KINDS[target.name])
    return _PRESSES[target.name]


@EACH_KIND
def test_every_kind_is_read_back_as_it_was_built(target: Target, kind: Kind) -> None:
    given = particulars(card=3, amount=1500, second=SECOND, serial=41)
    built, read = kind.build(given), decoded(target, frame_of(target, kind, given))
    names = [name for name in built.__struct_fields__ if getattr(built, name) not in ("", None)]
    names.remove("elements")
    assert {name: getattr(read, name) for name in names} == {
        name: getattr(built, name) for name in names
    }


@EACH_KIND
def test_a_pan_and_an_amount_are_patched_wherever_they_stand(target: Target, kind: Kind) -> None:
    given = particulars(card=3, amount=1500, second=SECOND, serial=41)
    built = kind.build(given)
    places = [slot for _, _, slot in patch(lambda each: frame_of(target, kind, each)).places]
    assert places.count("pan") == (2 if built.track2 else 1)
    is_fixed = built.amount != 1500
    assert places.count("amount") == (0 if is_fixed else 2 if "55" in built.elements else 1)
    assert places.count("stan") == places.count("rrn") == 1


def test_a_percent_sign_in_a_message_is_no_place() -> None:
    assert patch(lambda given: b"100%" + given.stan.encode()).text == b"100%%%b"


def test_a_particular_across_bytes_is_refused() -> None:
    with pytest.raises(AssertionError, match="stan is not on whole bytes"):
        patch(lambda given: bytes.fromhex(f"0{given.stan}1"))


def test_weights_are_shares() -> None:
    for kinds in KINDS.values():
        assert sum(kind.weight for kind in kinds) == pytest.approx(1)


def test_many_cards_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.templates._CARDS_KEPT", 2)
    target = TARGETS["visanet"]
    press = Press(target, KINDS["visanet"][:1])
    press.turn_to(SECOND)
    amount = press.encode_amount(5)
    for card in (1, 2, 3, 1):
        frame, _, _ = press.render(0, card, amount, card)
        assert decoded(target, frame).pan == particulars(card, 5, SECOND, card).pan
    assert len(press._cards) <= 2
