"""The life of a trial: what is recorded, and what ends it alone or the whole pod."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.assignments import TrialAssignment
from winnow_contract.manifests import read_artifact
from winnow_contract.pod import start_pod
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_trainer.architectures import plan
from winnow_trainer.artifacts import load_model
from winnow_trainer.bench import Bench
from winnow_trainer.data.load import load_data
from winnow_trainer.determinism import make_deterministic
from winnow_trainer.errors import TaskError, TrialError
from winnow_trainer.isolation import check_size
from winnow_trainer.packs import SequentialPack
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

WINE = {"uri": "builtin://wine"}
QUICK = {"epochs": "3", "width": "8"}


def bench(folder: Path, *trials: dict[str, Any], **changes: Any) -> Bench:
    given = {"data": WINE, "settings": QUICK, **changes}
    pod = start_pod(pod_variables(folder, assignment_document(*trials, **given)))
    task = read_task(pod.assignments)
    make_deterministic(1)
    dataset = load_data(task.data, pod.environment.claims)
    return set_up(pod, task, dataset, threading.Event())


def results(made: Bench) -> list[TrialResult]:
    return list(SequentialPack(made, run_trial).run(made.pod.trials))


def test_a_trial_is_recorded_with_all_that_was_measured(tmp_path: Path) -> None:
    made = bench(tmp_path, {"learning_rate": 0.05})

    (result,) = results(made)

    artifact = read_artifact(tmp_path / "artifacts/digits-t00001/aaaaaaaa", result.digest)
    validation, test = artifact.values("validation"), artifact.values("test")
    assert result.outcome == "Succeeded"
    assert (result.objective, result.standard_error) == validation["accuracy"]
    assert (result.test, result.test_standard_error) == test["accuracy"]
    assert set(validation) == set(test) == {"accuracy", "balanced_accuracy", "f1", "log_loss"}
    extras = {name: value for name, (value, _) in artifact.extras().items()}
    assert extras["parameters"] == (13 * 8 + 8) + (8 * 8 + 8) + (8 * 3 + 3)
    assert 0 < extras["epoch_seconds"] < extras["train_seconds"]
    assert extras["peak_memory_bytes"] > 1 << 20
    assert extras.items() <= dict(result.metrics).items()


def test_the_manifest_says_what_was_trained_on_what(tmp_path: Path) -> None:
    made = bench(tmp_path, {"learning_rate": 0.05})
    (result,) = results(made)

    artifact = read_artifact(tmp_path / "artifacts/digits-t00001/aaaaaaaa", result.digest)
    task = artifact.document["task"]

    assert task["model"]["settings"]["learning_rate"] == 0.05
    assert task["model"]["settings"]["epochs"] == 3
    assert task["data"]["sha256"] == made.dataset.digest
    assert task["data"]["classes"] == ["class_0", "class_1", "class_2"]
    assert task["evaluation"]["indicesSha256"] == made.splits.digest
    assert sum(task["evaluation"]["rows"].values()) == 178
    assert artifact.document["environment"]["threads"] == "1"
    assert json.dumps(artifact.document)


@pytest.mark.parametrize(
    ("changes", "standardize"),
    [
        ({}, "PerFeature"),
        ({"data": {"uri": "builtin://digits"}}, "PerChannel"),
        ({"family": "Transformer", "settings": {**QUICK, "shape": "13x1x1"}}, "PerChannel"),
    ],
)
def test_the_manifest_says_what_was_standardised_alone(
    tmp_path: Path, changes: dict[str, Any], standardize: str
) -> None:
    (result,) = results(bench(tmp_path, {}, **changes))

    artifact = read_artifact(tmp_path / "artifacts/digits-t00001/aaaaaaaa", result.digest)

    assert artifact.document["task"]["preprocessing"]["standardize"] == standardize


def test_who_serves_the_model_gives_raw_rows(tmp_path: Path) -> None:
    made = bench(tmp_path, {"learning_rate": 0.05, "epochs": 10})
    (result,) = results(made)

    model = load_model(tmp_path / "artifacts/digits-t00001/aaaaaaaa", result.digest)
    guess = model(made.test.features).argmax(dim=1)

    assert float((guess == made.test.targets).double().mean()) == result.test


def test_a_trial_is_the_same_alone_and_after_others_in_its_pod(tmp_path: Path) -> None:
    third = {"learning_rate": 0.02, "dropout": 0.2}
    others: list[dict[str, Any]] = [{"learning_rate": 0.05}, {"norm": "batch"}]
    together = results(bench(tmp_path / "pack", *others, third))[2]

    document = assignment_document(*others, third, data=WINE, settings=QUICK)
    alone = bench(tmp_path / "alone", trials=document["trials"][2:], trialsPerPod=1)
    (single,) = results(alone)

    weights = "artifacts/digits-t00003/aaaaaaaa/model.safetensors"
    assert (tmp_path / "pack" / weights).read_bytes() == (tmp_path / "alone" / weights).read_bytes()
    assert (together.objective, together.test) == (single.objective, single.test)


def test_a_trial_that_fails_ends_alone(tmp_path: Path) -> None:
    made = bench(
        tmp_path,
        {"learning_rate": 100.0, "weight_decay": 10.0, "epochs": 30},
        {"width": -1},
        {"learning_rate": 0.05},
    )

    diverged, refused, fine = results(made)

    assert (diverged.outcome, diverged.cause) == ("Failed", "NaN")
    assert (refused.outcome, refused.cause) == ("Failed", "BadParameters")
    assert "setting width is '-1', allowed: whole numbers from 1" in refused.message
    assert fine.outcome == "Succeeded"
    assert [path.name for path in (tmp_path / "artifacts").iterdir()] == ["digits-t00003"]


def test_without_a_folder_for_artifacts_values_are_reported_all_the_same(tmp_path: Path) -> None:
    variables = pod_variables(tmp_path, assignment_document({}, data=WINE, settings=QUICK))
    del variables["WINNOW_ARTIFACTS"]
    pod = start_pod(variables)
    task = read_task(pod.assignments)
    made = set_up(pod, task, load_data(task.data, tmp_path), threading.Event())

    (result,) = results(made)

    assert (result.outcome, result.digest) == ("Succeeded", "")


def test_a_stop_is_no_failure_of_the_trial(tmp_path: Path) -> None:
    made = bench(tmp_path, {"learning_rate": 0.05})
    made.stop.set()

    with pytest.raises(Stopping):
        run_trial(made, made.pod.trials[0])

    assert "digits-t00001" not in made.page.render()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "r2"}, "objective 'r2' is not measured for classification, allowed: acc"),
        ({"family": "CNN"}, "family CNN needs images, the data has rows of 13 numbers"),
        (
            {"settings": {"norm": "batch", "batch_size": "1"}},
            "batch_size is 1, with norm batch it must be at least 2",
        ),
    ],
)
def test_what_fits_no_trial_ends_the_job(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(TaskError) as refusal:
        bench(tmp_path, {}, **changes)

    assert words in str(refusal.value)


def test_an_extra_figure_can_be_the_objective(tmp_path: Path) -> None:
    (result,) = results(bench(tmp_path, {}, objective="parameters"))

    assert result.objective == 211
    assert result.test is None


def test_a_model_that_cannot_fit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    made = bench(tmp_path, {})
    settings = made.task.settings_for(TrialAssignment("t", 1, 1, {"width": 16384, "depth": 32}))
    architecture = plan("MLP", settings, made.dataset)

    with pytest.raises(TrialError, match="and the container may use 2 GiB") as refusal:
        check_size(architecture, 2 << 30, "search smaller sizes")

    assert refusal.value.cause == "OutOfMemory"
    small = plan("MLP", made.task.settings_for(made.pod.trials[0]), made.dataset)
    check_size(small, 1 << 20, "search smaller sizes")


RULE = {"algorithm": "ASHA", "resource": "Epochs", "minimum": 1, "eta": 2, "minTrials": 2}


def test_the_trials_of_a_pod_stop_each_other_and_an_attempt_after_that_decides_the_same(
    tmp_path: Path,
) -> None:
    rates = [{"learning_rate": rate} for rate in (0.02, 1e-6, 0.03, 1e-5)]
    made = bench(tmp_path, *rates, earlyStopping=RULE)

    first = results(made)

    assert [result.outcome for result in first[:2]] == ["Succeeded", "Stopped"]
    assert first[1].cause == "EarlyStopping"
    assert first[1].objective == first[1].rungs[max(first[1].rungs)]
    assert list(first[0].rungs) == [1, 2]
    again = bench(tmp_path, *rates, earlyStopping=RULE)
    for trial, result in zip(again.pod.trials[:1], first[:1], strict=True):
        repeated = again.pod.repeat(trial)
        assert repeated is not None
        assert repeated.rungs == result.rungs
    rest = list(SequentialPack(again, run_trial).run(again.pod.trials[1:]))
    assert [(r.outcome, r.rungs) for r in rest] == [(r.outcome, r.rungs) for r in first[1:]]


def test_a_final_training_goes_to_its_end(tmp_path: Path) -> None:
    made = bench(tmp_path, {"learning_rate": 0.02}, {"learning_rate": 1e-6}, earlyStopping=RULE)
    final = replace(made.pod.trials[1], final_of=1)

    outcomes = [run_trial(made, trial).outcome for trial in (made.pod.trials[0], final)]

    assert outcomes == ["Succeeded", "Succeeded"]


def test_one_trial_of_a_pod_may_take_no_longer_than_the_budget_says(tmp_path: Path) -> None:
    made = bench(tmp_path, {"epochs": 1_000_000, "learning_rate": 1e-6}, maxTrialSeconds=1)

    (result,) = results(made)

    assert (result.outcome, result.cause) == ("Failed", "DeadlineExceeded")
