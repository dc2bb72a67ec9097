"""Every metric by its name, as a table: what it means, its labels, and where it is read from.

Names follow the Prometheus conventions: base units, ``_total`` for what only grows. A label's
values come from a closed set. What a gateway process counts has the label `worker` besides, so that
one that starts again is a reset of its own series and no other's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from gateway.audit_watch import AuditResult
from gateway.histograms import Histogram
from gateway.ledger_watch import LedgerFigures
from gateway.snapshot import NetworkSnapshot, Snapshot
from gateway.stand_in import REASONS
from ledger.hold_ageing import OLDER, HoldAge
from networks.wire.errors import (
    Crowded,
    DecodeError,
    FrameCut,
    FrameStalled,
    FrameTooLong,
    HeaderError,
    IllegalTransition,
    InFlightLimit,
    NotSignedOn,
    PeerSilent,
)
from networks.wire.link_states import LinkState
from networks.wire.matching import Unmatched

Source = TypeVar("Source")
Labels: TypeAlias = tuple[str, ...]
Sample: TypeAlias = tuple[Labels, float | Histogram]


class Kind(Enum):
    """What a family is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family(Generic[Source]):
    """One metric: `read` gives its samples, whose labels stand in the order of `labels`."""

    kind: Kind
    name: str
    help: str
    labels: Labels
    read: Callable[[Source], Iterable[Sample]]


_COUNTER, _GAUGE, _HISTOGRAM = Kind
_NETWORK = ("network",)


def _one(value: float | Histogram) -> list[Sample]:
    return [((), value)]


def _of_networks(
    read: Callable[[NetworkSnapshot], float],
) -> Callable[[Snapshot], Iterator[Sample]]:
    """One sample for each network."""

    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        for each in snapshot.networks:
            yield (each.network,), read(each)

    return samples


def _of_names(
    read: Callable[[NetworkSnapshot], Mapping[str, int]], known: Iterable[str] = ()
) -> Callable[[Snapshot], Iterator[Sample]]:
    """One sample for each network and name; those that are `known` stand there from the start."""
    zeros = dict.fromkeys(sorted(known), 0)

    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        for each in snapshot.networks:
            for name, count in {**zeros, **read(each)}.items():
                yield (each.network, name), count

    return samples


def _answers(snapshot: Snapshot) -> Iterator[Sample]:
    for network in snapshot.networks:
        for each in network.answers:
            labels = (network.network, each.message_class, each.response_code, each.outcome)
            yield labels, each.elapsed.count


def _elapsed(snapshot: Snapshot) -> Iterator[Sample]:
    """All response codes of a class in one."""
    found: dict[Labels, Histogram] = {}
    for network in snapshot.networks:
        for each in network.answers:
            labels = network.network, each.message_class
            found[labels] = found[labels] + each.elapsed if labels in found else each.elapsed
    yield from found.items()


# The names of errors that a session ends or refuses with.
_REFUSED = [
    each.__name__
    for each in (
        Crowded,
        DecodeError,
        HeaderError,
        IllegalTransition,
        InFlightLimit,
        NotSignedOn,
    )
]
_BROKEN = [each.__name__ for each in (FrameCut, FrameStalled, FrameTooLong, PeerSilent)]
_OPEN_STATES = [state.value for state in LinkState if state is not LinkState.CLOSED]


def _links(snapshot: Snapshot) -> Iterator[Sample]:
    """Every state, also where no link is in it."""
    counts: defaultdict[Labels, int] = defaultdict(int)
    for link in snapshot.links:
        counts[link.network, link.state] += 1
    for network in snapshot.networks:
        for state in _OPEN_STATES:
            yield (network.network, state), counts[network.network, state]


# What each gateway process counts.
WORKER_FAMILIES: tuple[Family[Snapshot], ...] = (
    Family(
        _COUNTER, "cardrail_answers_total", "Answers given.",
        ("network", "message_class", "response_code", "outcome"), _answers,
    ),
    Family(
        _HISTOGRAM, "cardrail_answer_seconds", "Time from a request's arrival to its answer.",
        ("network", "message_class"), _elapsed,
    ),
    Family(
        _COUNTER, "cardrail_repeats_total", "Answers given a second time, to repeats.",
        _NETWORK, _of_networks(lambda each: each.repeats_count),
    ),
    Family(
        _COUNTER, "cardrail_stand_in_advices_total",
        "Advices that somebody else had decided in the issuer's place.",
        ("network", "reason"), _of_names(lambda each: each.stand_ins, REASONS),
    ),
    Family(
        _GAUGE, "cardrail_waiting_requests", "Requests without an answer.",
        _NETWORK, _of_networks(lambda each: each.waiting_count),
    ),
    Family(
        _GAUGE, "cardrail_late_approvals", "Approvals that came too late, not yet taken back.",
        _NETWORK, _of_networks(lambda each: each.owed_count),
    ),
    Family(
        _COUNTER, "cardrail_messages_refused_total", "Messages that were not accepted.",
        ("network", "error"), _of_names(lambda each: each.refused, _REFUSED),
    ),
    Family(
        _COUNTER, "cardrail_requests_dropped_total", "Requests not read because a link was full.",
        _NETWORK, _of_networks(lambda each: each.dropped_count),
    ),
    Family(
        _COUNTER, "cardrail_answers_unmatched_total", "Answers that belong to no request of ours.",
        ("network", "reason"), _of_names(lambda each: each.unmatched, [*Unmatched]),
    ),
    Family(
        _COUNTER, "cardrail_messages_rejected_total", "Messages of ours that a network gave back.",
        _NETWORK, _of_networks(lambda each: each.rejected_count),
    ),
    Family(
        _COUNTER, "cardrail_failures_total", "Requests that a mistake of this program struck.",
        _NETWORK, _of_networks(lambda each: each.failures_count),
    ),
    Family(_GAUGE, "cardrail_links", "Open links by state.", ("network", "state"), _links),
    Family(
        _COUNTER, "cardrail_links_opened_total", "Links accepted.",
        _NETWORK, _of_networks(lambda each: each.opened_count),
    ),
    Family(
        _COUNTER, "cardrail_links_turned_away_total", "Links beyond the limit, closed at once.",
        _NETWORK, _of_networks(lambda each: each.turned_away_count),
    ),
    Family(
        _COUNTER, "cardrail_links_broken_total", "Links that could not go on.",
        ("network", "error"), _of_names(lambda each: each.broken, _BROKEN),
    ),
    Family(
        _GAUGE, "cardrail_ledger_waiting_commands", "Commands that wait for the ledger.",
        (), lambda each: _one(each.ledger.waiting_count),
    ),
    Family(
        _GAUGE, "cardrail_ledger_capacity_commands", "Commands that may wait for the ledger.",
        (), lambda each: _one(each.ledger.capacity),
    ),
    Family(
        _GAUGE, "cardrail_ledger_crowded", "1 while new requests are kept out.",
        (), lambda each: _one(each.ledger.is_crowded),
    ),
    Family(
        _HISTOGRAM, "cardrail_ledger_batch_commands", "Commands written in one transaction.",
        (), lambda each: _one(each.ledger.batch_size),
    ),
    Family(
        _HISTOGRAM, "cardrail_ledger_commit_seconds",
        "Time of one transaction, from its first statement to its commit.",
        (), lambda each: _one(each.ledger.commit),
    ),
    Family(
        _GAUGE, "cardrail_cards", "Cards in memory.", (), lambda each: _one(each.cards_count),
    ),
    Family(
        _GAUGE, "cardrail_worker_start_time_seconds", "When the process began, Unix time.",
        (), lambda each: _one(each.started_at),
    ),
    Family(
        _COUNTER, "cardrail_worker_cpu_seconds_total", "Processor time of all threads.",
        (), lambda each: _one(each.cpu_seconds),
    ),
    Family(
        _COUNTER, "cardrail_log_lines_dropped_total", "Log lines that found no room.",
        (), lambda each: _one(each.logs_dropped_count),
    ),
    Family(
        _COUNTER, "cardrail_feed_dropped_total", "Exchanges that a reader of the feed did not get.",
        (), lambda each: _one(each.feed_dropped_count),
    ),
)  # fmt: skip


def _age(each: HoldAge) -> str:
    return "older" if each.days == OLDER else f"{each.days}d"


# What the ledger's tables tell.
LEDGER_FAMILIES: tuple[Family[LedgerFigures], ...] = (
    Family(
        _GAUGE, "cardrail_ledger_looked_at_timestamp_seconds",
        "When the figures of the ledger were read, Unix time.",
        (), lambda figures: _one(figures.at),
    ),
    Family(
        _GAUGE, "cardrail_pending_holds", "Pending holds, by days since they were authorized.",
        ("currency", "age"),
        lambda figures: [((each.currency, _age(each)), each.count) for each in figures.hold_ages],
    ),
    Family(
        _GAUGE, "cardrail_pending_holds_minor_units", "What is left of them, in minor units.",
        ("currency", "age"),
        lambda figures: [
            ((each.currency, _age(each)), each.remaining) for each in figures.hold_ages
        ],
    ),
    Family(
        _GAUGE, "cardrail_overdue_holds", "Holds past their time that nobody has released yet.",
        (), lambda figures: _one(figures.overdue_count),
    ),
    Family(
        _HISTOGRAM, "cardrail_clearing_lag_seconds", "Time from an authorization to its clearing.",
        _NETWORK, lambda figures: [((name,), lag) for name, lag in figures.clearing_lags.items()],
    ),
    Family(
        _GAUGE, "cardrail_reader_lag_rows", "Rows of the outbox that a reader has before it.",
        ("reader",), lambda figures: [((each.reader,), each.rows) for each in figures.lags],
    ),
    Family(
        _GAUGE, "cardrail_reader_lag_seconds", "Age of the oldest of them.",
        ("reader",),
        lambda figures: [
            ((each.reader,), max(0.0, figures.at - each.since / 1e6) if each.since else 0)
            for each in figures.lags
        ],
    ),
    Family(
        _GAUGE, "cardrail_outbox_unnumbered_rows", "Rows of the outbox that nobody can read yet.",
        (), lambda figures: _one(figures.unnumbered_count),
    ),
)  # fmt: skip

# What the last audit told.
AUDIT_FAMILIES: tuple[Family[AuditResult], ...] = (
    Family(
        _GAUGE, "cardrail_audit_timestamp_seconds", "When the books were audited, Unix time.",
        (), lambda result: _one(result.at),
    ),
    Family(
        _GAUGE, "cardrail_audit_duration_seconds", "How long that took.",
        (), lambda result: _one(result.seconds),
    ),
    Family(
        _GAUGE, "cardrail_audit_disagreements", "What disagreed; 0 if the books balance.",
        (), lambda result: _one(len(result.report.disagreements)),
    ),
)  # fmt: skip

AnyFamily: TypeAlias = Family[Snapshot] | Family[LedgerFigures] | Family[AuditResult]

FAMILIES: tuple[AnyFamily, ...] = (*WORKER_FAMILIES, *LEDGER_FAMILIES, *AUDIT_FAMILIES)

# Whether they can be asked at all.
WORKER_UP = "cardrail_worker_up"
LEDGER_UP = "cardrail_ledger_up"

NAMES = frozenset({WORKER_UP, LEDGER_UP, *(family.name for family in FAMILIES)})
