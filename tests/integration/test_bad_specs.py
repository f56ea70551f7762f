"""Documents that cannot work, on a real API server: refused, or ended before any pod."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.bad_specs import ADMISSION, EDITS, OPERATOR
from tests.contract.base_specs import BASES, BadSpec, Body, changed
from tests.contract.good_specs import GOOD, GoodSpec
from tests.support.api import Api
from tests.support.chart import ROOT, tool
from tests.support.invalid_jobs import all_end_before_any_pod
from tests.support.namespace import Namespace
from tests.support.operator_process import OperatorProcess
from winnow_operator.api.searchjob import SearchJobSpec
from winnow_operator.errors import KubernetesError, RefusedError
from winnow_operator.kube.resources import SEARCHJOBS, TRIALS

pytestmark = pytest.mark.control_plane

DRY = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.fixture
def anywhere(api: Api) -> Namespace:
    """A namespace in which nothing is really made."""
    return Namespace(api, "default")


def name_of(row: BadSpec | GoodSpec) -> str:
    return row.what


async def refusal(namespace: Namespace, body: Body) -> str:
    with pytest.raises(RefusedError) as refused:
        await namespace.api.create(namespace.path(SEARCHJOBS), body, **DRY)
    return str(refused.value)


@pytest.mark.parametrize("row", ADMISSION, ids=name_of)
async def test_the_api_server_refuses_with_a_sentence(row: BadSpec, anywhere: Namespace) -> None:
    sentence = await refusal(anywhere, row.document())

    assert [word for word in row.words if word not in sentence] == [], sentence
    assert "evaluating rule" not in sentence


async def test_what_is_no_duration_is_refused_without_words_about_types(
    anywhere: Namespace,
) -> None:
    body = changed(BASES["task"], "spec.budget.maxDuration", "1 hour")

    assert "type conversion" not in await refusal(anywhere, body)


@pytest.mark.parametrize("row", GOOD, ids=name_of)
async def test_the_api_server_takes_what_is_good(row: GoodSpec, anywhere: Namespace) -> None:
    taken = await anywhere.api.create(anywhere.path(SEARCHJOBS), row.document(), **DRY)

    # What the API server fills in is what the model would fill in.
    assert SearchJobSpec.model_validate(taken["spec"]) == SearchJobSpec.model_validate(
        row.document()["spec"]
    )


@pytest.mark.parametrize("row", OPERATOR, ids=name_of)
async def test_admission_cannot_see_what_the_operator_must(
    row: BadSpec, anywhere: Namespace
) -> None:
    await anywhere.api.create(anywhere.path(SEARCHJOBS), row.document(), **DRY)


@pytest.mark.parametrize("row", EDITS, ids=name_of)
async def test_a_job_that_was_made_keeps_what_it_was_asked(
    row: BadSpec, namespace: Namespace
) -> None:
    await namespace.create_job(BASES[row.base])
    edited = {"spec": _merge_patch(BASES[row.base], row)}

    with pytest.raises(RefusedError) as refused:
        await namespace.api.merge(namespace.path(SEARCHJOBS, "bad"), edited)

    sentence = str(refused.value)
    assert [word for word in row.words if word not in sentence] == [], sentence
    assert "evaluating rule" not in sentence


async def test_another_part_of_the_pod_template_passes_admission(namespace: Namespace) -> None:
    """Why the operator keeps a hash of it: unknown fields are compared only where both have them."""
    body = changed(BASES["task"], "spec.podTemplate", {"spec": {"nodeSelector": {"disk": "ssd"}}})
    await namespace.create_job(body)
    other = {"spec": None, "metadata": {"labels": {"team": "vision"}}}

    edited = await namespace.edit_job("bad", podTemplate=other)

    assert edited["spec"]["podTemplate"] == {"metadata": {"labels": {"team": "vision"}}}


def _merge_patch(base: Body, row: BadSpec) -> Body:
    """The whole top-level field of the spec that the row changes."""
    field = row.path.split(".")[1]
    spec: Body = changed(base, row.path, row.value)["spec"]
    return {field: spec[field]}


async def test_budget_suspend_and_time_to_live_may_be_edited(namespace: Namespace) -> None:
    await namespace.create_job(BASES["task"])
    budget = {"maxTrials": 6, "parallelism": 9, "maxFailedTrials": 0, "maxDuration": "2h"}

    edited = await namespace.edit_job(
        "bad", budget=budget, suspend=True, ttlSecondsAfterFinished=60
    )

    assert edited["spec"]["budget"]["maxTrials"] == 6
    assert edited["spec"]["suspend"] is True


async def test_the_largest_document_stays_within_what_rules_may_cost(namespace: Namespace) -> None:
    values = [[f"{j}.{i}25" for j in range(1000)] for i in range(32)]
    space = [{"name": f"p{i}", "double": {"values": listed}} for i, listed in enumerate(values)]
    await namespace.create_job(changed(BASES["own image"], "spec.space.parameters", space))

    await namespace.edit_job("bad", budget={"maxTrials": 3})
    await finish(namespace, "Complete")

    with pytest.raises(RefusedError, match="this job has ended"):
        await namespace.edit_job("bad", budget={"maxTrials": 4})


async def finish(namespace: Namespace, kind: str) -> None:
    condition = {
        "type": kind,
        "status": "True",
        "reason": "BudgetSpent",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    path = namespace.path(SEARCHJOBS, "bad", "status")
    await namespace.api.merge(path, {"status": {"conditions": [condition]}})


@pytest.mark.parametrize("kind", ["Complete", "Failed"])
@pytest.mark.parametrize(
    "edit",
    [{"budget": {"maxTrials": 99}}, {"suspend": True}, {"ttlSecondsAfterFinished": 1}],
    ids=["budget", "suspend", "ttl"],
)
async def test_nothing_of_a_finished_jobs_spec_can_be_edited(
    edit: Body, kind: str, namespace: Namespace
) -> None:
    await namespace.create_job(BASES["task"])
    await finish(namespace, kind)

    with pytest.raises(RefusedError, match="this job has ended"):
        await namespace.edit_job("bad", **edit)


async def test_a_finished_job_takes_labels_status_and_the_same_document_again(
    namespace: Namespace,
) -> None:
    path = namespace.path(SEARCHJOBS, "bad")
    await namespace.api.apply(path, BASES["task"])
    await finish(namespace, "Complete")
    before = await namespace.job("bad")

    await namespace.api.apply(path, BASES["task"])
    unchanged = await namespace.job("bad")
    await namespace.api.merge(path, {"metadata": {"labels": {"kept": "yes"}}})
    await namespace.api.merge(f"{path}/status", {"status": {"state": "Complete"}})

    assert unchanged["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert (await namespace.job("bad"))["status"]["state"] == "Complete"


async def test_what_is_left_out_is_filled_in_at_once(namespace: Namespace) -> None:
    made = await namespace.create_job(BASES["task"])

    assert made["spec"]["budget"]["maxFailedTrials"] == 3
    assert made["spec"]["task"]["evaluation"] == {"test": "0.2", "repeats": 1, "seed": 0}
    assert (await namespace.job("bad"))["status"]["observedGeneration"] == -1


TRIAL: Body = {
    "apiVersion": "winnow.dev/v1alpha1",
    "kind": "Trial",
    "metadata": {"name": "bad-t00001"},
    "spec": {"number": 1, "seed": 5, "parameters": [{"name": "width", "value": "32"}]},
}


async def test_a_trial_is_active_and_selectable_from_the_start(namespace: Namespace) -> None:
    await namespace.api.create(namespace.path(TRIALS), TRIAL)

    for outcome, count in (("Active", 1), ("Succeeded", 0)):
        selector = f"status.outcome={outcome}"
        found = await namespace.api.get(namespace.path(TRIALS), fieldSelector=selector)
        assert len(found["items"]) == count


async def test_a_trials_spec_and_recorded_outcome_never_change(namespace: Namespace) -> None:
    await namespace.api.create(namespace.path(TRIALS), TRIAL)
    path = namespace.path(TRIALS, "bad-t00001")
    status = f"{path}/status"
    await namespace.api.merge(status, {"status": {"cause": "ImagePull"}})
    await namespace.api.merge(status, {"status": {"outcome": "Succeeded", "score": "-0.9"}})

    with pytest.raises(RefusedError, match="never changes"):
        await namespace.api.merge(path, {"spec": {"seed": 6}})
    for edit in ({"outcome": "Active"}, {"outcome": "Failed"}, {"score": "-1"}, {"cause": None}):
        with pytest.raises(RefusedError, match="outcome is Succeeded already"):
            await namespace.api.merge(status, {"status": edit})
    await namespace.api.merge(status, {"status": {"outcome": "Succeeded"}})


def kubectl(
    kubeconfig: Path, namespace: str, *words: str, body: Body | None = None
) -> tuple[int, str]:
    command = [tool("kubectl"), "--kubeconfig", str(kubeconfig), "--namespace", namespace, *words]
    done = subprocess.run(
        command if body is None else [*command, "-f", "-"],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


TYPING_ERRORS = [
    ("spec.bugdet", {"maxTrials": 3}, 'unknown field "spec.bugdet"'),
    ("spec.budget.maxTrails", 3, 'unknown field "spec.budget.maxTrails"'),
    ("spec.space.parameters.1.int.maks", 3, 'unknown field "spec.space.parameters[1].int.maks"'),
    ("spec.task.data.url", "x", 'unknown field "spec.task.data.url"'),
]


@pytest.mark.parametrize(("path", "value", "words"), TYPING_ERRORS, ids=lambda v: str(v)[:30])
async def test_kubectl_refuses_a_typing_error_in_a_fields_name(
    path: str, value: object, words: str, control_plane: Path, namespace: Namespace
) -> None:
    body = changed(BASES["task"], path, value)

    code, said = kubectl(control_plane, namespace.name, "apply", body=body)

    assert code != 0
    assert words in said


async def test_server_side_apply_refuses_a_typing_error_too(
    control_plane: Path, namespace: Namespace
) -> None:
    body = changed(BASES["task"], "spec.bugdet", {"maxTrials": 3})

    code, said = kubectl(control_plane, namespace.name, "apply", "--server-side", body=body)

    assert code != 0
    assert "spec.bugdet" in said


async def test_server_side_apply_refuses_it_whatever_the_client_asks_for(
    namespace: Namespace,
) -> None:
    body = changed(BASES["task"], "spec.bugdet", {"maxTrials": 3})

    with pytest.raises(KubernetesError, match="bugdet"):
        await namespace.api.apply(namespace.path(SEARCHJOBS, "bad"), body)


async def test_without_validation_a_field_with_a_typing_error_is_dropped(
    control_plane: Path, namespace: Namespace
) -> None:
    body = changed(BASES["task"], "spec.bugdet", {"maxTrials": 3})

    code, said = kubectl(control_plane, namespace.name, "apply", "--validate=false", body=body)

    assert code == 0, said
    made = await namespace.job("bad")
    assert "bugdet" not in made["spec"]
    assert made["spec"]["budget"]["maxTrials"] == 12


async def test_a_client_that_asks_for_nothing_gets_the_field_dropped(
    namespace: Namespace,
) -> None:
    body = changed(BASES["task"], "spec.bugdet", {"maxTrials": 3})

    await namespace.create_job(body)

    assert "bugdet" not in (await namespace.job("bad"))["spec"]


async def test_kubectl_get_winnow_shows_searchjobs_and_no_trials(
    control_plane: Path, namespace: Namespace
) -> None:
    await namespace.create_job(BASES["task"])
    await namespace.api.create(namespace.path(TRIALS), TRIAL)

    code, said = kubectl(control_plane, namespace.name, "get", "winnow")

    assert code == 0, said
    assert said.split("\n")[0].split() == [
        "NAME",
        "STATUS",
        "TRIALS",
        "ACTIVE",
        "BEST",
        "METRIC",
        "AGE",
    ]
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["searchjob.winnow.dev/bad"]


EXPLAINED = {
    "searchjob.spec.budget.maxFailedTrials": "The job fails once more trials than this have failed",
    "sj.spec.space.parameters.double.scale": "Linear, or Log for ranges over orders of magnitude",
    "trial.status.outcome": "Active, then once Succeeded, Stopped (by a rule) or Failed",
}


@pytest.mark.parametrize(("field", "words"), EXPLAINED.items())
def test_kubectl_explains_a_field(field: str, words: str, control_plane: Path) -> None:
    code, said = kubectl(control_plane, "default", "explain", field)

    assert code == 0, said
    assert words in " ".join(said.split())


EXAMPLES = {
    path.stem: [d for d in yaml.safe_load_all(path.read_text()) if d and d["kind"] == "SearchJob"]
    for path in sorted(ROOT.glob("examples/**/*.yaml"))
}


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_is_taken_by_the_api_server(example: str, anywhere: Namespace) -> None:
    for job in EXAMPLES[example]:
        await anywhere.api.create(anywhere.path(SEARCHJOBS), job, **DRY)


async def test_the_operator_ends_what_cannot_work_before_any_pod(
    namespace: Namespace, operator: OperatorProcess
) -> None:
    await all_end_before_any_pod(namespace, OPERATOR)

    assert operator.is_running
