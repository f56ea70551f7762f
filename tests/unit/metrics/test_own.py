"""The operator's own metrics: names that dashboards know, and no label that grows."""

from __future__ import annotations

from prometheus_client import REGISTRY, Metric

from winnow_operator.metrics import own

BOUNDED = {
    "controller",
    "result",
    "method",
    "resource",
    "code",
    "outcome",
    "reason",
    "algorithm",
    "cause",
}
"""Labels whose values are few, whatever runs on the cluster."""

MIRRORED = {
    "winnow_reconcile",
    "winnow_reconcile_errors",
    "winnow_reconcile_time_seconds",
    "winnow_active_workers",
    "winnow_max_concurrent_reconciles",
    "winnow_workqueue_depth",
    "winnow_workqueue_adds",
    "winnow_workqueue_retries",
    "winnow_workqueue_queue_duration_seconds",
    "winnow_workqueue_longest_running_processor_seconds",
    "winnow_rest_client_requests",
    "winnow_leader_election_master_status",
}
"""What controller-runtime has under the same names, after its prefix."""


def families() -> dict[str, Metric]:
    return {family.name: family for family in REGISTRY.collect()}


def test_the_names_of_controller_runtime_are_there_with_a_help_text() -> None:
    found = families()

    assert set(found) >= MIRRORED
    assert all(found[name].documentation.endswith(".") for name in MIRRORED)


def test_no_metric_has_a_label_that_grows() -> None:
    metrics = [m for m in vars(own).values() if hasattr(m, "_labelnames")]

    assert len(metrics) > 15
    assert {label for metric in metrics for label in metric._labelnames} <= BOUNDED
