"""docs/trial-contract.md says what the code does."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from winnow_contract.assignments import decode_assignments
from winnow_contract.environment import Environment, read_environment
from winnow_contract.exit_codes import ExitCode
from winnow_contract.manifests import MANIFEST_NAME, read_artifact
from winnow_contract.metrics_page import MetricsPage
from winnow_contract.models.nets import net_from_json
from winnow_contract.results import MAX_BYTES, MAX_METRICS, MAX_TRIALS, decode_result
from winnow_contract.steps.chains import BASELINE, check_chain, resolve_step
from winnow_contract.version import CONTRACT_VERSION

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/trial-contract.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))


def table(heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head, code marks taken off."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_its_variables_are_those_that_are_read() -> None:
    source = (ROOT / "trainer/winnow_contract/environment.py").read_text()
    read = set(re.findall(r'"(WINNOW_[A-Z_]+|JOB_COMPLETION_INDEX)"', source))

    assert {name for name, _, _ in table("Environment variables")} == read


def test_its_defaults_are_those_that_hold() -> None:
    stated = {
        name: default
        for name, default, _ in table("Environment variables")
        if default != "none" and not name.startswith("WINNOW_ARTIFACTS")
    }

    assert read_environment(stated) == Environment()


def test_its_exit_codes_are_those_of_the_code() -> None:
    assert [(int(code), name) for code, name, *_ in table("Exit codes")] == [
        (int(code), code.name) for code in ExitCode
    ]


def test_its_assignments_can_be_read() -> None:
    assignments = decode_assignments(EXAMPLES["assignments"])

    assert [trial.number for trial in assignments.of_index(0)] == [1, 2]


def test_its_net_is_the_one_of_its_text() -> None:
    assert net_from_json(json.loads(EXAMPLES["architecture"])).text == "64:relu-64:tanh:batch+1"


def test_its_candidates_can_be_read_and_their_chains_run() -> None:
    assignments = decode_assignments(EXAMPLES["candidates"])

    baseline, small = assignments.trials
    assert (baseline.candidate, baseline.steps) == (BASELINE, ())
    assert assignments.source is not None
    assert check_chain(small.steps) == []
    assert tuple(resolve_step(step) for step in small.steps) == small.steps


def test_its_result_is_the_one_that_it_describes() -> None:
    first, second = decode_result(EXAMPLES["result"]).trials

    assert (first.outcome, first.objective, first.standard_error) == ("Succeeded", 1.389, 0.054)
    assert (first.test, first.test_standard_error) == (1.561, 0.056)
    assert (first.size_bytes, first.metrics) == (71547, {"mae": 1.1})
    assert (second.outcome, second.cause) == ("Failed", "NaN")
    assert second.message == "the loss is not a number after 3 rounds"


def test_its_keys_are_those_that_results_have() -> None:
    folder = ROOT / "trainer/winnow_contract"
    source = "".join((folder / f"{name}.py").read_text() for name in ("results", "message_fields"))
    read = set(re.findall(r'(?:item|document)(?:\.get\(|, )"(\w{1,2})"', source))

    described = {key.strip(" `") for keys, *_ in table("The result") for key in keys.split(",")}

    assert described == read


def test_its_limits_are_those_of_the_code() -> None:
    assert f"at most {MAX_BYTES} bytes" in PAGE
    assert f"at most {MAX_TRIALS}" in PAGE
    assert f"up to {MAX_METRICS} other metrics" in PAGE
    assert f"contract version {CONTRACT_VERSION}" in PAGE


def test_its_manifest_is_one_of_a_whole_artifact(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_text(EXAMPLES["manifest"])
    (tmp_path / "model.json").write_text("abc")  # the example's digest is that of these

    artifact = read_artifact(tmp_path)

    assert artifact.values("validation") == {"rmse": (1.389, 0.054)}
    assert artifact.digest == hashlib.sha256(EXAMPLES["manifest"].encode()).hexdigest()
    trial = json.loads(EXAMPLES["assignments"])["trials"][0]
    assert trial.items() <= dict(artifact.document["trial"]).items()


def test_its_series_are_those_that_are_served() -> None:
    page = MetricsPage()
    page.start("t1", decode_assignments(EXAMPLES["assignments"]).job.labels)
    page.report("t1", 1, {"rmse": 1.0})
    page.reach("t1", 1, 1.0)
    served = {
        name + "{" + re.sub(r'="[^"]*"', "", labels) + "}"
        for name, labels in re.findall(r"^(\w+)\{(.*)\} ", page.render(), re.MULTILINE)
    }

    assert {series for series, _ in table("Metrics")} == served
