"""Covered frames read like their originals, and hold nothing that a description would hide."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from networks.wire.covering import cover_frame
from networks.wire.describe import describe_frame
from networks.wire.dialect import Dialect
from networks.wire.dialects import DIALECTS, VISANET
from networks.wire.spec import (
    Bitmapped,
    Datasets,
    Element,
    Exposure,
    Parts,
    Positional,
    Repeated,
    Tagged,
)
from tests.wire.strategies import field_sets, mutations
from tests.wire.vectors import VECTORS, Vector, vector

PURCHASE = vector("visanet", "contactless_purchase")
TAP = vector("quicpay", "tap")
STATIONS = {"visanet": ("400552", "000000"), "quicpay": ("K001", "9001")}


def assert_covered(dialect: Dialect, frame: bytes, covered: bytes) -> None:
    """The same is shown; and in clear, where it was hidden, there is nothing but filling."""
    shown, original = describe_frame(dialect, covered), describe_frame(dialect, frame)
    assert (shown.rows, shown.fields, shown.subfields) == (
        original.rows,
        original.fields,
        original.subfields,
    )
    assert shown.problems == original.problems
    assert len(covered) == len(frame)
    in_clear = describe_frame(dialect, covered, clear=True)
    for hidden, clear in zip(shown.rows, in_clear.rows, strict=True):
        pairs = zip(hidden.value, clear.value, strict=True)
        assert {bare for mask, bare in pairs if mask == "*" != bare} <= {"9", "F"}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_every_vector_is_covered(vector: Vector) -> None:
    covered = cover_frame(vector.dialect, vector.frame)
    assert covered is not None
    assert_covered(vector.dialect, vector.frame, covered)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_no_secret_is_left_in_any_form(vector: Vector) -> None:
    covered = cover_frame(vector.dialect, vector.frame)
    assert covered is not None
    for field in {"2", "14", "35", "52"} & vector.fields.keys():
        secret = vector.fields[field][6:] if field != "14" else vector.fields[field]
        forms = [secret.encode(codec) for codec in ("ascii", "cp500")]
        if len(secret) % 2 == 0:
            forms.append(bytes.fromhex(secret.replace("=", "D")))
        stands_apart = [form for form in forms if form in vector.frame and len(form) > 2]
        assert [form for form in stands_apart if form in covered] == []


def test_covering_twice_changes_nothing_more() -> None:
    for each in VECTORS:
        covered = cover_frame(each.dialect, each.frame)
        assert covered is not None
        assert cover_frame(each.dialect, covered) == covered


@pytest.mark.no_cover
@given(st.data(), st.sampled_from(sorted(STATIONS)))
def test_whatever_is_covered_reads_like_its_original(data: st.DataObject, name: str) -> None:
    dialect = DIALECTS[name]
    fields = data.draw(field_sets(dialect))
    message = dialect.codec.encode(fields)
    header = dialect.header.request(*STATIONS[name], len(message))
    assume(len(header) + len(message) <= dialect.framing.longest)
    frame = dialect.framing.wrap(header + message)
    covered = cover_frame(dialect, frame)
    if covered is None:
        assert describe_frame(dialect, frame).problems
    else:
        assert_covered(dialect, frame, covered)


@pytest.mark.no_cover
@given(st.data(), st.booleans())
def test_a_frame_that_is_not_understood_is_not_covered(data: st.DataObject, taps: bool) -> None:
    chosen = TAP if taps else PURCHASE
    frame = data.draw(mutations(chosen.frame))
    covered = cover_frame(chosen.dialect, frame)
    if covered is not None:
        assert_covered(chosen.dialect, frame, covered)
    elif not describe_frame(chosen.dialect, frame).problems:
        assert written_by_us(chosen.dialect, frame) != frame


def written_by_us(dialect: Dialect, frame: bytes) -> bytes:
    """What a frame that can be read would be if we had written it."""
    header, message = dialect.header.split(frame[dialect.framing.prefix_bytes :])
    fields = dialect.codec.decode(message)
    given = {key: value for key, value in fields.items() if key not in {"p", "1"}}
    return dialect.framing.wrap(header + dialect.codec.encode(given))


def test_what_is_written_otherwise_is_not_covered() -> None:
    """A length with a blank, which the reference reads: covered, it would be another frame."""
    frame = TAP.frame.replace(b"049100", b" 49100")
    assert frame != TAP.frame
    assert cover_frame(TAP.dialect, frame) is None


def test_a_hidden_template_is_described_instead() -> None:
    """Overwritten, its value would be no TLVs, and the element behind it could not be read."""
    fields = {**PURCHASE.fields, "55": "01000A" + "72038601AA" + "9F3602001C"}
    message = VISANET.codec.encode({k: v for k, v in fields.items() if k not in {"p", "1"}})
    header = VISANET.header.request(*STATIONS["visanet"], len(message))
    frame = VISANET.framing.wrap(header + message)
    assert describe_frame(VISANET, frame).problems == []
    assert cover_frame(VISANET, frame) is None


def test_a_secret_number_that_has_no_digits_is_described_instead() -> None:
    """Overwritten it would have digits, and its fault would no longer be told."""
    pan = PURCHASE.fields["2"][:-1] + "A"
    fields = {k: v for k, v in PURCHASE.fields.items() if k not in {"p", "1"}}
    message = VISANET.codec.encode({**fields, "2": pan})
    frame = VISANET.framing.wrap(
        VISANET.header.request(*STATIONS["visanet"], len(message)) + message
    )
    assert [each.field for each in describe_frame(VISANET, frame).problems] == ["2"]
    assert cover_frame(VISANET, frame) is None


def test_only_elements_without_secrets_are_remembered() -> None:
    for dialect in DIALECTS.values():
        for element in dialect.elements.values():
            if element.parts is not None and element.exposure is Exposure.OPEN:
                assert {each.exposure for each in every_part(element.parts)} <= {Exposure.OPEN}


def every_part(parts: Parts) -> Iterator[Element]:
    match parts:
        case Positional() | Bitmapped() | Repeated():
            yield from parts.elements.values()
        case Datasets() | Tagged():
            yield from parts.tags.values()


@pytest.mark.parametrize("frame", [b"", b"\x00", PURCHASE.frame[:-1], PURCHASE.frame + b"\x00"])
def test_a_frame_of_another_length_is_not_covered(frame: bytes) -> None:
    assert cover_frame(PURCHASE.dialect, frame) is None
