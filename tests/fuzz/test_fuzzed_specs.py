"""Odd specs and odd results: the operator never raises, and every job ends in a condition."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.fuzz.odd_results import odd_ending
from tests.fuzz.odd_specs import some_odd_specs
from tests.support.api import Body, eventually
from tests.support.namespace import ENDED, Namespace, conditions, holds
from tests.support.operator_process import OperatorProcess
from tests.support.simulated_node import simulated_node
from winnow_operator.errors import NotFoundError, RefusedError

pytestmark = pytest.mark.control_plane

SIDE_BY_SIDE = 16
END_SECONDS = 90.0
KNOWN = {
    "Reconciling",
    "Stalled",
    "Complete",
    "Failed",
    "Suspended",
    "Degraded",
    "MetricsAvailable",
}
MAX_BYTES = 10_240
FEWEST_ACCEPTED = 0.5
"""Share of the specs that must get past admission, or this tests nothing of the operator."""


@dataclass(slots=True)
class Tally:
    """What became of the specs."""

    refused: int = 0
    removed: int = 0
    """Ended, and deleted by their time to live before they were looked at."""
    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def run_all(namespace: Namespace, specs: list[Body]) -> Tally:
    """Apply every spec as a job of its own, a few at a time, and wait for its end."""
    tally, limit = Tally(), asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(number: int, spec: Body) -> None:
        async with limit:
            await run_one(namespace, f"odd-{number}", spec, tally)

    async with simulated_node(namespace.api, namespace.name, odd_ending, look_seconds=0.2):
        await asyncio.gather(*(one(number, spec) for number, spec in enumerate(specs)))
    return tally


async def run_one(namespace: Namespace, name: str, spec: Body, tally: Tally) -> None:
    """Apply a spec and look at what comes of it."""
    body = {"apiVersion": "winnow.dev/v1alpha1", "kind": "SearchJob", "metadata": {"name": name}}
    shown = json.dumps(spec, ensure_ascii=False)
    try:
        await namespace.create_job({**body, "spec": spec})
    except RefusedError as error:
        tally.refused += 1
        if "spec" not in str(error):
            tally.wrong.append(f"refused without naming a field: {error}: {shown}")
        return
    try:
        job = await namespace.ended(name, seconds=END_SECONDS)
        tally.wrong += [f"{line}: {shown}" for line in await complaints(namespace, job)]
    except NotFoundError:
        tally.removed += 1
        return
    except AssertionError as error:
        if "NotFound" in str(error) or "not found" in str(error):
            tally.removed += 1
        else:
            tally.wrong.append(f"{error}: {shown}")
        return
    kind = next(kind for kind in ENDED if holds(job, kind))
    tally.ended[f"{kind} {conditions(job)[kind]['reason']}"] += 1


async def complaints(namespace: Namespace, job: Body) -> list[str]:
    """What is wrong with a job that has ended."""
    name, status, lines = job["metadata"]["name"], job["status"], list[str]()
    if conditions(job).keys() != KNOWN:
        lines.append(f"conditions are {sorted(conditions(job))}")
    if status["observedGeneration"] != job["metadata"]["generation"]:
        lines.append("the generation was not observed")
    found = Counter(t["status"]["outcome"] for t in await namespace.trials(name))
    counted = {o: status["trials"][o.lower()] for o in ("Succeeded", "Stopped", "Failed", "Active")}
    if found != Counter(counted) and not await is_going(namespace, name):
        lines.append(f"the status counts {counted}, Trials are {dict(found)}")
    if len(json.dumps({**job, "metadata": {}, "spec": {}}).encode()) > MAX_BYTES:
        lines.append("the status is over 10 KB")
    await eventually(lambda: no_pods_run(namespace, name), seconds=END_SECONDS, what="no pods")
    return lines


async def is_going(namespace: Namespace, name: str) -> bool:
    """Whether its time is over (`ttlSecondsAfterFinished`), and its Trials go with it.

    Raises:
        NotFoundError: if it is gone already.
    """
    return "deletionTimestamp" in (await namespace.job(name))["metadata"]


async def no_pods_run(namespace: Namespace, name: str) -> bool:
    pods = await namespace.pods(name)
    return all(p["status"].get("phase") in {"Succeeded", "Failed"} for p in pods)


async def check(namespace: Namespace, operator: OperatorProcess, specs: list[Body]) -> None:
    tally = await run_all(namespace, specs)

    print(f"{len(specs)} specs: {tally}")  # noqa: T201 -- shown when the test fails, or with -s
    assert tally.wrong == []
    assert operator.complaints() == []
    assert tally.refused < len(specs) * (1 - FEWEST_ACCEPTED)


async def test_odd_specs_end_in_a_condition(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    await check(namespace, operator, some_odd_specs(24))


@pytest.mark.prove
@pytest.mark.parametrize("number", range(1, 4))
async def test_very_many_odd_specs_end_in_a_condition(
    namespace: Namespace, operator: OperatorProcess, number: int
) -> None:
    await check(namespace, operator, some_odd_specs(200, number=number))
