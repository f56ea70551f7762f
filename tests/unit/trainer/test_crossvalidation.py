"""Cross-validation: the value is the mean over the folds, and only the final training has a model."""

from __future__ import annotations

import json
import statistics
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.trainings import assignment_document, pod_variables
from winnow_contract.assignments import decode_assignments
from winnow_contract.folds import joined
from winnow_contract.manifests import FOLDS, find_committed, read_artifact
from winnow_contract.pod import start_pod
from winnow_contract.program import Stopping
from winnow_contract.results import TrialResult
from winnow_trainer.artifacts import load_model
from winnow_trainer.bench import Bench, each_fold
from winnow_trainer.data.load import load_data
from winnow_trainer.determinism import make_deterministic
from winnow_trainer.errors import DataError
from winnow_trainer.packs import SequentialPack
from winnow_trainer.splits import split
from winnow_trainer.task import read_task
from winnow_trainer.trials import run_trial, set_up

WINE = {"uri": "builtin://wine"}
FOLDED = {"test": "0.2", "folds": 4, "seed": 3}


def bench(
    folder: Path,
    *,
    final_of: int = 0,
    attempt: str = "aaaaaaaa",
    index: int = 0,
    rival: tuple[float, ...] = (),
    **evaluation: Any,
) -> Bench:
    document = assignment_document(
        {"learning_rate": 0.05}, data=WINE, settings={"epochs": "3", "width": "8"}
    )
    document["task"]["evaluation"] = {**FOLDED, **evaluation}
    if final_of:
        document["trials"][0]["finalOf"] = final_of
    document["rival"] = list(rival)
    if "foldsPerPod" in evaluation:
        document["podsPerTrial"] = -(-4 // evaluation["foldsPerPod"])
    variables = {**pod_variables(folder, document, attempt), "JOB_COMPLETION_INDEX": str(index)}
    pod = start_pod(variables)
    task = read_task(pod.assignments)
    make_deterministic(1)
    dataset = load_data(task.data, pod.environment.claims)
    return set_up(pod, task, dataset, threading.Event())


def result_of(made: Bench) -> TrialResult:
    (result,) = SequentialPack(made, run_trial).run(made.pod.trials)
    return result


def committed(folder: Path) -> dict[str, Any]:
    path = folder / "artifacts/digits-t00001/aaaaaaaa/manifest.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_a_trials_value_is_the_mean_over_its_folds_with_the_error_of_the_mean(
    tmp_path: Path,
) -> None:
    result = result_of(bench(tmp_path))

    folds = committed(tmp_path)[FOLDS]
    accuracies = [e["value"] for fold in folds for e in fold if e["metric"] == "accuracy"]
    assert len(accuracies) == 4
    assert result.objective == pytest.approx(statistics.fmean(accuracies))
    assert result.standard_error == pytest.approx(statistics.stdev(accuracies) / 2)
    assert result.metrics["train_seconds"] > 4 * result.metrics["epoch_seconds"]


def test_each_fold_is_what_a_training_on_it_alone_gives(tmp_path: Path) -> None:
    made = bench(tmp_path)
    folds = list(each_fold(made))
    result_of(made)

    final = result_of(bench(tmp_path / "final", final_of=1))

    assert folds[0].splits.digest == made.splits.digest
    first = {e["metric"]: e["value"] for e in committed(tmp_path)[FOLDS][0]}
    assert final.objective == first["accuracy"]


def test_a_cross_validated_trial_leaves_no_model_and_reads_no_test_data(tmp_path: Path) -> None:
    result = result_of(bench(tmp_path))

    assert (result.outcome, result.digest, result.test) == ("Succeeded", "", None)
    assert [p.name for p in tmp_path.glob("artifacts/*/*/*")] == ["manifest.json"]


def test_its_result_is_repeated_without_training_again(tmp_path: Path) -> None:
    made = bench(tmp_path)
    result = result_of(made)
    again = bench(tmp_path, attempt="bbbbbbbb").pod

    repeated = again.repeat(again.trials[0])

    assert repeated is not None
    assert (repeated.objective, repeated.standard_error) == (
        result.objective,
        result.standard_error,
    )
    assert (repeated.digest, repeated.test) == ("", None)


def test_the_final_training_keeps_a_model_and_states_its_fold(tmp_path: Path) -> None:
    made = bench(tmp_path, final_of=1)
    result = result_of(made)

    folder = tmp_path / "artifacts/digits-t00001/aaaaaaaa"
    document = read_artifact(folder, result.digest).document
    evaluation = document["task"]["evaluation"]
    assert (evaluation["folds"], evaluation["fold"]) == (4, 1)
    assert "validation" not in evaluation
    assert evaluation["indicesSha256"] == made.splits.digest
    assert document["trial"]["finalOf"] == 1
    assert result.test is not None
    assert load_model(folder, result.digest).parameter_count == result.metrics["parameters"]


def test_a_final_training_does_not_repeat_what_the_search_committed(tmp_path: Path) -> None:
    made = bench(tmp_path)
    result_of(made)
    other = bench(tmp_path, final_of=1, attempt="bbbbbbbb").pod

    assert other.environment.artifacts is not None
    assert find_committed(other.environment.artifacts, other.trials[0]) is None


def test_a_stop_between_folds_ends_the_trial(tmp_path: Path) -> None:
    made = bench(tmp_path)
    made.stop.set()

    with pytest.raises(Stopping):
        run_trial(made, made.pod.trials[0])


def test_more_folds_than_rows_of_a_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluation.folds is 20, class 'class_2' has 10 rows"):
        bench(tmp_path, test="0.8", folds=20)


def test_a_compression_of_the_final_model_is_judged_by_the_rows_of_its_first_fold(
    tmp_path: Path,
) -> None:
    made = bench(tmp_path, final_of=1)
    result = result_of(made)
    folder = tmp_path / "artifacts/digits-t00001/aaaaaaaa"
    manifest = read_artifact(folder, result.digest).document

    document = assignment_document(data=WINE, settings={"epochs": "3", "width": "8"})
    document["task"]["evaluation"] = manifest["task"]["evaluation"]
    task = read_task(decode_assignments(json.dumps({**document, "trialsPerPod": 1})))

    assert split(made.dataset, task.evaluation).digest == made.splits.digest


def test_folds_over_pods_are_together_what_one_pod_gives(tmp_path: Path) -> None:
    alone = result_of(bench(tmp_path / "alone"))
    parts = [result_of(bench(tmp_path / str(i), index=i, foldsPerPod=3)) for i in range(2)]

    together = joined({part.part: part for part in parts}, "accuracy")

    assert [len(part.folds) for part in parts] == [3, 1]
    assert together is not None
    assert together.objective == pytest.approx(alone.objective)
    assert together.standard_error == pytest.approx(alone.standard_error)
    assert together.metrics["balanced_accuracy"] == pytest.approx(
        alone.metrics["balanced_accuracy"]
    )


def test_a_committed_part_is_repeated_by_its_own_index_alone(tmp_path: Path) -> None:
    first = result_of(bench(tmp_path, index=0, foldsPerPod=2))

    again = bench(tmp_path, index=0, foldsPerPod=2, attempt="bbbbbbbb").pod
    other = bench(tmp_path, index=1, foldsPerPod=2, attempt="cccccccc").pod

    repeated = again.repeat(again.trials[0])
    assert repeated is not None
    assert repeated.part == first.part
    assert repeated.folds == pytest.approx(first.folds)
    assert other.repeat(other.trials[0]) is None


def test_a_hopeless_trial_ends_after_the_folds_that_show_it(tmp_path: Path) -> None:
    result = result_of(bench(tmp_path, pairedTest="0.05", rival=(2.0, 2.0, 2.0, 2.0)))

    assert (result.outcome, result.cause) == ("Stopped", "EarlyStopping")
    assert "of 4 folds accuracy is" in result.message
    assert result.objective is not None
    assert not (tmp_path / "artifacts").exists()


def test_a_trial_that_may_still_win_is_trained_on_all_folds_and_tells_each(tmp_path: Path) -> None:
    result = result_of(bench(tmp_path, pairedTest="0.05", rival=(0.1, 0.1, 0.1, 0.1)))

    again = bench(tmp_path, pairedTest="0.05", attempt="bbbbbbbb").pod
    repeated = again.repeat(again.trials[0])
    assert (result.outcome, len(result.folds)) == ("Succeeded", 4)
    assert repeated is not None
    assert repeated.folds == pytest.approx(result.folds)


def test_without_a_rival_nothing_is_stopped(tmp_path: Path) -> None:
    assert result_of(bench(tmp_path, pairedTest="0.5")).outcome == "Succeeded"
