"""The metrics in the format of Prometheus, from what gateways, ledger and audit have told.

Nothing is counted here: each answer is made of what is known at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TypeVar

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.audit_watch import AuditResult
from gateway.control_client import Survey
from gateway.families import (
    AUDIT_FAMILIES,
    LEDGER_FAMILIES,
    LEDGER_UP,
    WORKER_FAMILIES,
    WORKER_UP,
    Family,
    Kind,
    Labels,
)
from gateway.histograms import Histogram
from gateway.ledger_watch import LedgerFigures

Source = TypeVar("Source")


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known: `ledger` is None while it cannot be read, `audit` before the first."""

    gateways: Survey
    ledger: LedgerFigures | None
    audit: AuditResult | None


def exposition(observed: Observed, accept: str = "") -> tuple[bytes, str]:
    """The metrics, and their content type, in the form that the header `Accept` asks for."""
    registry = CollectorRegistry()
    registry.register(_Observation(observed))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Observation(Collector):
    """Told once; gives the same whenever it is asked."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed

    def collect(self) -> Iterator[Metric]:
        gateways, ledger, audit = (
            self._observed.gateways,
            self._observed.ledger,
            self._observed.audit,
        )
        yield _workers_up(gateways)
        workers = [((f"{each.worker}",), each) for each in gateways.snapshots]
        yield from _metrics(WORKER_FAMILIES, ("worker",), workers)
        yield GaugeMetricFamily(LEDGER_UP, "1 if the ledger can be read.", value=ledger is not None)
        yield from _metrics(LEDGER_FAMILIES, (), [] if ledger is None else [((), ledger)])
        yield from _metrics(AUDIT_FAMILIES, (), [] if audit is None else [((), audit)])


def _workers_up(gateways: Survey) -> Metric:
    help_ = "1 if a gateway process answers, 0 if it was killed or hangs."
    family = GaugeMetricFamily(WORKER_UP, help_, labels=["worker"])
    for each in gateways.snapshots:
        family.add_metric([f"{each.worker}"], 1)
    for worker in gateways.unreachable:
        family.add_metric([f"{worker}"], 0)
    return family


def _metrics(
    families: Iterable[Family[Source]],
    labels: Labels,
    sources: Iterable[tuple[Labels, Source]],
) -> Iterator[Metric]:
    """Each family with the samples of every source, whose own labels go first."""
    for family in families:
        metric = _TYPES[family.kind](family.name, family.help, labels=[*labels, *family.labels])
        for own, source in sources:
            for more, value in family.read(source):
                _add(metric, [*own, *more], value)
        yield metric


_TYPES = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.HISTOGRAM: HistogramMetricFamily,
}


def _add(
    metric: CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily,
    labels: list[str],
    value: float | Histogram,
) -> None:
    if isinstance(value, Histogram):
        assert isinstance(metric, HistogramMetricFamily)
        bounds = [*map(floatToGoString, value.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(value.counts), strict=True))
        metric.add_metric(labels, buckets, value.sum)
    else:
        assert not isinstance(metric, HistogramMetricFamily)
        metric.add_metric(labels, value)
