"""Folds that are spread over pods: together they are what one pod would have given."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, stdev

import pytest

from tests.support.facts import CONTEXT, batch_of, ended_pod, message_of, spec_of
from winnow_contract.folds import joined
from winnow_contract.results import ResultError, TrialResult, decode_result
from winnow_operator.api.trial import Outcome
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.ledger import fold_values
from winnow_operator.domain.pods import PodFact
from winnow_operator.domain.searches.fold_parts import pods_per_trial
from winnow_operator.domain.searches.planning import Reading, read_results

FOLDS = ((0.8, 0.9), (0.7, 0.6), (1.0,))
CONTEXT_OF_3 = replace(CONTEXT, pods_per_trial=3)
BATCH = batch_of(1, [7, 8], pods_per_trial=3, parallelism=6)


def part(number: int, trial: int = 7, *, of: int = 3) -> TrialResult:
    folds = FOLDS[number - 1]
    return TrialResult(
        trial,
        "Succeeded",
        objective=fmean(folds),
        part=number,
        parts=of,
        folds=folds,
        metrics={"train_seconds": 2.0, "peak_memory_bytes": 100.0 * number, "f1": float(number)},
    )


def pod(number: int, trial: int = 7, batch: BatchFact = BATCH) -> PodFact:
    index = (trial - 7) * 3 + number - 1
    return ended_pod(batch, 0, message_of(part(number, trial)), index=index)


def reading(*pods: PodFact, batches: tuple[BatchFact, ...] = (BATCH,)) -> Reading:
    return read_results(pods, batches, frozenset({7, 8}), CONTEXT_OF_3)


def test_parts_together_are_the_mean_over_all_folds_with_its_error() -> None:
    whole = joined({n: part(n) for n in (1, 2, 3)}, "accuracy")

    everything = [value for folds in FOLDS for value in folds]
    assert whole is not None
    assert whole.objective == pytest.approx(fmean(everything))
    assert whole.standard_error == pytest.approx(stdev(everything) / math.sqrt(5))
    assert whole.metrics["train_seconds"] == 6.0
    assert whole.metrics["peak_memory_bytes"] == 300.0
    assert whole.metrics["f1"] == pytest.approx((1 + 1 + 2 + 2 + 3) / 5)
    assert (whole.part, whole.outcome) == (0, "Succeeded")


def test_a_part_survives_the_termination_message() -> None:
    (found,) = decode_result(message_of(part(2))).trials

    assert (found.part, found.parts, found.folds) == (2, 3, (0.7, 0.6))


@pytest.mark.parametrize("place", ["[0,3]", "[4,3]", '["1",3]', "[1,99]", "7", "[1,3,5]"])
def test_a_part_that_is_none_is_refused(place: str) -> None:
    message = message_of(part(2)).replace("[2,3]", place)

    with pytest.raises(ResultError, match="'p' is"):
        decode_result(message)


def test_a_trial_has_its_outcome_once_all_its_parts_are_there() -> None:
    some = reading(pod(1), pod(3))
    every = reading(pod(3), pod(1), pod(2))

    assert (some.settlements, some.released) == ((), frozenset())
    (settled,) = every.settlements
    assert (settled.number, settled.status.outcome) == (7, Outcome.SUCCEEDED)
    assert settled.status.values[0].value == "0.8"
    assert settled.status.values[0].standard_error is not None


def test_parts_of_one_trial_say_nothing_of_another() -> None:
    found = reading(pod(1), pod(2), pod(3, trial=8))

    assert found.settlements == ()


def test_a_part_that_fails_is_the_failure_of_its_trial() -> None:
    failed = TrialResult(7, "Failed", cause="NaN", message="the loss is NaN")
    found = reading(pod(1), ended_pod(BATCH, 0, message_of(failed), index=1))

    (settled,) = found.settlements
    assert (settled.number, settled.status.outcome) == (7, Outcome.FAILED)


def test_a_part_whose_pod_is_lost_lets_its_trial_run_again() -> None:
    counted = replace(BATCH, failed=frozenset({1}))
    lost = ended_pod(counted, 137, index=1, disrupted=True)
    found = reading(pod(1, batch=counted), lost, batches=(counted,))

    assert (found.settlements, found.released) == ((), frozenset({7}))


def test_parts_of_an_earlier_batch_count_with_those_of_the_next_one() -> None:
    second = replace(BATCH, name="digits-b0002", uid="job-2")
    found = reading(pod(1), pod(2, batch=second), pod(3, batch=second), batches=(BATCH, second))

    assert [s.number for s in found.settlements] == [7]


def test_runs_in_earlier_batches_count_as_attempts_of_a_spread_trial() -> None:
    second = replace(BATCH, name="digits-b0002", uid="job-2", previous_attempts={7: 2})
    found = reading(pod(3, batch=second), pod(1), pod(2), batches=(BATCH, second))

    (settled,) = found.settlements
    assert (settled.status.attempts, settled.status.batch) == (3, "digits-b0002")


def test_a_pod_that_claims_another_number_of_parts_is_not_believed() -> None:
    odd = ended_pod(BATCH, 0, message_of(part(1, of=1)), index=0)

    assert reading(odd).settlements == ()


@pytest.mark.parametrize(
    ("evaluation", "pods"),
    [({"folds": 5}, 1), ({"folds": 5, "foldsPerPod": 2}, 3), ({"folds": 4, "foldsPerPod": 2}, 2)],
)
def test_folds_are_spread_as_the_spec_says(evaluation: dict[str, int], pods: int) -> None:
    task = {
        "model": {"family": "MLP"},
        "data": {"uri": "builtin://digits"},
        "evaluation": evaluation,
    }

    assert pods_per_trial(spec_of({"task": task})) == pods


def test_an_index_runs_one_part_of_one_trial() -> None:
    assert len(BATCH.indexes) == 6
    assert [BATCH.trials_of(index) for index in BATCH.indexes] == [(7,)] * 3 + [(8,)] * 3


# ---- folds that are compared with the best trial's ----


def test_the_values_of_folds_are_recorded_where_trials_are_compared_by_them() -> None:
    result = TrialResult(7, "Succeeded", objective=0.85, folds=(0.8, 0.9, 0.1234567))
    pods = [ended_pod(batch_of(1, [7]), 0, message_of(result))]

    def recorded(*, compares: bool) -> str | None:
        context = replace(CONTEXT, compares_folds=compares)
        (settled,) = read_results(pods, [batch_of(1, [7])], frozenset({7}), context).settlements
        return settled.status.fold_values

    assert recorded(compares=True) == "0.8 0.9 0.123457"
    assert recorded(compares=False) is None


@pytest.mark.parametrize(
    ("text", "folds"), [("0.8 0.9", (0.8, 0.9)), (None, ()), ("", ()), ("0.8 x", (0.8,))]
)
def test_the_values_of_folds_are_read_from_a_trial(
    text: str | None, folds: tuple[float, ...]
) -> None:
    assert fold_values(text) == folds
