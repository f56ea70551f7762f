"""Every example is one that the operator takes, and does what its comments say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.support.chart import ROOT
from winnow_contract.steps.chains import resolve_chain
from winnow_operator.api.compressionjob import CompressionJobSpec
from winnow_operator.api.modelserver import ModelServerSpec
from winnow_operator.api.searchjob import AlgorithmName, SearchJobSpec
from winnow_operator.domain.checks.compressions import check_compression
from winnow_operator.domain.checks.searches import check_spec
from winnow_operator.domain.checks.servers import check_server
from winnow_operator.domain.compressions.chains import step_documents
from winnow_operator.domain.spaces.space import parse_space

FOLDERS = ROOT / "examples/gitops"
"""Applied as folders: only some of their files hold jobs, and none says how to apply it alone."""
EXAMPLES = sorted(
    path for path in (ROOT / "examples").rglob("*.yaml") if FOLDERS not in path.parents
)
COMPRESSED = ROOT / "examples/digits-compressed.yaml"


def documents(path: Path) -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all(path.read_text()) if d]


def jobs_of(path: Path) -> list[dict[str, Any]]:
    kinds = {"SearchJob", "CompressionJob", "ModelServer"}
    return [d for d in documents(path) if d["kind"] in kinds]


def search_jobs(path: Path) -> list[dict[str, Any]]:
    return [d for d in documents(path) if d["kind"] == "SearchJob"]


def spec_schema(plural: str = "searchjobs") -> dict[str, Any]:
    crd = yaml.safe_load((ROOT / f"crds/winnow.dev_{plural}.yaml").read_text())
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec: dict[str, Any] = closed(schema["properties"]["spec"])
    return spec


def closed(schema: Any) -> Any:
    """The schema as strict field validation reads it: what it does not name is refused."""
    if isinstance(schema, list):
        return [closed(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and "additionalProperties" not in schema:
        inner["additionalProperties"] = False
    return inner


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: str(p.relative_to(ROOT / "examples")))
def test_an_example_is_taken_by_schema_model_and_checks(path: Path) -> None:
    jobs = jobs_of(path)

    assert jobs, "no job in it"
    for job in jobs:
        jsonschema.validate(job["spec"], spec_schema(f"{job['kind'].lower()}s"))
        assert faults(job) == []


@pytest.mark.parametrize("kind", ["SearchJob", "CompressionJob", "ModelServer"])
def test_the_folder_of_a_team_has_one_of_each_kind_that_the_operator_takes(kind: str) -> None:
    (job,) = (
        job for path in FOLDERS.rglob("*.yaml") for job in jobs_of(path) if job["kind"] == kind
    )

    jsonschema.validate(job["spec"], spec_schema(f"{kind.lower()}s"))
    assert faults(job) == []


def faults(job: dict[str, Any]) -> list[str]:
    if job["kind"] == "SearchJob":
        return check_spec(SearchJobSpec.model_validate(job["spec"]))
    if job["kind"] == "ModelServer":
        return check_server(ModelServerSpec.model_validate(job["spec"]))
    return check_compression(CompressionJobSpec.model_validate(job["spec"]), family="MLP")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: str(p.relative_to(ROOT / "examples")))
def test_an_example_is_named_after_its_file_and_says_how_to_apply_it(path: Path) -> None:
    text = path.read_text()

    assert "kubectl apply" in text
    assert f" -f {path.relative_to(ROOT)}" in text
    for job in jobs_of(path):
        name = job["metadata"]["name"].removesuffix("-small")
        stem = path.stem.removesuffix("-compressed").removesuffix("-served")
        assert name in {stem, path.parent.name}
        assert "namespace" not in job["metadata"]


def test_the_classic_grid_has_27_points() -> None:
    (job,) = search_jobs(ROOT / "examples/grid-classic.yaml")
    spec = SearchJobSpec.model_validate(job["spec"])

    assert spec.algorithm.name is AlgorithmName.GRID
    assert spec.budget.max_trials is None
    assert parse_space(spec.space).size == 27


def test_the_example_of_the_demo_runs_at_least_20_trials() -> None:
    (job,) = search_jobs(ROOT / "examples/digits.yaml")
    spec = SearchJobSpec.model_validate(job["spec"])

    assert spec.algorithm.name is AlgorithmName.TPE
    assert (spec.budget.max_trials or 0) >= 20


def test_the_compression_of_the_demo_has_a_candidate_of_every_kind_of_step() -> None:
    (job,) = documents(COMPRESSED)
    spec = CompressionJobSpec.model_validate(job["spec"])

    steps = [step for c in spec.candidates for step in resolve_chain(step_documents(c))]
    options = [(kind, given) for step in steps for kind, given in step.items()]
    modes = {given["mode"] for kind, given in options if kind == "quantize"}
    cuts = [given for kind, given in options if kind == "prune"]
    students = [g["transfer"] for kind, g in options if kind == "distill" and g["student"]]
    assert len(spec.candidates) >= 8
    assert modes == {"PostTraining", "Dynamic", "Aware"}
    assert {(cut["unit"], cut["importance"]) for cut in cuts} >= {
        ("Weight", "Magnitude"),
        ("Neuron", "Magnitude"),
        ("Neuron", "Taylor"),
    }
    assert {cut["schedule"] for cut in cuts} == {"OneShot", "Iterative"}
    assert students == [["Outputs"], ["Outputs", "Parameters"]]
    assert any(len(candidate.steps) > 1 for candidate in spec.candidates)


def test_the_compression_of_the_demo_waits_for_the_search_of_the_demo() -> None:
    (search,), (job,) = search_jobs(ROOT / "examples/digits.yaml"), documents(COMPRESSED)

    assert job["spec"]["model"] == {"searchJob": search["metadata"]["name"]}


def test_the_server_of_the_demo_follows_the_compression_of_the_demo() -> None:
    (compression,) = documents(COMPRESSED)
    (server,) = documents(ROOT / "examples/digits-served.yaml")

    assert server["spec"]["model"] == {"compressionJob": compression["metadata"]["name"]}


def test_pods_of_examples_meet_pod_security_restricted() -> None:
    pods = [d for path in EXAMPLES for d in documents(path) if d["kind"] == "Pod"]

    assert pods
    for pod in pods:
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
