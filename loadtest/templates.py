"""Messages from prepared frames: encoded once for each kind, patched for each message.

A template is found by encoding: the frame of a kind is encoded with every particular as ones and,
one particular after another, as twos; the bytes in which the two differ are where it stands, and
what a one has become tells how it is encoded. So a template can know nothing that the dialect's
own codec does not say, and a particular that stands in several places (a PAN also in track 2, an
amount also in chip data) is patched in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from loadtest.numbering import (
    Particulars,
    head_of,
    quicpay_id_of,
    slip_of,
    stan_of,
    terminal_identity_of,
    transaction_id_of,
)
from loadtest.targets import Target
from loadtest.traffic import Kind
from networks.wire.canonical import canonical_for
from networks.wire.dialects import VISANET
from networks.wire.messages import response_mti
from networks.wire.pan import synthetic_pan
from networks.wire.stamps import Stamp, stamp

_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        "pan": 16,
        "quicpay_id": 17,
        "amount": 12,
        "transmission": 10,
        "local_time": 6,
        "local_date": 4,
        "stan": 6,
        "rrn": 12,
        "transaction_id": 15,
        "slip": 5,
        "terminal_identity": 13,
    }
)
_SLOTS = tuple(_WIDTHS)
_ONES = Particulars(**{slot: "1" * width for slot, width in _WIDTHS.items()})
_CARDS_KEPT = 200_000

_ALL = bytes(range(256))
_TO_EBCDIC = _ALL.decode("latin-1").encode("cp500")  # the codec itself takes three times as long
_TAILS = tuple(f"{number:03d}" for number in range(1000))


def _pack(text: str) -> bytes:
    return bytes.fromhex(text if len(text) % 2 == 0 else f"0{text}")


def _to_ebcdic(text: str) -> bytes:
    return text.encode().translate(_TO_EBCDIC)


Encode: TypeAlias = Callable[[str], bytes]
# What the digit 1 has become, and so how the particular is encoded.
_ENCODERS: Mapping[int, Encode] = MappingProxyType(
    {0x11: _pack, 0x31: str.encode, 0xF1: _to_ebcdic}
)


# What an answer is matched by, besides the STAN: its MTI, DE 7, 37, 32 and 2, as a session does.
Values: TypeAlias = tuple[str, str, str, str, str]


class Patched(msgspec.Struct, frozen=True):
    """A frame with the places cut out where particulars stand.

    `pieces` is what stands before, between and after `places` (begin, end, name of the particular),
    as the text of a format; `encoders` say how each particular is encoded.
    """

    pieces: tuple[bytes, ...]
    places: tuple[tuple[int, int, str], ...]
    encoders: Mapping[str, Encode]

    @property
    def text(self) -> bytes:
        """The whole format: ``%b`` for each place."""
        return b"%b".join(self.pieces)

    @property
    def pick(self) -> Callable[[Sequence[bytes]], tuple[bytes, ...]]:
        """From encoded particulars, in the order of `Particulars`, to what `text` takes."""
        return itemgetter(*(_SLOTS.index(slot) for _, _, slot in self.places))


class Template(msgspec.Struct, frozen=True):
    """The frame of one kind of message, and of its answer what is known beforehand."""

    patched: Patched
    text: bytes
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    answer_mti: str
    acquirer: str


def patch(make_frame: Callable[[Particulars], bytes]) -> Patched:
    """Find the places of all particulars in what `make_frame` makes of them."""
    frame = make_frame(_ONES)
    places: list[tuple[int, int, str]] = []
    encoders: dict[str, Encode] = {}
    for slot, width in _WIDTHS.items():
        twos = msgspec.structs.replace(_ONES, **{slot: "2" * width})
        for start, end in _differing(frame, make_frame(twos)):
            encode = encoders.setdefault(slot, _ENCODERS[frame[end - 1]])
            assert encode("1" * width) == frame[start:end], f"{slot} is not on whole bytes"
            places.append((start, end, slot))
    places.sort()
    return Patched(tuple(_cut(frame, places)), tuple(places), encoders)


def frame_of(target: Target, kind: Kind, given: Particulars) -> bytes:
    """The frame of a message as a session would send it, by the real codec."""
    dialect = target.dialect
    message = dialect.codec.encode(canonical_for(dialect).write(kind.build(given)))
    header = dialect.header.request(target.station, target.peer, len(message))
    return dialect.framing.wrap(header + message)


def _differing(one: bytes, other: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each run of bytes in which the two differ."""
    assert len(one) == len(other)
    start = None
    for at, is_other in enumerate([a != b for a, b in zip(one, other, strict=True)] + [False]):
        if is_other and start is None:
            start = at
        elif not is_other and start is not None:
            yield start, at
            start = None


def _cut(frame: bytes, places: Sequence[tuple[int, int, str]]) -> Iterator[bytes]:
    """`frame` as the text of a format, with the places cut out."""
    begin = 0
    for start, end, _ in places:
        yield literal(frame[begin:start])
        begin = end
    yield literal(frame[begin:])


def literal(data: bytes) -> bytes:
    """`data` in the text of a format."""
    return data.replace(b"%", b"%%")


class Press:
    """Renders the messages of one network.

    What changes seldom is kept encoded: cards, the present second, the thousands of the RRN.
    """

    def __init__(self, target: Target, kinds: Sequence[Kind]) -> None:
        self.templates: list[Template] = []
        encoders: dict[str, Encode] = {}
        for kind in kinds:
            patched = patch(partial(frame_of, target, kind))
            request = kind.build(_ONES)
            mti, acquirer = response_mti(request.mti), request.acquirer
            self.templates.append(Template(patched, patched.text, patched.pick, mti, acquirer))
            for slot, encode in patched.encoders.items():
                assert encoders.setdefault(slot, encode) is encode, slot
        self.encode: Mapping[str, Encode] = {
            slot: encoders.get(slot, str.encode) for slot in _SLOTS
        }
        self._encode_stan, self._encode_rrn = self.encode["stan"], self.encode["rrn"]
        self._own = self._transaction_id if target.dialect is VISANET else self._sale
        self._cards: dict[int, tuple[str, tuple[bytes, bytes]]] = {}
        self.second = self._thousand = -1
        self._head = ""
        self.turn_to(0)

    def encode_amount(self, amount: int) -> bytes:
        """An amount in minor units, as `render` takes it."""
        return self.encode["amount"](f"{amount:012d}")

    def render(self, kind: int, card: int, amount: bytes, serial: int) -> tuple[bytes, str, Values]:
        """The frame of a message of the `kind`-th kind, its STAN, and what its answer will have.

        `serial` numbers the message.
        """
        thousand, rest = divmod(serial, 1000)
        if thousand != self._thousand:
            self._thousand, self._head = thousand, head_of(serial)
        pan, encoded_card = self.encode_card(card)
        at, template = self._stamp, self.templates[kind]
        stan = stan_of(serial)
        rrn = at.reference_hour + self._head + _TAILS[rest]
        names = self._encode_stan(stan), self._encode_rrn(rrn)
        frame = template.text % template.pick(
            (*encoded_card, amount, *self._times, *names, *self._own(at, serial))
        )
        return frame, stan, (template.answer_mti, at.transmission, rrn, template.acquirer, pan)

    def turn_to(self, second: int) -> None:
        """What is rendered next is sent in `second` (since the epoch)."""
        if second == self.second:
            return
        self.second = second
        self._stamp = at = stamp(second)
        encode = self.encode
        self._times = (
            encode["transmission"](at.transmission),
            encode["local_time"](at.local_time),
            encode["local_date"](at.local_date),
        )

    def encode_card(self, number: int) -> tuple[str, tuple[bytes, bytes]]:
        """The PAN of a seeded card, and encoded the PAN and the QUICPay ID."""
        if (known := self._cards.get(number)) is not None:
            return known
        if len(self._cards) >= _CARDS_KEPT:
            self._cards.clear()
        pan = synthetic_pan(number)
        encoded = self.encode["pan"](pan), self.encode["quicpay_id"](quicpay_id_of(pan))
        card = self._cards[number] = pan, encoded
        return card

    def _transaction_id(self, at: Stamp, serial: int) -> tuple[bytes, ...]:
        return (self.encode["transaction_id"](transaction_id_of(at, serial)),)

    def _sale(self, _at: Stamp, serial: int) -> tuple[bytes, ...]:
        encode = self.encode
        slip, terminal = slip_of(serial), terminal_identity_of(serial)
        return b"", encode["slip"](slip), encode["terminal_identity"](terminal)
