"""What an expression of PromQL names: metrics, and the values its labels are compared with."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.families import FAMILIES, NAMES, Kind
from gateway.metrics import MESSAGE_CLASSES
from gateway.stand_in import REASONS
from ledger.outcomes import NAMES as OUTCOMES
from networks.wire import errors
from networks.wire.dialects import DIALECTS
from networks.wire.link_states import LinkState
from networks.wire.matching import Unmatched
from networks.wire.response_codes import RESPONSE_CODES

_METRIC = re.compile(r"\b(?:[a-z_]+:)?cardrail_[a-z_]+(?::[a-z0-9_]+)?\b|\bup\b")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")

# Every value that a label can have.
LABEL_VALUES = {
    "network": {*DIALECTS},
    "message_class": {*MESSAGE_CLASSES.values(), "other"},
    "response_code": {*RESPONSE_CODES},
    "outcome": {*OUTCOMES.values(), "UNAVAILABLE", "NOTED"},
    "reason": {*REASONS, *Unmatched},
    "error": {name for name in vars(errors) if name[0].isupper()},
    "state": {*LinkState},
    "age": {"1d", "7d", "30d", "older"},
    "job": {"cardrail"},
}


def _exposed() -> Iterator[str]:
    yield "up"
    histograms = {family.name for family in FAMILIES if family.kind is Kind.HISTOGRAM}
    for name in NAMES:
        if name in histograms:
            yield from (f"{name}{suffix}" for suffix in ("_bucket", "_count", "_sum"))
        else:
            yield name


EXPOSED = frozenset(_exposed())  # as they stand in an exposition


def metrics_in(expression: str) -> set[str]:
    """The metrics that `expression` asks for."""
    without_strings = re.sub(r"\"[^\"]*\"", '""', expression)
    return {*_METRIC.findall(without_strings)}


def impossible_labels(expression: str) -> list[tuple[str, str]]:
    """Label and value of each comparison that can never hold; ``$name`` is a variable."""
    return [
        (label, value)
        for label, values in _MATCHER.findall(expression)
        for value in values.split("|")
        if not value.startswith("$") and value not in LABEL_VALUES.get(label, ())
    ]
