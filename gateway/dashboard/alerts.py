"""What a person should look at now: a table of conditions over what the pages know.

They are the alerts of deploy/prometheus by the same names, looked at here without Prometheus and
without its patience: what is told at once here may still be over before it wakes anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How soon."""

    CRITICAL = "critical"  # now
    WARNING = "warning"  # today


class Alert(msgspec.Struct, frozen=True):
    """One alert; `told` says what is, with its figures."""

    name: str
    severity: Severity
    told: str


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """What the conditions look at. Seconds, counts, parts of one; ``None`` where nobody knows.

    Attributes
    ----------
    links
        How many of each network can take requests.
    expected
        The networks that have had a link since the gateways were started.
    lags
        Seconds by which each reader of the outbox is behind.
    """

    workers: int
    unreachable: int
    links: Mapping[str, int]
    expected: frozenset[str]
    books_clean: bool | None
    audit_age: float | None
    approval: float | None
    undecided: int
    undecided_part: float
    queue_part: float
    commit_p99: float | None
    lags: Mapping[str, float]
    overdue_holds: int


_SLOW_COMMIT = 0.25
_LAG_SECONDS = 60.0
_QUEUE_PART = 0.5
_AUDIT_SECONDS = 3600.0
_FEW_APPROVED = 0.5
_UNDECIDED_PART = 0.01

Told = Callable[[Glance], str | None]


def _no_gateway(glance: Glance) -> str | None:
    return None if glance.workers else "no gateway process answers"


def _unreachable(glance: Glance) -> str | None:
    count = glance.unreachable
    return (
        f"{count} gateway process{'es do' if count > 1 else ' does'} not answer" if count else None
    )


def _no_link(glance: Glance) -> str | None:
    without = sorted(each for each in glance.expected if not glance.links.get(each))
    return f"no link of {', '.join(without)} takes requests" if without else None


def _books(glance: Glance) -> str | None:
    return "the books do not balance" if glance.books_clean is False else None


def _old_audit(glance: Glance) -> str | None:
    age = glance.audit_age
    return (
        f"the last audit is {age:.0f} s old" if age is not None and age > _AUDIT_SECONDS else None
    )


def _undecided(glance: Glance) -> str | None:
    many = glance.undecided_part > _UNDECIDED_PART
    return f"{glance.undecided:,} answered 91 in a minute" if many else None


def _queue(glance: Glance) -> str | None:
    part = glance.queue_part
    return f"the ledger's queue is {part:.0%} full" if part > _QUEUE_PART else None


def _commit(glance: Glance) -> str | None:
    seconds = glance.commit_p99
    slow = seconds is not None and seconds > _SLOW_COMMIT
    return f"p99 of a commit is {1000 * (seconds or 0):.0f} ms" if slow else None


def _approval(glance: Glance) -> str | None:
    part = glance.approval
    return f"{part:.0%} approved" if part is not None and part < _FEW_APPROVED else None


def _lag(glance: Glance) -> str | None:
    behind = [f"{name} {age:.0f} s" for name, age in glance.lags.items() if age > _LAG_SECONDS]
    return f"readers of the outbox are behind: {', '.join(behind)}" if behind else None


def _overdue(glance: Glance) -> str | None:
    count = glance.overdue_holds
    return f"{count:,} holds are past their time: is `cardrail jobs` running?" if count else None


ALERTS: tuple[tuple[str, Severity, Told], ...] = (
    ("CardrailNoGateway", Severity.CRITICAL, _no_gateway),
    ("CardrailBooksDoNotBalance", Severity.CRITICAL, _books),
    ("CardrailNetworkDown", Severity.CRITICAL, _no_link),
    ("CardrailUndecided", Severity.CRITICAL, _undecided),
    ("CardrailWorkerDown", Severity.WARNING, _unreachable),
    ("CardrailQueueFull", Severity.WARNING, _queue),
    ("CardrailCommitSlow", Severity.WARNING, _commit),
    ("CardrailApprovalsLow", Severity.WARNING, _approval),
    ("CardrailReaderBehind", Severity.WARNING, _lag),
    ("CardrailHoldsOverdue", Severity.WARNING, _overdue),
    ("CardrailAuditOld", Severity.WARNING, _old_audit),
)


def alerts(glance: Glance) -> list[Alert]:
    """Every alert that holds, the most urgent first."""
    told = ((name, severity, tell(glance)) for name, severity, tell in ALERTS)
    return [Alert(name, severity, text) for name, severity, text in told if text is not None]
