"""What Prometheus is told, in the text format.

Counted is in plain numbers, all in the event loop: the client library's own counters and histograms
take locks, and three of them cost a small model a tenth of its throughput.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from typing_extensions import override

from winnow_contract.serving import (
    BATCH_SIZE_METRIC,
    DURATION_METRIC,
    MODEL_INFO_METRIC,
    QUEUE_METRIC,
    REQUESTS_METRIC,
)

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (
    *(0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064),
    *(0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
)
"""Doubling, so that a quantile is known to within a factor of two whatever the model takes."""
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class _Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def family(self, name: str, words: str) -> Metric:
        bounds = (*(str(float(bound)) for bound in self._bounds), "+Inf")
        buckets = list(zip(bounds, accumulate(self._counts), strict=True))
        return HistogramMetricFamily(name, words, buckets=buckets, sum_value=self._sum)


class Metrics(Collector):
    """Counts requests and batches.

    Args:
        digest: of the model, `sha256:...`.
        revision: which the operator gave it.
        queue_length: tells how many requests wait.
    """

    def __init__(self, digest: str, revision: int, queue_length: Callable[[], int]) -> None:
        self._labels = {"digest": digest, "revision": str(revision)}
        self._queue_length = queue_length
        self._requests: dict[int, int] = {200: 0}
        self._seconds = _Histogram(SECONDS)
        self._batches = _Histogram(BATCH_SIZES)
        self.registry = CollectorRegistry()
        self.registry.register(self)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def answered(self, status: int, seconds: float) -> None:
        """Count an inference request."""
        self._requests[status] = self._requests.get(status, 0) + 1
        self._seconds.observe(seconds)

    def ran(self, rows: int) -> None:
        """Count a run of the model."""
        self._batches.observe(rows)

    def page(self) -> bytes:
        """All of it as text."""
        return generate_latest(self.registry)

    @override
    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        requests = CounterMetricFamily(
            REQUESTS_METRIC, "Inference requests by the status of their answer.", labels=["code"]
        )
        for status, count in sorted(self._requests.items()):
            requests.add_metric([str(status)], count)
        yield requests
        yield self._seconds.family(
            DURATION_METRIC, "From the whole body of an inference request to its answer."
        )
        yield self._batches.family(BATCH_SIZE_METRIC, "Rows that the model was run on at once.")
        yield GaugeMetricFamily(
            QUEUE_METRIC, "Requests that wait for the model.", value=self._queue_length()
        )
        info = GaugeMetricFamily(
            MODEL_INFO_METRIC, "The model that is served; always 1.", labels=list(self._labels)
        )
        info.add_metric(list(self._labels.values()), 1)
        yield info
