"""Artifacts and evaluation rows as input: what is missing, damaged or does not fit together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.measuring_pods import SOURCE, TEST, Round, evaluation
from tests.support.onnx_graphs import blobs, dense
from winnow_contract.files import write_file
from winnow_contract.manifests import write_manifest
from winnow_contract.measuring.measurements import MeasuredModel
from winnow_measure.evaluation import Evaluation, read_evaluation
from winnow_measure.models import BuiltModel, open_model
from winnow_runtime.errors import ModelError

SMALL = blobs(6)


@pytest.fixture
def models(tmp_path: Path) -> Round:
    """A round with its baseline alone."""
    made = Round(tmp_path)
    made.add("baseline", dense(width=4))
    return made


def refused(models: Round, model: MeasuredModel) -> str:
    with pytest.raises(ModelError) as caught:
        open_model(model, models.claims)
    assert caught.value.cause == "BadArtifact"
    return str(caught.value)


def test_an_artifact_that_is_not_there_is_named_by_its_uri(models: Round) -> None:
    gone = replace(models.models[0], uri="pvc://models/elsewhere")

    assert refused(models, gone) == (
        "the artifact at pvc://models/elsewhere: elsewhere has no manifest.json: it is not whole"
    )


def test_another_digest_and_a_file_that_was_changed_are_named(models: Round) -> None:
    baseline = models.models[0]

    assert "expected is 000000000000..." in refused(models, replace(baseline, digest="0" * 64))
    (models.artifacts / baseline.name / "aaaaaaaa/model.onnx").write_bytes(b"else")
    assert "model.onnx in aaaaaaaa is not the file" in refused(models, baseline)


def test_an_artifact_of_a_search_has_no_graph(models: Round) -> None:
    folder = models.artifacts / "small-c00009/aaaaaaaa"
    write_file(folder / "model.safetensors", b"")
    digest = write_manifest(folder, {"contractVersion": 1}).digest
    uri = "pvc://models/team/small/small-c00009/aaaaaaaa"

    words = refused(models, MeasuredModel(9, "small-c00009", "x", uri, digest))

    assert words == f"the artifact at {uri} has no model.onnx: export it to ONNX first"


def baseline_with(tmp_path: Path, content: bytes | None, **manifest: Any) -> Any:
    models = Round(tmp_path)
    models.add("baseline", dense(width=4), **manifest)
    file = models.artifacts / "small-c00001/aaaaaaaa/evaluation.safetensors"
    built = open_model(models.models[0], models.claims)
    file.unlink() if content is None else file.write_bytes(content)
    return built


def rows_of(built: BuiltModel) -> Evaluation:
    return read_evaluation(built, built.artifact.folder.parents[4])


def test_the_rows_of_a_final_artifact_are_those_of_the_built_one_it_names(tmp_path: Path) -> None:
    models = Round(tmp_path)
    built = models.add("baseline", dense(width=4))
    parent = {"kind": "candidate", "uri": built.uri, "digest": built.digest}
    final = open_model(models.add("final", dense(width=4), lineage=[SOURCE, parent]), models.claims)

    assert np.array_equal(read_evaluation(final, models.claims).test.targets, TEST.labels)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"digest": "0" * 64}, "expected is 000000000000..."),
        ({"uri": "pvc://models/../x"}, "leaves the claim"),
        ({"uri": "pvc://models/none"}, "has no manifest.json"),
    ],
)
def test_a_built_artifact_that_is_not_the_one_named_is_refused(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    models = Round(tmp_path)
    built = models.add("baseline", dense(width=4))
    parent = {"kind": "candidate", "uri": built.uri, "digest": built.digest, **changes}
    final = open_model(models.add("final", dense(width=4), lineage=[SOURCE, parent]), models.claims)

    with pytest.raises(ModelError, match=words):
        read_evaluation(final, models.claims)


def test_the_rows_of_both_splits_are_read(tmp_path: Path) -> None:
    found = rows_of(baseline_with(tmp_path, save(evaluation(SMALL, blobs(4, seed=8)))))

    assert found.kind == "Classification"
    assert np.array_equal(found.validation.inputs, SMALL.rows)
    assert np.array_equal(found.test.targets, blobs(4, seed=8).labels)
    logits = np.eye(3)[SMALL.labels]
    assert found.quality(found.validation, logits)["accuracy"] == (1.0, 0.0)


def with_rows(**changes: Any) -> bytes:
    return save({k: v for k, v in (evaluation(SMALL, SMALL) | changes).items() if v is not None})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "evaluation.safetensors is missing"),
        (b"\x80\x02cos\nsystem\nq\x00.", "is no safetensors file"),
        (with_rows(test_inputs=None), "but no test_inputs"),
        (with_rows(test_targets=SMALL.labels[:2]), "the test split of evaluation.safetensors"),
        (with_rows(validation_targets=SMALL.rows), "the validation split"),
        (with_rows(test_inputs=SMALL.rows[:0], test_targets=SMALL.labels[:0]), "at least one"),
        (with_rows(test_inputs=SMALL.rows * np.float32("inf")), "numbers that are not finite"),
    ],
)
def test_rows_that_cannot_judge_are_refused(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        rows_of(baseline_with(tmp_path, content))
    assert caught.value.cause == "BadArtifact"
    assert words in str(caught.value)


@pytest.mark.parametrize("task", [None, {}, {"data": None}, {"data": {"kind": "Auto"}}])
def test_a_task_without_a_kind_is_refused(tmp_path: Path, task: object) -> None:
    with pytest.raises(ModelError, match="allowed are Classification, Regression"):
        rows_of(baseline_with(tmp_path, with_rows(), task=task))


def test_fewer_outputs_than_classes_are_this_models_fault(tmp_path: Path) -> None:
    found = rows_of(baseline_with(tmp_path, with_rows()))

    with pytest.raises(ModelError, match="has 2 outputs, the data needs at least 3"):
        found.quality(found.validation, np.zeros((6, 2)))
