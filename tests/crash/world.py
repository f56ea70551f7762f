"""The final world of a job, without what may differ from run to run: times, uids, batch names."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.support.api import Body, eventually
from tests.support.namespace import Namespace

World = dict[str, Any]

_TIMES = frozenset(
    {
        "startTime",
        "completionTime",
        "lastTransitionTime",
        "suspendedSeconds",
        "batch",
        "uri",  # the folder of an artifact is named after the uids of its job and pod
        "report",
        "created",
        "changed",
        "uid",  # of a search that another one has learned from
    }
)


async def world_of(namespace: Namespace, job: str) -> World:
    """What is left of a job that has ended, once its pods are gone or have ended too."""
    await eventually(
        lambda: nothing_runs(namespace, job), what=f"the end of all pods and Jobs of {job}"
    )
    body = await namespace.job(job)
    return {
        "generation": body["metadata"]["generation"],
        "status": timeless(body["status"]),
        "trials": {
            str(trial["spec"]["number"]): {**trial["spec"], "status": timeless(trial["status"])}
            for trial in await namespace.trials(job)
        },
        "events": said(await namespace.events(job)),
        "claims": sorted(c["metadata"]["name"] for c in await namespace.claims()),
    }


async def nothing_runs(namespace: Namespace, job: str) -> bool:
    """Whether no pod runs, and every Job has ended and will be removed by its time to live."""
    pods, batches = await namespace.pods(job), await namespace.batches(job)
    return all(p["status"].get("phase") in {"Succeeded", "Failed"} for p in pods) and all(
        _has_ended(b) and b["spec"].get("ttlSecondsAfterFinished") is not None for b in batches
    )


def _has_ended(batch: Body) -> bool:
    conditions = batch.get("status", {}).get("conditions", [])
    return any(c["type"] in {"Complete", "Failed"} and c["status"] == "True" for c in conditions)


def said(events: list[Body]) -> dict[str, int]:
    """How often each Event was written."""
    return dict(Counter(f"{e['type']} {e['reason']}: {e['note']}" for e in events))


def timeless(value: Any) -> Any:
    """A document without what differs from run to run."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in _TIMES}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """A line for each place in which two worlds differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*expected, *found})
            for line in differences(expected.get(key), found.get(key), f"{path}.{key}")
        ]
    return [] if expected == found else [f"{path}: expected {expected!r}, found {found!r}"]
