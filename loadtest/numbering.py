"""What is particular to one message: its card, amount, times and numbers.

Nothing here reads a clock. What is made for every message is padded by `zfill`, which takes half
the time of an f-string's format. Each of several processes takes every n-th hundred of numbers
from a beginning of its own, so that no two of them name a message alike. In every name the last two
digits are those of the number, so that a hundred of names differ in nothing else (`sheets`).
"""

from __future__ import annotations

import msgspec

from networks.wire.pan import synthetic_pan
from networks.wire.stamps import Stamp, stamp

HUNDRED = 100
_STANS = 9_999  # hundreds
_SLIPS = 999
_TERMINALS = 10**8
_INSTALLER = "13100"  # the first five digits of a terminal identity (DE 48.06)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEADS = 36**3
# Slower than that, no two runs share an RRN.
_NUMBERS_A_SECOND = _HEADS * 1000 // 3600 // HUNDRED * HUNDRED


class Particulars(msgspec.Struct, frozen=True):
    """Everything in which two messages of one kind differ, as digits on the wire."""

    pan: str  # DE 2
    quicpay_id: str  # QPX-1 DE 48.01
    amount: str  # DE 4, twelve digits
    transmission: str  # DE 7
    local_time: str  # DE 12
    local_date: str  # DE 13
    stan: str  # DE 11
    rrn: str  # DE 37
    transaction_id: str  # VisaNet-like DE 62.2
    slip: str  # QPX-1 DE 48.05
    terminal_identity: str  # QPX-1 DE 48.06


class Numbering:
    """Deals out the numbers of one process; runs that begin a second apart have others."""

    __slots__ = ("_others", "_serial")

    def __init__(self, second: int, process: int = 0, processes: int = 1) -> None:
        self._serial = second % 3600 * _NUMBERS_A_SECOND + process * HUNDRED
        self._others = (processes - 1) * HUNDRED

    def take(self) -> int:
        """The next number."""
        serial = self._serial
        following = serial + 1
        self._serial = following if following % HUNDRED else following + self._others
        return serial

    def take_hundred(self) -> int:
        """The first of the next hundred numbers that begin with one of 00."""
        while self._serial % HUNDRED:
            self.take()
        first = self._serial
        self._serial = first + HUNDRED + self._others
        return first


def stan_of(serial: int) -> str:
    """DE 11, 000100 to 999999."""
    hundred, rest = divmod(serial, HUNDRED)
    return str((hundred % _STANS + 1) * HUNDRED + rest).zfill(6)


def head_of(serial: int) -> str:
    """Three characters for the thousands of `serial`, in the middle of an RRN.

    >>> head_of(7_000), head_of(36_000), head_of(36_000 * 36 * 36 - 1)
    ('007', '010', 'ZZZ')
    """
    thousands = serial // 1000 % _HEADS
    high, low = divmod(thousands, 36)
    return _DIGITS[high // 36] + _DIGITS[high % 36] + _DIGITS[low]


def transaction_id_of(at: Stamp, serial: int) -> str:
    """DE 62.2: fifteen digits, unique up to 100,000 messages a second."""
    return "4" + at.identifier_second + str(serial % 100_000).zfill(5)


def slip_of(serial: int) -> str:
    """伝票番号, 00100 to 99999."""
    hundred, rest = divmod(serial, HUNDRED)
    return str((hundred % _SLIPS + 1) * HUNDRED + rest).zfill(5)


def terminal_identity_of(serial: int) -> str:
    """端末識別番号: another terminal whenever the slips of one are used up."""
    return _INSTALLER + str(serial // (_SLIPS * HUNDRED) % _TERMINALS).zfill(8)


def quicpay_id_of(pan: str) -> str:
    """The card's QUICPay ID, always the same and telling nothing of the PAN."""
    return f"99{int(pan[6:15]) * 736_878_700_713 % 999_999_999_999_989:015d}"


def particulars(card: int, amount: int, second: int, serial: int) -> Particulars:
    """Of message number `serial`, sent in `second` about the seeded card `card`."""
    at, pan = stamp(second), synthetic_pan(card)
    return Particulars(
        pan=pan,
        quicpay_id=quicpay_id_of(pan),
        amount=f"{amount:012d}",
        transmission=at.transmission,
        local_time=at.local_time,
        local_date=at.local_date,
        stan=stan_of(serial),
        rrn=f"{at.reference_hour}{head_of(serial)}{serial % 1000:03d}",
        transaction_id=transaction_id_of(at, serial),
        slip=slip_of(serial),
        terminal_identity=terminal_identity_of(serial),
    )
