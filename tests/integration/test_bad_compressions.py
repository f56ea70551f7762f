"""CompressionJobs on a real API server: taken, refused with a sentence, kept as they were asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.bad_compressions import ADMISSION, EDITS, OPERATOR
from tests.contract.base_specs import Body, changed
from tests.contract.compressions import (
    COMPRESSION,
    COMPRESSIONS,
    GOOD_COMPRESSIONS,
    BadCompression,
    GoodCompression,
)
from tests.integration.test_bad_specs import DRY, kubectl
from tests.support.api import Api
from tests.support.chart import ROOT
from tests.support.invalid_jobs import all_end_before_any_pod
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.errors import RefusedError
from winnow_operator.kube.resources import COMPRESSIONJOBS, TRIALS

pytestmark = pytest.mark.control_plane


@pytest.fixture
def anywhere(api: Api) -> Namespace:
    """A namespace in which nothing is really made."""
    return Namespace(api, "default")


async def dry_run(namespace: Namespace, body: Body) -> Body:
    return await namespace.api.create(namespace.path(COMPRESSIONJOBS), body, **DRY)


async def make(namespace: Namespace, body: Body = COMPRESSION) -> Body:
    return await namespace.api.create(namespace.path(COMPRESSIONJOBS), body)


async def edit(namespace: Namespace, **spec: Any) -> Body:
    return await namespace.api.merge(namespace.path(COMPRESSIONJOBS, "bad"), {"spec": spec})


async def finish(namespace: Namespace, kind: str) -> None:
    condition = {
        "type": kind,
        "status": "True",
        "reason": "Selected",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    path = namespace.path(COMPRESSIONJOBS, "bad", "status")
    await namespace.api.merge(path, {"status": {"conditions": [condition]}})


@pytest.mark.parametrize("row", ADMISSION, ids=lambda row: row.what)
async def test_the_api_server_refuses_with_a_sentence(
    row: BadCompression, anywhere: Namespace
) -> None:
    with pytest.raises(RefusedError) as refused:
        await dry_run(anywhere, row.document())

    sentence = str(refused.value)
    assert [word for word in row.words if word not in sentence] == [], sentence
    assert "evaluating rule" not in sentence


@pytest.mark.parametrize("row", GOOD_COMPRESSIONS, ids=lambda row: row.what)
async def test_the_api_server_takes_what_is_good(row: GoodCompression, anywhere: Namespace) -> None:
    taken = await dry_run(anywhere, row.document())

    # What the API server fills in is what the model would fill in.
    assert CompressionJobSpec.model_validate(taken["spec"]) == CompressionJobSpec.model_validate(
        row.document()["spec"]
    )


@pytest.mark.parametrize("row", OPERATOR, ids=lambda row: row.what)
async def test_admission_cannot_see_what_the_operator_must(
    row: BadCompression, anywhere: Namespace
) -> None:
    await dry_run(anywhere, row.document())


async def test_the_operator_ends_what_cannot_work_before_any_pod(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    await all_end_before_any_pod(namespace.compressions, OPERATOR)

    assert operator.is_running


@pytest.mark.parametrize("row", EDITS, ids=lambda row: row.what)
async def test_a_job_that_was_made_keeps_what_it_was_asked(
    row: BadCompression, namespace: Namespace
) -> None:
    body = COMPRESSIONS[row.base]
    await make(namespace, body)
    field = row.path.split(".")[1]

    with pytest.raises(RefusedError) as refused:
        await edit(namespace, **{field: changed(body, row.path, row.value)["spec"][field]})

    sentence = str(refused.value)
    assert [word for word in row.words if word not in sentence] == [], sentence
    assert "evaluating rule" not in sentence


NEW_CHOICE = {
    "goals": [{"metric": "size_bytes", "maxRatio": "0.3"}],
    "prefer": ["throughput_rows_per_second@8"],
}


async def test_goals_prefer_budget_and_suspend_may_be_edited_while_it_runs(
    namespace: Namespace,
) -> None:
    await make(namespace)

    edited = await edit(
        namespace, **NEW_CHOICE, budget={"parallelism": 5}, suspend=True, ttlSecondsAfterFinished=9
    )

    assert edited["spec"]["prefer"] == NEW_CHOICE["prefer"]
    assert edited["spec"]["budget"]["parallelism"] == 5


@pytest.mark.parametrize("kind", ["Complete", "Failed"])
async def test_goals_and_prefer_of_a_finished_job_may_be_edited(
    kind: str, namespace: Namespace
) -> None:
    await make(namespace)
    await finish(namespace, kind)

    edited = await edit(namespace, **NEW_CHOICE)

    assert edited["spec"]["goals"] == NEW_CHOICE["goals"]
    emptied = await edit(namespace, goals=None, prefer=None)
    assert "goals" not in emptied["spec"]


@pytest.mark.parametrize(
    "change",
    [{"budget": {"parallelism": 9}}, {"suspend": True}, {"ttlSecondsAfterFinished": 1}],
    ids=["budget", "suspend", "ttl"],
)
async def test_nothing_else_of_a_finished_jobs_spec_can_be_edited(
    change: Body, namespace: Namespace
) -> None:
    await make(namespace)
    await finish(namespace, "Complete")

    with pytest.raises(RefusedError, match="can change but goals and prefer"):
        await edit(namespace, **NEW_CHOICE, **change)


async def test_a_finished_job_takes_the_same_document_again(namespace: Namespace) -> None:
    path = namespace.path(COMPRESSIONJOBS, "bad")
    await namespace.api.apply(path, COMPRESSION)
    await finish(namespace, "Complete")
    before = await namespace.api.get(path)

    await namespace.api.apply(path, COMPRESSION)

    after = await namespace.api.get(path)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_the_largest_document_stays_within_what_rules_may_cost(namespace: Namespace) -> None:
    settings = [{"name": f"setting_{i}", "value": "9" * 256} for i in range(32)]
    steps = [{"distill": {"student": {"settings": settings}}}, *({"prune": {}},) * 7]
    candidates = [{"name": f"c{i}", "steps": steps} for i in range(15)]
    goals = [{"metric": "cpu_seconds", "batchSize": 8, "max": "1"}] * 8
    prefer = [f"latency_p{p}_seconds@{b}" for p in (50, 95) for b in (1, 2, 3, 8)]
    body = changed(COMPRESSION, "spec.candidates", candidates)

    await make(namespace, changed(body, "spec.measurement.batchSizes", [1, 2, 3, 8]))
    await edit(namespace, goals=goals, prefer=prefer)
    await finish(namespace, "Complete")

    with pytest.raises(RefusedError, match="this job has ended"):
        await edit(namespace, budget={"parallelism": 9})


CANDIDATE: Body = {
    "apiVersion": "winnow.dev/v1alpha1",
    "kind": "Trial",
    "metadata": {"name": "bad-c00002"},
    "spec": {
        "number": 2,
        "seed": 5,
        "candidate": "int8",
        "steps": ['{"quantize":{"mode":"Dynamic"}}'],
        "parent": f"sha256:{'0' * 64}",
    },
}


async def test_a_built_candidate_stays_active_until_it_is_measured_once(
    namespace: Namespace,
) -> None:
    await namespace.api.create(namespace.path(TRIALS), CANDIDATE)
    status = namespace.path(TRIALS, "bad-c00002", "status")
    artifact = {"uri": "pvc://a/b", "digest": "sha256:1", "format": "winnow/onnx-v1"}
    values = [{"metric": "latency_p95_seconds@64", "value": "0.001", "standardError": "0.0001"}]

    built = {"outcome": "Active", "artifact": {**artifact, "sizeBytes": 9}}
    await namespace.api.merge(status, {"status": built})
    final = {"outcome": "Succeeded", "values": values, "baseline": values, "round": 1}
    await namespace.api.merge(status, {"status": final})

    with pytest.raises(RefusedError, match="outcome is Succeeded already"):
        await namespace.api.merge(status, {"status": {"artifact": {**artifact, "sizeBytes": 8}}})
    with pytest.raises(RefusedError, match="never changes"):
        await namespace.api.merge(
            namespace.path(TRIALS, "bad-c00002"), {"spec": {"candidate": "int4"}}
        )


async def test_kubectl_get_winnow_shows_compressions_in_the_columns_of_the_design(
    control_plane: Path, namespace: Namespace
) -> None:
    await make(namespace)

    code, said = kubectl(control_plane, namespace.name, "get", "winnow")

    assert code == 0, said
    shown = said.splitlines()[0].split()
    assert shown == [
        "NAME",
        "STATUS",
        "CANDIDATES",
        "SELECTED",
        "ACCURACY",
        "SPEEDUP",
        "SIZE",
        "AGE",
    ]


EXAMPLES = {
    path.stem: [d for d in yaml.safe_load_all(path.read_text()) if d["kind"] == "CompressionJob"]
    for path in sorted(ROOT.glob("examples/*compressed*.yaml"))
}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_is_taken_by_the_api_server(example: str, anywhere: Namespace) -> None:
    assert EXAMPLES[example]
    for job in EXAMPLES[example]:
        await dry_run(anywhere, job)


EXPLAINED = {
    "compressionjob.spec.goals.maxDrop": "How much worse it may become, absolute",
    "cpj.spec.candidates.steps.prune.amount": "Share that goes, between 0 and 1",
    "cpj.status.selected.reason": "Why it was selected, in words",
}


@pytest.mark.parametrize(("field", "words"), EXPLAINED.items())
def test_kubectl_explains_a_field(field: str, words: str, control_plane: Path) -> None:
    code, said = kubectl(control_plane, "default", "explain", field)

    assert code == 0, said
    assert words in " ".join(said.split())
