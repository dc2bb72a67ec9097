"""The codec beside pyiso8583 on one message, in turns; and beside iso8583sim where it is installed.

iso8583sim has one dialect of its own, in ASCII, so that it is given the same values in that.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter, perf_counter_ns
from typing import Any

import iso8583

from networks.wire.compile import Codec
from networks.wire.dialect import Dialect
from networks.wire.dialects import QUICPAY, VISANET

COMPILED, REFERENCE, SIMULATOR = "compiled", "pyiso8583", "iso8583sim"
_SINGLE_CALLS = 4  # every so many calls of a round one is timed alone
_NANOSECONDS_A_MILLISECOND = 1e6

_VISANET_FIELDS = {
    "t": "0100",
    "2": "4000000000000010",
    "3": "000000",
    "4": "000000001250",
    "7": "1122013045",
    "11": "000101",
    "12": "103045",
    "13": "1122",
    "14": "3012",
    "18": "5411",
    "19": "392",
    "22": "0710",
    "23": "001",
    "25": "00",
    "32": "400552",
    "35": "4000000000000010D30122011000012300000",
    "37": "632601000101",
    "41": "T0000001",
    "42": "MERCHANT0000001",
    "43": "KONBINI SHIBUYA 1        TOKYO        JP",
    "49": "392",
}
_QUICPAY_FIELDS = {
    **{key: _VISANET_FIELDS[key] for key in ("t", "2", "3", "4", "7", "11", "12", "13", "14")},
    "18": "5814",
    "22": "071",
    "25": "00",
    "32": "9001",
    "33": "9100",
    "37": "632601200001",
    "41": "13100001",
    "42": "QP0000000000123",
    "43": "ｶﾌｪ ｼﾌﾞﾔ                 ﾄｳｷｮｳ        JP",
    "48": "0500500321060131310012345678",
    "49": "392",
    "60": "TH",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One way of doing one thing, measured.

    `per_second` is the median of the rounds' rates; the percentiles are of calls timed alone;
    `ratio` is the median of the rounds' rates against pyiso8583 in the same round.
    """

    name: str
    engine: str
    per_second: float
    ratio: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    seconds: float
    errors: int
    in_flight: int = 1


@dataclass(slots=True)
class Contender:
    """One engine doing one thing, and what was measured of it so far."""

    engine: str
    call: Callable[[], object]
    expected: object
    rates: list[float] = field(default_factory=list)
    nanoseconds: list[int] = field(default_factory=list)
    seconds: float = 0.0
    errors: int = 0

    def run(self, calls: int) -> None:
        """One round: the rate of `calls` calls, then some of them timed alone."""
        call = self.call
        begin = perf_counter()
        for _ in range(calls):
            call()
        seconds = perf_counter() - begin
        for _ in range(max(1, calls // _SINGLE_CALLS)):
            before = perf_counter_ns()
            call()
            self.nanoseconds.append(perf_counter_ns() - before)
        self.seconds += seconds
        self.rates.append(calls / seconds)
        self.errors += self.call() != self.expected


def contests() -> Iterator[tuple[str, list[Contender]]]:
    """Both directions of both dialects: compiled codec, pyiso8583, and who else can say it."""
    simulator = _simulator()
    for dialect, fields in ((VISANET, _VISANET_FIELDS), (QUICPAY, _QUICPAY_FIELDS)):
        for place, (name, contenders) in enumerate(_contests(dialect, fields)):
            yield name, contenders + simulator[place : place + 1 if dialect is VISANET else 0]


def _contests(dialect: Dialect, fields: Mapping[str, str]) -> Iterator[tuple[str, list[Contender]]]:
    codec = Codec(dialect.elements, compile_after=1)
    spec: Any = codec.reference.spec
    message = codec.encode(fields)
    decoded = codec.decode(message)
    yield (
        f"decode {dialect.name}",
        [
            Contender(COMPILED, lambda: codec.decode(message), decoded),
            Contender(REFERENCE, lambda: iso8583.decode(message, spec)[0], decoded),
        ],
    )
    yield (
        f"encode {dialect.name}",
        [
            Contender(COMPILED, lambda: codec.encode(fields), message),
            Contender(REFERENCE, lambda: iso8583.encode({**fields}, spec)[0], message),
        ],
    )


def _simulator() -> list[Contender]:
    """iso8583sim's decoding and encoding of the VisaNet-like message, if it is there."""
    try:
        from iso8583sim.core.builder import ISO8583Builder
        from iso8583sim.core.parser import ISO8583Parser
        from iso8583sim.core.types import ISO8583Message
    except ImportError:
        return []
    values = {int(key): value for key, value in _VISANET_FIELDS.items() if key != "t"}
    values[22] = values[22][:3]
    build, parse = ISO8583Builder().build, ISO8583Parser().parse
    text = build(ISO8583Message("0100", {**values}))
    return [
        Contender(SIMULATOR, lambda: parse(text).fields, {0: "0100", **values}),
        Contender(SIMULATOR, lambda: build(ISO8583Message("0100", {**values})), text),
    ]


def measure(*, rounds: int, calls: int) -> list[Row]:
    """All rows; the engines take turns in every round, so that a busy machine slows both."""
    rows = []
    for name, contenders in contests():
        compiled, *others = contenders
        for _ in range(rounds):
            compiled.run(calls)
            for other in others:
                other.run(max(1, calls // 8))
        rows += [_row(name, each, reference=others[0]) for each in contenders]
    return rows


def _row(name: str, contender: Contender, reference: Contender) -> Row:
    single = sorted(contender.nanoseconds)
    p50, p99, p999 = (
        single[int(len(single) * share)] / _NANOSECONDS_A_MILLISECOND
        for share in (0.5, 0.99, 0.999)
    )
    pairs = zip(contender.rates, reference.rates, strict=True)
    return Row(
        name=name,
        engine=contender.engine,
        per_second=round(statistics.median(contender.rates)),
        ratio=round(statistics.median(own / its for own, its in pairs), 2),
        p50_ms=p50,
        p99_ms=p99,
        p999_ms=p999,
        seconds=round(contender.seconds, 3),
        errors=contender.errors,
    )
