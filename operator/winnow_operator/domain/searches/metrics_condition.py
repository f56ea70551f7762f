"""The condition MetricsAvailable: whether the operator hears of trials that run, and if not, why.

no Prometheus is configured             False, NoPrometheus
it gives no answer                      False, PrometheusUnreachable
it has series of the job's trials       True,  Scraped
it has none, and pods have run a while  False, NotScraped
nothing can be said yet                 as it was before, at first Unknown, Pending
"""

from __future__ import annotations

from dataclasses import dataclass

from winnow_operator.api.conditions import Condition, Reason
from winnow_operator.domain.job_conditions import OpenVerdict
from winnow_operator.domain.searches.trial_metrics import Heard

GRACE_SECONDS = 90.0
"""So long pods must have run before a job counts as not scraped: three usual scrape intervals."""

_KEPT = frozenset({Reason.SCRAPED, Reason.NOT_SCRAPED, Reason.PROMETHEUS_UNREACHABLE})
"""Reasons that hold until something else is known."""
_ADVICE = {
    Reason.NO_PROMETHEUS: (
        "no Prometheus is configured: set prometheus.url of the chart (WINNOW_PROMETHEUS_URL) for live "
        "values and early stopping across pods"
    ),
    Reason.SCRAPED: "Prometheus has the series of this job's trials",
    Reason.NOT_SCRAPED: (
        "Prometheus answers, and has no series of this job's trials: turn metrics.podMonitor of the "
        "chart on, or have it scrape the port named metrics of pods labelled "
        "app.kubernetes.io/component=trial, with the labels namespace, pod and job_uid "
        "(docs/metrics.md, Scraping); an image of your own has to serve that page"
    ),
    Reason.PENDING: "no pod has run long enough to be scraped",
}


@dataclass(frozen=True, slots=True)
class Listening:
    """What is known of how a job is listened to."""

    is_configured: bool = False
    heard: Heard | None = None
    """The last answer; None while no pod runs, or before the first one."""
    seconds: float = 0.0
    """How long pods have been running without a series of them."""


def metrics_verdict(listening: Listening, before: Condition | None) -> OpenVerdict:
    """Whether the metrics of trials can be had.

    Args:
        listening: what is known now.
        before: the condition as it was, whose words stay as long as their reason does.
    """
    heard = listening.heard
    if not listening.is_configured:
        return _said(False, Reason.NO_PROMETHEUS)
    if heard is not None and heard.problem:
        return False, Reason.PROMETHEUS_UNREACHABLE, _problem(heard.problem, before)
    if heard is not None and heard.is_scraped:
        return _said(True, Reason.SCRAPED)
    if heard is not None and listening.seconds >= GRACE_SECONDS:
        return _said(False, Reason.NOT_SCRAPED)
    return _as_before(before)


def _said(holds: bool | None, reason: Reason) -> OpenVerdict:  # noqa: FBT001 -- a condition's status
    return holds, reason, _ADVICE[reason]


def _problem(words: str, before: Condition | None) -> str:
    # Words of a network change from one try to the next, and each change would be a write.
    if before is not None and before.reason == Reason.PROMETHEUS_UNREACHABLE:
        return before.message
    return f"{words}; check prometheus.url of the chart and who may reach it (NetworkPolicy)"


def _as_before(before: Condition | None) -> OpenVerdict:
    if before is None or before.reason not in _KEPT:
        return _said(None, Reason.PENDING)
    known = {"True": True, "False": False}.get(before.status)
    return known, Reason(before.reason), before.message
