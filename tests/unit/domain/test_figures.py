"""What metrics show of single objects, read off their status."""

from __future__ import annotations

from typing import Any

import pytest

from winnow_operator.api.compressionjob_status import CompressionJobStatus
from winnow_operator.api.modelserver_status import ModelServerStatus
from winnow_operator.api.searchjob import SearchJobStatus
from winnow_operator.domain.figures import (
    JobFigures,
    identity_of,
    job_figures,
    server_figures,
)
from winnow_operator.domain.gpus import gpus_of
from winnow_operator.domain.kinds import Kind

T0 = "2026-01-01T00:00:00Z"
METADATA = {"namespace": "team", "name": "digits", "uid": "u1"}
SEARCH = identity_of(Kind.SEARCH, METADATA)


def search(**status: Any) -> JobFigures:
    return job_figures(SEARCH, SearchJobStatus.model_validate(status))


def reconciling(reason: str, message: str) -> dict[str, Any]:
    return {
        "type": "Reconciling",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": T0,
    }


def test_a_search_shows_what_its_status_says() -> None:
    shown = search(
        state="Running",
        progress="6/24",
        trials={"total": 9, "active": 3, "succeeded": 5, "failed": 1},
        activePods=2,
        metric="accuracy",
        bestValue="0.99",
        startTime=T0,
    )

    assert dict(shown.outcomes) == {"Active": 3, "Succeeded": 5, "Stopped": 0, "Failed": 1}
    assert (shown.state, shown.planned, shown.active_pods) == ("Running", 24, 2)
    assert shown.best == (("accuracy", 0.99),)
    assert (shown.started, shown.ended) == (1_767_225_600.0, None)


def test_a_job_that_was_not_looked_at_yet_is_pending() -> None:
    shown = search()

    assert (shown.state, shown.planned, shown.best) == ("Pending", 0, ())
    assert shown.waits_for_gpu is False


@pytest.mark.parametrize(
    ("reason", "message", "waits"),
    [
        ("Unschedulable", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", True),
        ("Unschedulable", "0/3 nodes are available: 3 Insufficient cpu.", False),
        ("QuotaExceeded", "exceeded quota: q, requested: requests.amd.com/gpu=1", True),
        ("ImagePull", "ErrImagePull: registry.example.com/gpu/trainer", False),
        ("Unschedulable", "0/1 nodes: 1 Insufficient nvidia.com/mig-1g.5gb.", True),
    ],
)
def test_a_job_waits_for_a_gpu_where_the_clusters_words_name_one(
    reason: str, message: str, *, waits: bool
) -> None:
    assert search(conditions=[reconciling(reason, message)]).waits_for_gpu is waits


def test_a_compression_shows_its_selection_and_the_first_ratios() -> None:
    ratios = [{"metric": f"latency_p95_seconds@{n}", "value": "0.5"} for n in range(1, 20)]
    selected = {"trial": "t", "candidate": "half", "ratios": ratios}
    status = {"metric": "accuracy", "selectedValue": "0.98", "selected": selected}
    shown = job_figures(
        identity_of(Kind.COMPRESSION, METADATA), CompressionJobStatus.model_validate(status)
    )

    assert shown.best == (("accuracy", 0.98),)
    assert shown.ratios[0] == ("latency_p95_seconds@1", 0.5)
    assert len(shown.ratios) == 8


def test_a_server_shows_its_pods_and_its_rollout() -> None:
    status = {
        "state": "Canary",
        "ready": "2/3",
        "revision": 4,
        "rollout": {"revision": 5, "step": 0, "weight": "0.25", "since": T0},
    }
    identity = identity_of(Kind.SERVER, METADATA)
    shown = server_figures(identity, ModelServerStatus.model_validate(status))

    assert (shown.state, shown.ready, shown.wanted, shown.revision) == ("Canary", 2, 3, 4)
    assert (shown.canary_weight, shown.rollout_progress) == (0.25, 1_767_225_600.0)
    new = server_figures(identity, ModelServerStatus())
    assert (new.state, new.ready, new.wanted, new.rollout_progress) == ("Pending", 0, 0, None)


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        ({"nvidia.com/gpu": "2", "cpu": "4"}, 2),
        ({"gpu.intel.com/xe": 1}, 1),
        ({"nvidia.com/mig-1g.5gb": "3"}, 3),
        ({"example.com/dongle": "1", "memory": "1Gi"}, 0),
        (None, 0),
    ],
)
def test_gpus_are_counted_by_the_names_of_their_resources(limits: Any, count: int) -> None:
    assert gpus_of({"containers": [{"resources": {"limits": limits}}, {"name": "side"}]}) == count
