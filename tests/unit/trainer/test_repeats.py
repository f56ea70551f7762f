"""Several trainings of one trial: the value is their mean, and the model that of the median one."""

from __future__ import annotations

import json
import statistics
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.assignments import TrialAssignment
from winnow_contract.manifests import FOLDS, REPEATS
from winnow_contract.pod import start_pod
from winnow_contract.results import TrialResult
from winnow_trainer.bench import Bench
from winnow_trainer.data.load import load_data
from winnow_trainer.determinism import make_deterministic
from winnow_trainer.errors import TaskError
from winnow_trainer.means import seeds_of
from winnow_trainer.packs import SequentialPack
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

WINE = {"uri": "builtin://wine"}


def bench(folder: Path, *, final_of: int = 0, **evaluation: Any) -> Bench:
    document = assignment_document(
        {"learning_rate": 0.05}, data=WINE, settings={"epochs": "2", "width": "8"}
    )
    document["task"]["evaluation"] = {"test": "0.2", "seed": 3, **evaluation}
    if final_of:
        document["trials"][0]["finalOf"] = final_of
    pod = start_pod(pod_variables(folder, document, "aaaaaaaa"))
    make_deterministic(1)
    task = read_task(pod.assignments)
    return set_up(pod, task, load_data(task.data, pod.environment.claims), threading.Event())


def result_of(made: Bench) -> TrialResult:
    (result,) = SequentialPack(made, run_trial).run(made.pod.trials)
    return result


def manifest(folder: Path) -> dict[str, Any]:
    path = folder / "artifacts/digits-t00001/aaaaaaaa/manifest.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def accuracies(trainings: list[dict[str, Any]]) -> list[float]:
    return [v["value"] for t in trainings for v in t["values"] if v["metric"] == "accuracy"]


def test_the_value_is_the_mean_over_the_seeds_with_its_error(tmp_path: Path) -> None:
    result = result_of(bench(tmp_path, repeats=3))

    trainings = manifest(tmp_path)[REPEATS]
    values = accuracies(trainings)
    assert len({t["seed"] for t in trainings}) == 3
    assert result.objective == pytest.approx(statistics.fmean(values))
    assert result.standard_error == pytest.approx(statistics.stdev(values) / 3**0.5)


def test_the_model_is_that_of_the_median_training(tmp_path: Path) -> None:
    result = result_of(bench(tmp_path, repeats=3))

    document = manifest(tmp_path)
    values = accuracies(document[REPEATS])
    kept = values[[t["seed"] for t in document[REPEATS]].index(document["keptSeed"])]
    assert kept == statistics.median(values)
    assert result.digest


def test_with_folds_each_fold_is_trained_as_often_and_the_error_is_that_of_the_folds(
    tmp_path: Path,
) -> None:
    result = result_of(bench(tmp_path, folds=2, repeats=2))

    folds = manifest(tmp_path)[FOLDS]
    values = [e["value"] for fold in folds for e in fold if e["metric"] == "accuracy"]
    assert result.objective == pytest.approx(statistics.fmean(values))
    assert result.standard_error == pytest.approx(statistics.stdev(values) / 2**0.5)
    assert not result.digest


def test_a_final_training_is_one(tmp_path: Path) -> None:
    result_of(bench(tmp_path, final_of=1, repeats=3))

    assert REPEATS not in manifest(tmp_path)


def test_the_first_seed_is_the_trials_own_and_the_others_follow_from_it() -> None:
    trial = TrialAssignment("digits-t00001", 1, 7, {})

    assert seeds_of(trial, 1) == [7]
    assert seeds_of(trial, 3)[:2] == seeds_of(trial, 2)
    assert len(set(seeds_of(trial, 10))) == 10


@pytest.mark.parametrize("repeats", [0, 11, "3", True])
def test_a_number_of_repeats_that_is_none_is_named(tmp_path: Path, repeats: object) -> None:
    with pytest.raises(TaskError, match=r"evaluation\.repeats is .*1 to 10"):
        bench(tmp_path, repeats=repeats)
