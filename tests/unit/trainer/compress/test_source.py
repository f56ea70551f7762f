"""What the source of a compression must be: each thing that is wrong with one has its sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from tests.support.trainings import assignment_document
from winnow_contract.assignments import Assignments, Source, decode_assignments
from winnow_contract.files import write_file
from winnow_contract.manifests import Committed, write_manifest
from winnow_trainer.architectures import Model, plan
from winnow_trainer.artifacts import save_artifact
from winnow_trainer.bench import describe_model
from winnow_trainer.compress.origin import rebuild
from winnow_trainer.compress.source import (
    SourceArtifact,
    check_data,
    check_data_claim,
    check_splits,
    open_source,
)
from winnow_trainer.data.load import load_data
from winnow_trainer.errors import DataError, JobError, SourceError, TaskError
from winnow_trainer.splits import Splits, split
from winnow_trainer.task import read_task

URI = "pvc://models/digits/1"
LONGEST_MESSAGE = 256
"""What a Trial keeps of a sentence."""


@dataclass(frozen=True)
class Stage:
    """A claim with a source on it, and the job that names it."""

    claims: Path
    artifact: Committed
    assignments: Assignments

    @property
    def folder(self) -> Path:
        return self.artifact.folder

    def open(self) -> SourceArtifact:
        return open_source(self.assignments, self.claims)

    def committed_anew(self, **changes: Any) -> Stage:
        """The same with other files or another manifest, and the digest that belongs to it."""
        document = {k: v for k, v in self.artifact.document.items() if k != "files"}
        document = {k: v for k, v in {**document, **changes}.items() if v is not None}
        artifact = write_manifest(self.folder, document)
        reference = Source(URI, artifact.digest)
        return Stage(self.claims, artifact, replace(self.assignments, source=reference))


def task_document(**changes: Any) -> dict[str, Any]:
    return {
        "model": {"family": "MLP", "settings": {"widths": [8, 4], "epochs": 3}},
        "data": {"uri": "builtin://wine", "target": "", "kind": "Classification"},
        "evaluation": {"test": 0.2, "validation": 0.2, "seed": 0},
        **changes,
    }


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    given = assignment_document({}, settings={"widths": "8-4"}, data={"uri": "builtin://wine"})
    task = read_task(decode_assignments(json.dumps(given)))
    dataset = load_data(task.data, tmp_path)
    architecture = plan(
        "MLP", task.settings_for(decode_assignments(json.dumps(given)).trials[0]), dataset
    )
    torch.manual_seed(0)
    artifact = save_artifact(
        tmp_path / "models/digits/1",
        Model(architecture),
        describe_model(dataset, architecture),
        torch.from_numpy(dataset.features),
        {"contractVersion": 1, "task": _resolved(dataset.digest, split(dataset, task.evaluation))},
    )
    document = {
        **assignment_document(task=None),
        "job": {"kind": "CompressionJob", "namespace": "team", "name": "small", "uid": "uid"},
        "source": {"uri": URI, "digest": artifact.digest},
        "trialsPerPod": 1,
    }
    return Stage(tmp_path, artifact, decode_assignments(json.dumps(document)))


def _resolved(digest: str, splits: Splits) -> dict[str, Any]:
    task = task_document()
    task["data"]["sha256"] = digest
    task["evaluation"]["indicesSha256"] = splits.digest
    return task


def refusal(stage: Stage, kind: type[JobError] = SourceError) -> str:
    with pytest.raises(kind) as caught:
        rebuild(stage.open(), torch.device("cpu"))
    return str(caught.value)


def test_a_source_comes_with_the_task_of_its_manifest_and_the_weights_that_were_saved(
    stage: Stage,
) -> None:
    opened = stage.open()
    origin = rebuild(opened, torch.device("cpu"))

    assert opened.task.data.uri == "builtin://wine"
    assert origin.settings["widths"] == (8, 4)
    assert origin.settings["epochs"] == 3
    assert origin.settings["batch_size"] == 64
    torch.manual_seed(0)
    saved = Model(origin.work.architecture).state_dict()
    for name, tensor in origin.work.model.state_dict().items():
        assert torch.equal(tensor, saved[name]), name
    check_data(opened, load_data(opened.task.data, stage.claims))


def test_a_source_with_another_digest_is_not_the_one_that_was_meant(stage: Stage) -> None:
    other = replace(stage.assignments, source=Source(URI, "0" * 64))

    words = refusal(replace(stage, assignments=other))

    assert words == (
        f"source {URI}: the manifest in 1 has sha256 {stage.artifact.digest}, "
        "expected is 000000000000..."
    )


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_file_that_was_changed_is_found_by_its_sha256(stage: Stage, name: str) -> None:
    content = bytearray((stage.folder / name).read_bytes())
    content[-1] ^= 1
    (stage.folder / name).write_bytes(content)

    assert f"{name} in 1 is not the file that the manifest names" in refusal(stage)


def test_a_file_that_is_gone_is_named(stage: Stage) -> None:
    (stage.folder / "model.safetensors").unlink()

    assert "model.safetensors in 1 is missing" in refusal(stage)


def test_a_folder_that_is_not_there_is_named_with_its_claim(stage: Stage) -> None:
    away = replace(stage.assignments, source=Source("pvc://models/other", "0" * 64))

    words = refusal(replace(stage, assignments=away))

    assert words == "source pvc://models/other is not there: look for its folder on claim models"


def test_a_claim_that_is_not_mounted_is_named_with_those_that_are(stage: Stage) -> None:
    away = replace(stage.assignments, source=Source("pvc://elsewhere/a", "0" * 64))

    words = refusal(replace(stage, assignments=away))

    assert "claim 'elsewhere' of source pvc://elsewhere/a is not mounted, mounted: models" in words


def test_a_folder_without_a_manifest_is_no_artifact(stage: Stage) -> None:
    (stage.folder / "manifest.json").unlink()

    assert "1 has no manifest.json: it is not whole" in refusal(stage)


def pickled_file(stage: Stage) -> Stage:
    torch.save({"a": torch.zeros(1)}, stage.claims / "models/net.pt")
    reference = Source("pvc://models/net.pt", "0" * 64)
    return replace(stage, assignments=replace(stage.assignments, source=reference))


def folder_of_pickles(stage: Stage) -> Stage:
    (stage.folder / "manifest.json").unlink()
    (stage.folder / "pytorch_model.bin").write_bytes(b"\x80\x02}q\x00.")
    return stage


def pickle_by_another_name(stage: Stage) -> Stage:
    torch.save({"a": torch.zeros(1)}, stage.folder / "model.safetensors")
    return stage.committed_anew()


@pytest.mark.parametrize("broken", [pickled_file, folder_of_pickles, pickle_by_another_name])
def test_nothing_is_unpickled_under_any_name(
    stage: Stage, broken: Callable[[Stage], Stage]
) -> None:
    assert "nothing is unpickled, because a pickle runs code" in refusal(broken(stage))


def test_weights_that_are_no_safetensors_are_damaged(stage: Stage) -> None:
    (stage.folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0notjson!")

    words = refusal(stage.committed_anew())

    assert (
        "model.safetensors of the source pvc://models/digits/1 does not hold the weights" in words
    )


def test_weights_of_another_model_are_told_apart_from_damaged_ones(stage: Stage) -> None:
    description = json.loads((stage.folder / "model.json").read_bytes())
    description["settings"]["widths"] = [8, 5]
    write_file(stage.folder / "model.json", json.dumps(description).encode())

    assert "size mismatch" in refusal(stage.committed_anew())


def test_an_artifact_of_a_program_of_the_users_own_cannot_be_compressed(stage: Stage) -> None:
    (stage.folder / "model.json").unlink()

    assert refusal(stage.committed_anew()) == (
        f"source {URI} has no model.json: only artifacts of the shared trainer can be compressed"
    )


def test_what_was_quantized_already_says_where_to_start_instead(stage: Stage) -> None:
    (stage.folder / "model.safetensors").rename(stage.folder / "model.onnx")

    assert "start from the model that it was made of" in refusal(stage.committed_anew())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "model.json of source pvc://models/digits/1 is not JSON"),
        (b"[]", "model.json of source pvc://models/digits/1 is not an object"),
    ],
)
def test_a_description_that_is_none_is_damaged(stage: Stage, content: bytes, words: str) -> None:
    write_file(stage.folder / "model.json", content)

    assert words in refusal(stage.committed_anew())


def test_a_description_without_what_is_needed_is_not_known(stage: Stage) -> None:
    write_file(stage.folder / "model.json", b'{"family": "MLP", "settings": {}}')

    assert "does not describe a model that this release knows: KeyError" in refusal(
        stage.committed_anew()
    )


def test_a_source_without_a_task_needs_one_in_the_job(stage: Stage) -> None:
    bare = stage.committed_anew(task=None)

    assert refusal(bare, TaskError) == (
        f"source {URI} says no task in its manifest, and the job has none: give spec.task, with "
        "the data that it was trained on"
    )
    given = task_document(model={"family": "MLP", "settings": {"batch_size": "16"}})
    with_task = replace(bare, assignments=replace(bare.assignments, task=given))
    assert rebuild(with_task.open(), torch.device("cpu")).settings["batch_size"] == 16
    assert rebuild(with_task.open(), torch.device("cpu")).settings["widths"] == (8, 4)


def test_a_task_of_another_family_is_refused(stage: Stage) -> None:
    bare = stage.committed_anew(task=None)
    given = task_document(model={"family": "CNN"})

    words = refusal(replace(bare, assignments=replace(bare.assignments, task=given)), TaskError)

    assert "task.model.family is 'CNN', the source is of family 'MLP'" in words


def test_the_job_says_where_the_data_is_now_and_nothing_else(stage: Stage) -> None:
    moved = task_document(
        data={"uri": "pvc://tables/wine.csv", "target": "label"},
        evaluation={"test": 0.5, "validation": 0.1, "seed": 7},
    )

    task = replace(stage, assignments=replace(stage.assignments, task=moved)).open().task

    assert task.data.uri == "pvc://tables/wine.csv"
    assert (task.evaluation.test, task.evaluation.seed) == (0.2, 0)


def test_data_whose_claim_only_the_source_knows_has_to_be_named_in_the_job(stage: Stage) -> None:
    data = {"uri": "pvc://tables/wine.csv", "target": "label"}
    away = stage.committed_anew(task=task_document(data=data))
    opened = away.open()

    with pytest.raises(DataError) as refused:
        check_data_claim(opened, away.assignments, away.claims)
    words = str(refused.value)
    _, _, task = words.partition("spec.task: ")
    assert yaml.safe_load(task) == {"model": {"family": "MLP"}, "data": data}
    assert len(words) <= LONGEST_MESSAGE

    (away.claims / "tables").mkdir()
    check_data_claim(opened, away.assignments, away.claims)


def test_data_that_was_changed_since_is_refused_with_both_digests(stage: Stage) -> None:
    opened = stage.open()
    dataset = load_data(opened.task.data, stage.claims)

    with pytest.raises(
        DataError, match=r"builtin://wine has sha256 0123456789ab\.\.\., the source"
    ):
        check_data(opened, replace(dataset, digest="0123456789abcdef"))


def test_data_that_does_not_fit_the_model_is_refused_where_no_digest_is_known(stage: Stage) -> None:
    opened = stage.committed_anew(task=task_document()).open()
    dataset = load_data(opened.task.data, stage.claims)

    with pytest.raises(DataError, match=r"has rows of shape \[12\], the source .* takes \[13\]"):
        check_data(opened, replace(dataset, features=dataset.features[:, :12]))
    with pytest.raises(DataError, match="has 2 classes, which are not the 3 of the source"):
        check_data(opened, replace(dataset, classes=dataset.classes[:2]))


def test_other_splits_than_those_of_the_search_are_refused(stage: Stage) -> None:
    opened = stage.open()
    splits = split(load_data(opened.task.data, stage.claims), opened.task.evaluation)
    check_splits(opened, splits)
    other = Splits(splits.validation, splits.train, splits.test)

    with pytest.raises(TaskError, match="it would be judged by rows that it has learnt"):
        check_splits(opened, other)
    assert np.intersect1d(other.train, splits.validation).size
