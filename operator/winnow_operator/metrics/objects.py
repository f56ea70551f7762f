"""Series of single jobs and servers, behind a limit: their number must not grow with the cluster.

Their labels start with `job_` and `server_`, so that no scrape's own `namespace` and `job` renames
them. A job that has ended stays for a while, and gives way first. Beyond the limit, those that were
met last have none, and a gauge says how many they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from winnow_operator.clock import Clock, SystemClock
from winnow_operator.domain.figures import Identity, JobFigures, ServerFigures
from winnow_operator.domain.kinds import Kind
from winnow_operator.metrics.gpu_time import GpuTime

KEPT_SECONDS = 3600.0
"""How long a job that has ended still has its series: what a dashboard shows by default."""
JOB_LABELS = ("job_namespace", "job_kind", "job_name", "job_uid")
SERVER_LABELS = ("server_namespace", "server_name", "server_uid")

Figures = JobFigures | ServerFigures
Key = tuple[Kind, str, str]


@dataclass(slots=True, eq=False)  # a registry keeps it in a dict
class ObjectSeries(Collector):
    """The figures of each object as they were last seen, in a form that Prometheus scrapes."""

    limit: int = 0
    """Objects that have series of their own."""
    gpu_time: GpuTime = field(default_factory=GpuTime)
    clock: Clock = field(default_factory=SystemClock)
    _shown: dict[Key, Figures] = field(default_factory=dict)
    _left_out: set[Key] = field(default_factory=set)

    def note(self, figures: Figures) -> None:
        """Show these figures from now on, in place of an object of the same name."""
        key = _key(figures.identity)
        if self._is_over(figures):
            self.forget(*key)
            return
        self._left_out.discard(key)
        has_ended = _end_of(figures) is not None
        if key not in self._shown and not has_ended:
            self._make_room()
        if key in self._shown or len(self._shown) < self.limit:
            self._shown[key] = figures
        elif not has_ended:
            self._left_out.add(key)

    def forget(self, kind: Kind, namespace: str, name: str) -> None:
        """The object is gone."""
        self._shown.pop((kind, namespace, name), None)
        self._left_out.discard((kind, namespace, name))

    def _make_room(self) -> None:
        """Drop the job that ended first, where there is no room for one more object."""
        ended = [(end, k) for k, f in self._shown.items() if (end := _end_of(f)) is not None]
        if ended and len(self._shown) >= self.limit:
            del self._shown[min(ended)[1]]

    def _drop_ended(self) -> None:
        for key in [key for key, figures in self._shown.items() if self._is_over(figures)]:
            del self._shown[key]

    def _is_over(self, figures: Figures) -> bool:
        end = _end_of(figures)
        return end is not None and self.clock.now().timestamp() - end > KEPT_SECONDS

    @override
    def collect(self) -> Iterator[Metric]:
        """All series, as the registry asks for them."""
        self._drop_ended()
        jobs = [f for f in self._shown.values() if isinstance(f, JobFigures)]
        servers = [f for f in self._shown.values() if isinstance(f, ServerFigures)]
        yield from _job_families(jobs)
        yield self._gpu_seconds_of(jobs)
        yield from _server_families(servers)
        yield self._gpu_seconds()
        yield GaugeMetricFamily(
            "winnow_objects_without_series",
            "Jobs and servers that have no series of their own, because of the limit.",
            value=len(self._left_out),
        )

    def _gpu_seconds_of(self, jobs: list[JobFigures]) -> Metric:
        family = CounterMetricFamily(
            "winnow_job_gpu_seconds",
            "Seconds that the pods of a job have held GPUs, times their number.",
            labels=JOB_LABELS,
        )
        for job in jobs:
            family.add_metric(_labels(job), self.gpu_time.seconds_of_job(job.identity.uid))
        return family

    def _gpu_seconds(self) -> Metric:
        family = CounterMetricFamily(
            "winnow_gpu_seconds",
            "Seconds that pods of jobs have held GPUs, times their number.",
            labels=["controller"],
        )
        for kind in (Kind.SEARCH, Kind.COMPRESSION):
            family.add_metric([kind.word], self.gpu_time.seconds_of(kind))
        return family


def _end_of(figures: Figures) -> float | None:
    return None if isinstance(figures, ServerFigures) else figures.ended


def _key(identity: Identity) -> Key:
    return identity.kind, identity.namespace, identity.name


def _labels(figures: Figures) -> list[str]:
    identity = figures.identity
    if isinstance(figures, ServerFigures):
        return [identity.namespace, identity.name, identity.uid]
    return [identity.namespace, identity.kind.word, identity.name, identity.uid]


def _job_families(jobs: list[JobFigures]) -> Iterator[Metric]:
    def family(name: str, words: str, *more: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"winnow_job_{name}", words, labels=[*JOB_LABELS, *more])

    state = family("state", "The state of a job as kubectl shows it; always 1.", "state")
    trials = family("trials", "Trials of a job by outcome.", "outcome")
    planned = family("planned_trials", "Trials that a job will have, as far as is known.")
    pods = family("active_pods", "Pods of a job that run or wait to run.")
    best = family(
        "best_value", "Best value of a search, or that of a compression's selection.", "metric"
    )
    ratio = family(
        "selected_ratio", "Value of a compression's selection over the baseline's.", "metric"
    )
    waits = family("waits_for_gpu", "1 while pods of a job wait for a GPU or a quota of GPUs.")
    started = family("start_timestamp_seconds", "When the first batch of a job was made.")
    ended = family("completion_timestamp_seconds", "When a job ended.")
    for job in jobs:
        labels = _labels(job)
        state.add_metric([*labels, job.state], 1)
        for outcome, count in job.outcomes:
            trials.add_metric([*labels, outcome], count)
        planned.add_metric(labels, job.planned)
        pods.add_metric(labels, job.active_pods)
        for several, values in ((best, job.best), (ratio, job.ratios)):
            for metric, value in values:
                several.add_metric([*labels, metric], value)
        waits.add_metric(labels, float(job.waits_for_gpu))
        _add(started, labels, job.started)
        _add(ended, labels, job.ended)
    yield from (state, trials, planned, pods, best, ratio, waits, started, ended)


def _server_families(servers: list[ServerFigures]) -> Iterator[Metric]:
    def family(name: str, words: str, *more: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            f"winnow_modelserver_{name}", words, labels=[*SERVER_LABELS, *more]
        )

    state = family("state", "The state of a server as kubectl shows it; always 1.", "state")
    ready = family("ready_pods", "Pods of a server that answer.")
    wanted = family("wanted_pods", "Pods of a server that shall answer.")
    revision = family("revision", "Number of the revision that serves.")
    weight = family("canary_weight_ratio", "Measured share of the requests that a canary answers.")
    progress = family(
        "rollout_progress_timestamp_seconds", "When a revision on its way last came further."
    )
    for server in servers:
        labels = _labels(server)
        state.add_metric([*labels, server.state], 1)
        ready.add_metric(labels, server.ready)
        wanted.add_metric(labels, server.wanted)
        _add(revision, labels, server.revision)
        _add(weight, labels, server.canary_weight)
        _add(progress, labels, server.rollout_progress)
    yield from (state, ready, wanted, revision, weight, progress)


def _add(family: GaugeMetricFamily, labels: list[str], value: float | None) -> None:
    if value is not None:
        family.add_metric(labels, value)
