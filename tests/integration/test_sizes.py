"""Sizes of what is recorded, as the API server stores it: compact JSON with managedFields.

docs/design/0009-sizes-of-records.md explains the bounds.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.support.api import Body
from tests.support.chart import ROOT
from tests.support.compressionjobs import DIGEST, SOURCE
from tests.support.largest_compression import (
    SECOND_ROUND,
    compress_largest,
    largest_job,
    stored_bytes,
)
from tests.support.namespace import Namespace, conditions, holds
from tests.support.operator_process import OperatorProcess
from tests.support.proofs import proofs
from tests.support.searchjobs import search_job
from tests.support.simulated_node import simulated_node

pytestmark = [pytest.mark.control_plane, pytest.mark.usefixtures("operator")]

MAX_TRIAL_BYTES = 4_096
MAX_CANDIDATE_BYTES = 8_192
MAX_RECORDED_BYTES = 10_240
"""Of a job: its status, and the record of who wrote which field of it."""
MAX_USUAL_CANDIDATE_BYTES = 5_120
MAX_USUAL_JOB_BYTES = 10_240
NAME = "j" * 40


def recorded(body: Body) -> Body:
    """What the operator has written of a job."""
    managed = [e for e in body["metadata"]["managedFields"] if e.get("subresource") == "status"]
    return {"status": body["status"], "managedFields": managed}


@pytest.mark.parametrize("met", [True, *proofs(False)], ids=["goals met", "goals missed"])
async def test_the_largest_compression_fits_into_its_bounds(
    namespace: Namespace,
    operator: OperatorProcess,
    met: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    jobs = namespace.compressions
    async with simulated_node(namespace.api, namespace.name, compress_largest):
        await jobs.create_job(largest_job(NAME, met=met, rounds=2))
        body = await jobs.ended(NAME, seconds=120)
        trials = await jobs.trials(NAME)

    assert holds(body, "Complete"), conditions(body)
    assert holds(body, "GoalsMet") is met
    assert len(trials) == 16 + SECOND_ROUND
    sizes = {trial["spec"]["candidate"]: stored_bytes(trial) for trial in trials}
    show(sizes, recorded=stored_bytes(recorded(body)), whole=stored_bytes(body))
    assert max(sizes.values()) <= MAX_CANDIDATE_BYTES
    assert stored_bytes(recorded(body)) <= MAX_RECORDED_BYTES
    assert operator.complaints() == []


async def test_the_compression_of_the_example_fits_into_ten_kilobytes_as_a_whole(
    namespace: Namespace,
) -> None:
    jobs = namespace.compressions
    (example,) = yaml.safe_load_all((ROOT / "examples/digits-compressed.yaml").read_text())
    example["spec"]["model"] = {"uri": SOURCE, "digest": DIGEST}
    async with simulated_node(namespace.api, namespace.name, compress_largest):
        await jobs.create_job(example)
        body = await jobs.ended("digits-small", seconds=120)
        trials = await jobs.trials("digits-small")

    assert holds(body, "Complete"), conditions(body)
    sizes = {trial["spec"]["candidate"]: stored_bytes(trial) for trial in trials}
    show(sizes, recorded=stored_bytes(recorded(body)), whole=stored_bytes(body))
    assert max(sizes.values()) <= MAX_USUAL_CANDIDATE_BYTES
    assert stored_bytes(body) <= MAX_USUAL_JOB_BYTES


async def test_a_trial_of_a_search_with_as_many_parameters_as_there_may_be_is_small(
    namespace: Namespace,
) -> None:
    space = [{"name": f"parameter_number_{n:02d}", "double": WIDE} for n in range(32)]
    job = search_job(NAME, space={"parameters": space}, budget={"maxTrials": 3, "parallelism": 3})
    async with simulated_node(namespace.api, namespace.name):
        await namespace.create_job(job)
        body = await namespace.ended(NAME)
        trials = await namespace.trials(NAME)

    assert holds(body, "Complete"), conditions(body)
    sizes = {trial["metadata"]["name"]: stored_bytes(trial) for trial in trials}
    show(sizes, recorded=stored_bytes(recorded(body)), whole=stored_bytes(body))
    assert max(sizes.values()) <= MAX_TRIAL_BYTES
    assert stored_bytes(recorded(body)) <= MAX_RECORDED_BYTES


WIDE = {"min": "0.0000001", "max": "1", "scale": "Log"}


def show(sizes: Body, **job: Any) -> None:
    """The figures, for whoever runs the test with -s."""
    print(json.dumps({"job": job, "largest Trial": max(sizes.values()), **sizes}))  # noqa: T201 -- same
