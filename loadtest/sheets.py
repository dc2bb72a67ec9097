"""A hundred messages in one piece, for rates at which one at a time would take all the time.

Whoever sends faster than it can make messages measures itself. A hundred messages that are due
together have names that differ in their last two digits only (`numbering`): a sheet is the text of
a hundred frames in which these digits and the amounts are set already, and takes what the messages
of one moment have in common, and their cards. So a message costs a tenth of what it costs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

import msgspec

from loadtest.numbering import HUNDRED, particulars
from loadtest.templates import Press, Template, Values, literal

# Particulars that end with the digits of the message's number, and those that all of them share.
_NUMBERED = ("stan", "rrn", "transaction_id", "slip")
_SHARED = ("transmission", "local_time", "local_date", "terminal_identity")
_OF_CARDS = ("pan", "quicpay_id")
_DIGITS = [f"{number:02d}" for number in range(HUNDRED)]


class Sheet(msgspec.Struct, frozen=True):
    """A format of a hundred frames.

    `pick` gives what it takes, of the encoded beginnings of `_NUMBERED`, then `_SHARED`, and then
    for each message `_OF_CARDS`. `answers` has the MTI and the acquirer of each answer.
    """

    text: bytes
    pick: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    answers: tuple[tuple[str, str], ...]


class Names(msgspec.Struct, frozen=True):
    """What the answers to a hundred messages will have; `rrn` without its last two digits."""

    stan: str  # its first four digits
    transmission: str
    rrn: str
    answers: tuple[tuple[str, str], ...]
    pans: Sequence[str]

    def values(self, place: int) -> Values:
        """Of the answer to one of them."""
        mti, acquirer = self.answers[place]
        return mti, self.transmission, self.rrn + _DIGITS[place], acquirer, self.pans[place]


def sheet_of(press: Press, draws: Sequence[tuple[int, bytes]]) -> Sheet:
    """Of a hundred kinds, by their numbers, and encoded amounts."""
    assert len(draws) == HUNDRED
    texts: list[bytes] = []
    places: list[int] = []
    templates = [press.templates[kind] for kind, _ in draws]
    for number, (template, (_, amount)) in enumerate(zip(templates, draws, strict=True)):
        for text, place in _pieces(press, template, number, amount):
            texts.append(text)
            if place is not None:
                places.append(place)
    answers = tuple((each.answer_mti, each.acquirer) for each in templates)
    return Sheet(b"".join(texts), itemgetter(*places), answers)


def _pieces(
    press: Press, template: Template, number: int, amount: bytes
) -> Iterator[tuple[bytes, int | None]]:
    """The text of one message bit by bit, and for each place that is left which value it takes."""
    *before, last = template.patched.pieces
    for text, (_, _, slot) in zip(before, template.patched.places, strict=True):
        if slot == "amount":
            yield text + literal(amount), None
        elif slot in _NUMBERED:
            digits = press.encode[slot](_DIGITS[number])
            yield text + b"%b" + literal(digits), _NUMBERED.index(slot)
        elif slot in _SHARED:
            yield text + b"%b", len(_NUMBERED) + _SHARED.index(slot)
        else:
            own = len(_OF_CARDS) * number + _OF_CARDS.index(slot)
            yield text + b"%b", len(_NUMBERED) + len(_SHARED) + own
    yield last, None


def render_sheet(
    press: Press, sheet: Sheet, cards: Sequence[int], serial: int
) -> tuple[bytes, Names]:
    """The frames of a hundred messages, numbered from `serial`, about a card each."""
    given, encode = particulars(1, 0, press.second, serial), press.encode
    values = [
        *(encode[slot](getattr(given, slot))[: -len(encode[slot]("00"))] for slot in _NUMBERED),
        *(encode[slot](getattr(given, slot)) for slot in _SHARED),
    ]
    pans: list[str] = []
    for card in cards:
        pan, encoded = press.encode_card(card)
        pans.append(pan)
        values += encoded
    names = Names(given.stan[:-2], given.transmission, given.rrn[:-2], sheet.answers, pans)
    return sheet.text % sheet.pick(values), names
